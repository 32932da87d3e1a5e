/// The name of a channel: 1 to 128 characters of `A-Z a-z 0-9 _ - . : ~ @`.
///
/// ```swift
/// let news = try ChannelName("news")
/// ```
public struct ChannelName: Hashable, Comparable, Sendable, CustomStringConvertible {
  /// The most characters (and bytes: every allowed character is one byte) a name may have.
  public static let lengthMax = 128

  /// The name as text.
  public let text: String
  /// The text's hash: a name is looked up in many tables, and hashed once.
  let hash: Int

  /// - Throws: ``ChannelNameError``, saying what is wrong and where.
  public init(_ text: String) throws(ChannelNameError) {
    let bytes = Array(text.utf8)
    try self.init(bytes.span, in: 0..<bytes.count)
  }

  /// The same from a part of some bytes.
  public init(_ bytes: borrowing Span<UInt8>, in range: Range<Int>) throws(ChannelNameError) {
    if range.isEmpty { throw .empty }
    for index in range where !ChannelName.allows(bytes[index]) { throw .character(at: index - range.lowerBound) }
    if range.count > ChannelName.lengthMax { throw .tooLong(range.count) }
    (text, hash) = bytes.extracting(range).withUnsafeBytes { name in
      var hasher = Hasher()
      hasher.combine(bytes: name)
      return (String(decoding: name, as: UTF8.self), hasher.finalize())
    }
  }

  public static func == (a: ChannelName, b: ChannelName) -> Bool { a.hash == b.hash && a.text == b.text }
  public func hash(into hasher: inout Hasher) { hasher.combine(hash) }

  /// What dictionaries ask for. The hash is of a seeded kind already, so it need not be hashed again.
  public func _rawHashValue(seed: Int) -> Int { hash ^ seed }

  public var description: String { text }

  public static func < (a: ChannelName, b: ChannelName) -> Bool { a.text < b.text }

  /// A bit for each of the first and of the second 64 characters of ASCII.
  @inline(__always)
  private static func allows(_ byte: UInt8) -> Bool {
    let set: UInt64 = byte < 64 ? 0x07ff_6000_0000_0000 : 0x47ff_fffe_87ff_ffff
    return byte < 128 && set &>> UInt64(byte & 63) & 1 == 1
  }
}

/// Why a text is no channel name.
public enum ChannelNameError: Error, Equatable, Sendable, CustomStringConvertible {
  case empty
  /// Longer than ``ChannelName/lengthMax``; the length in bytes.
  case tooLong(Int)
  /// A character that is not allowed, by its byte offset.
  case character(at: Int)

  public var description: String {
    switch self {
    case .empty: "a channel name has 1 to \(ChannelName.lengthMax) characters, this one none"
    case .tooLong(let length): "a channel name has at most \(ChannelName.lengthMax) characters, this one \(length)"
    case .character(let offset):
      "a channel name is made of A-Z a-z 0-9 _ - . : ~ @; the character at byte \(offset) is another"
    }
  }
}
