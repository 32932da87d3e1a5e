/// The identity of one life of a log. A log that was lost, deleted or rolled back comes back under another epoch.
///
/// The upper 28 bits are drawn at random when a store begins to live; the lower 36 count the logs born in that life,
/// so that epochs of one life are ordered by birth.
public struct Epoch: Hashable, Comparable, Sendable {
  public let rawValue: UInt64

  static let birthBits: UInt64 = 36

  public init(rawValue: UInt64) { self.rawValue = rawValue }

  /// The first epoch of a new life.
  public init(life: UInt32) { rawValue = UInt64(life) << Epoch.birthBits }

  public func isOfSameLife(as other: Epoch) -> Bool { rawValue >> Epoch.birthBits == other.rawValue >> Epoch.birthBits }

  /// The epoch of the next log born in the same life.
  public var next: Epoch { Epoch(rawValue: rawValue &+ 1) }

  public static func < (a: Epoch, b: Epoch) -> Bool { a.rawValue < b.rawValue }
}

/// The place of one message in one log; its text is the message's id: `q7m2kd-1042-9f3c21aa`.
///
/// Sequence 0 stands before the first message. Where a channel has no log yet, its position is sequence 0 under the
/// epoch that the next log would get: whoever is born later in the same life is known to lie wholly after it.
public struct Position: Hashable, Sendable, CustomStringConvertible {
  public var epoch: Epoch
  /// Counts the messages of a log from 1.
  public var sequence: UInt64
  /// 32 random bits stored with the message: a position names a message, not a number, so a log that was rolled
  /// back and refilled under the same numbers is noticed. 0 where `sequence` is 0.
  public var tag: UInt32

  public init(epoch: Epoch, sequence: UInt64, tag: UInt32) {
    self.epoch = epoch
    self.sequence = sequence
    self.tag = tag
  }

  /// Reads the text of a position; nil unless it is exactly what ``description`` writes.
  public init?(_ text: some StringProtocol) {
    var parts: [UInt64] = [0, 0, 0]
    var part = 0
    var length = 0
    var leadingZero = false
    for byte in text.utf8 {
      if byte == UInt8(ascii: "-") {
        if length == 0 || part == 2 { return nil }
        part += 1
        length = 0
        continue
      }
      let radix = Position.radixes[part]
      guard let digit = Position.digit(byte), digit < radix else { return nil }
      if length == 0 { leadingZero = digit == 0 } else if leadingZero && part < 2 { return nil }
      let (product, overflow) = parts[part].multipliedReportingOverflow(by: radix)
      let (sum, carry) = product.addingReportingOverflow(digit)
      if overflow || carry { return nil }
      parts[part] = sum
      length += 1
    }
    guard part == 2, length == 8 else { return nil }
    self.init(epoch: Epoch(rawValue: parts[0]), sequence: parts[1], tag: UInt32(parts[2]))
  }

  public var description: String {
    var text: [UInt8] = []
    write(to: &text)
    return String(decoding: text, as: UTF8.self)
  }

  /// Appends ``description`` to `text`.
  public func write(to text: inout [UInt8]) {
    Position.write(epoch.rawValue, radix: Position.radixes[0], width: 1, to: &text)
    text.append(UInt8(ascii: "-"))
    Position.write(sequence, radix: Position.radixes[1], width: 1, to: &text)
    text.append(UInt8(ascii: "-"))
    Position.write(UInt64(tag), radix: Position.radixes[2], width: 8, to: &text)
  }

  /// Epochs are written with 36 digits, sequences with ten, tags with 16.
  private static let radixes: [UInt64] = [36, 10, 16]

  private static func digit(_ byte: UInt8) -> UInt64? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt64(byte - UInt8(ascii: "0"))
    case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt64(byte - UInt8(ascii: "a")) + 10
    default: nil
    }
  }

  private static func write(_ value: UInt64, radix: UInt64, width: Int, to text: inout [UInt8]) {
    let start = text.count
    var rest = value
    repeat {
      let digit = UInt8(rest % radix)
      text.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
      rest /= radix
    } while rest > 0 || text.count - start < width
    text[start...].reverse()
  }
}
