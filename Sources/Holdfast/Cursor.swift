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
    let bytes = Array(text.utf8)
    try self.init(bytes.span, in: 0..<bytes.count, channelCount: channelCount)
  }

  /// The same from a part of some bytes.
  public init(_ bytes: borrowing Span<UInt8>, in range: Range<Int>, channelCount: Int) throws(CursorError) {
    slots = []
    slots.reserveCapacity(channelCount)
    var start = range.lowerBound
    while true {
      if slots.count == channelCount { throw .slotCount(given: channelCount + 1, wanted: channelCount) }
      var end = start
      while end < range.upperBound, bytes[end] != UInt8(ascii: ".") { end += 1 }
      if let position = Position(bytes, in: start..<end) {
        slots.append(.after(position))
      } else if Cursor.equals(bytes, start..<end, "now") {
        slots.append(.now)
      } else if Cursor.equals(bytes, start..<end, "earliest") {
        slots.append(.earliest)
      } else {
        throw .slot(slots.count + 1)
      }
      if end == range.upperBound { break }
      start = end + 1
    }
    if slots.count == 1, channelCount > 1, slots[0] == .now || slots[0] == .earliest {
      slots = Array(repeating: slots[0], count: channelCount)
    }
    if slots.count != channelCount { throw .slotCount(given: slots.count, wanted: channelCount) }
  }

  private static func equals(_ bytes: borrowing Span<UInt8>, _ range: Range<Int>, _ word: StaticString) -> Bool {
    if range.count != word.utf8CodeUnitCount { return false }
    return word.withUTF8Buffer { word in
      for index in range where bytes[index] != word[index - range.lowerBound] { return false }
      return true
    }
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
