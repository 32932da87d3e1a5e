/// What a client remembers between polls: for each channel of a poll, in order, "the last message I saw".
///
/// One channel's cursor is the text of a position, or `now`, or `earliest`; several are joined with `.`. A cursor holds
/// all there is to know, so any node can answer any cursor.
public struct Cursor: Hashable, Sendable, CustomStringConvertible {
  /// Where one channel stands.
  public enum Slot: Hashable, Sendable {
    /// Only what comes next.
    case now
    /// All that is retained.
    case earliest
    /// What follows a message.
    case after(Position)
  }

  public var slots: [Slot]

  public init(_ slots: [Slot]) { self.slots = slots }

  /// Reads a cursor for `channelCount` channels. `now` and `earliest` alone stand for every channel.
  public init(_ text: some StringProtocol, channelCount: Int) throws(CursorError) {
    var slots: [Slot] = []
    for part in text.split(separator: ".", maxSplits: channelCount, omittingEmptySubsequences: false) {
      if slots.count == channelCount { throw .slotCount(given: channelCount + 1, wanted: channelCount) }
      switch part {
      case "now": slots.append(.now)
      case "earliest": slots.append(.earliest)
      default:
        guard let position = Position(part) else { throw .slot(slots.count + 1) }
        slots.append(.after(position))
      }
    }
    if slots.count == 1, channelCount > 1, slots[0] == .now || slots[0] == .earliest {
      slots = Array(repeating: slots[0], count: channelCount)
    }
    if slots.count != channelCount { throw .slotCount(given: slots.count, wanted: channelCount) }
    self.slots = slots
  }

  public var description: String {
    var text: [UInt8] = []
    write(to: &text)
    return String(decoding: text, as: UTF8.self)
  }

  /// Appends ``description`` to `text`.
  public func write(to text: inout [UInt8]) {
    for (index, slot) in slots.enumerated() {
      if index > 0 { text.append(UInt8(ascii: ".")) }
      switch slot {
      case .now: text.append(contentsOf: "now".utf8)
      case .earliest: text.append(contentsOf: "earliest".utf8)
      case .after(let position): position.write(to: &text)
      }
    }
  }
}

/// Why a text is no cursor.
public enum CursorError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The number of the slot, from 1, that is neither a position nor `now` nor `earliest`.
  case slot(Int)
  case slotCount(given: Int, wanted: Int)

  public var description: String {
    switch self {
    case .slot(let number):
      "slot \(number) is neither a position nor 'now' nor 'earliest'; give the cursor back exactly as the server gave it"
    case .slotCount(let given, let wanted) where given > wanted:
      "it has more slots than the request has channels (\(wanted))"
    case .slotCount(let given, let wanted):
      "it has \(given) slot\(given == 1 ? "" : "s") for \(wanted) channels; append '.now' or '.earliest' for a new channel"
    }
  }
}
