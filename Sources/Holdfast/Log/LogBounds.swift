/// How much a log retains. What passes a bound is removed from the oldest on, and a client that still wanted it is told
/// so in a gap.
public struct LogBounds: Hashable, Sendable {
  /// Most messages.
  public var messagesMax: Int
  /// The age at which a message expires.
  public var ageMax: Duration
  /// Most bytes of payload. The newest message stays even where it alone is larger.
  public var bytesMax: Int

  public init(messagesMax: Int = 1000, ageMax: Duration = .seconds(300), bytesMax: Int = 16 << 20) {
    self.messagesMax = messagesMax
    self.ageMax = ageMax
    self.bytesMax = bytesMax
  }
}

/// Bounds for the channels whose names match a pattern, in which `*` stands for any characters.
public struct LogRule: Hashable, Sendable {
  public var pattern: String
  public var bounds: LogBounds

  public init(pattern: String, bounds: LogBounds) {
    self.pattern = pattern
    self.bounds = bounds
  }

  public func matches(_ channel: ChannelName) -> Bool {
    var pattern = Array(pattern.utf8)[...]
    var name = Array(channel.text.utf8)[...]
    // The last star and the name as it was there: a mismatch later lets that star swallow one more character.
    var retry: (pattern: ArraySlice<UInt8>, name: ArraySlice<UInt8>)?
    while let character = name.first {
      if pattern.first == UInt8(ascii: "*") {
        pattern = pattern.dropFirst()
        retry = (pattern, name)
      } else if pattern.first == character {
        pattern = pattern.dropFirst()
        name = name.dropFirst()
      } else if let (rest, from) = retry {
        retry = (rest, from.dropFirst())
        pattern = rest
        name = from.dropFirst()
      } else {
        return false
      }
    }
    return pattern.allSatisfy { $0 == UInt8(ascii: "*") }
  }
}

/// How much one answer carries. Where there is a message, an answer holds at least one, whatever its limit.
public struct ReadLimit: Hashable, Sendable {
  /// Most messages.
  public var messages: Int
  /// An answer ends before it would pass this many bytes of payload.
  public var bytes: Int

  public init(messages: Int = 100, bytes: Int = 1 << 20) {
    self.messages = messages
    self.bytes = bytes
  }
}
