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
    let bytes = Array(text.utf8)
    self.init(bytes.span, in: 0..<bytes.count)
  }

  /// The same from a part of some bytes.
  public init?(_ bytes: borrowing Span<UInt8>, in range: Range<Int>) {
    var start = range.lowerBound
    guard let epoch = Position.number(bytes, &start, range.upperBound, radix: 36, isLast: false),
      let sequence = Position.number(bytes, &start, range.upperBound, radix: 10, isLast: false),
      range.upperBound - start == 8,
      let tag = Position.number(bytes, &start, range.upperBound, radix: 16, isLast: true)
    else { return nil }
    self.init(epoch: Epoch(rawValue: epoch), sequence: sequence, tag: UInt32(tag))
  }

  /// Reads digits up to a `-`, or up to the end for the last part, which alone may begin with zeros.
  private static func number(
    _ bytes: borrowing Span<UInt8>, _ offset: inout Int, _ end: Int, radix: UInt64, isLast: Bool
  ) -> UInt64? {
    let start = offset
    var value: UInt64 = 0
    while offset < end, bytes[offset] != UInt8(ascii: "-") {
      guard let digit = digit(bytes[offset]), digit < radix else { return nil }
      let (product, overflow) = value.multipliedReportingOverflow(by: radix)
      let (sum, carry) = product.addingReportingOverflow(digit)
      if overflow || carry { return nil }
      value = sum
      offset += 1
    }
    let length = offset - start
    if length == 0 || (offset == end) != isLast { return nil }
    if isLast { return value }
    if length > 1 && bytes[start] == UInt8(ascii: "0") { return nil }
    offset += 1
    return value
  }

  public var description: String {
    var text: [UInt8] = []
    write(to: &text)
    return String(decoding: text, as: UTF8.self)
  }

  /// The most bytes ``description`` has: 13 and 20 digits, 8 of the tag, 2 hyphens.
  public static let textBytesMax = 43

  /// Appends ``description`` to `text`.
  public func write(to text: inout [UInt8]) {
    text.append(addingCapacity: Position.textBytesMax) { (text: inout OutputSpan<UInt8>) in write(to: &text) }
  }

  /// Appends ``description`` where at least ``textBytesMax`` bytes are free.
  public func write(to text: inout OutputSpan<UInt8>) {
    text.appendBase36(epoch.rawValue)
    text.append(UInt8(ascii: "-"))
    text.appendDecimal(sequence)
    text.append(UInt8(ascii: "-"))
    text.appendHex(tag)
  }

  private static func digit(_ byte: UInt8) -> UInt64? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt64(byte - UInt8(ascii: "0"))
    case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt64(byte - UInt8(ascii: "a")) + 10
    default: nil
    }
  }
}
