/// What a publisher publishes.
public struct Payload: Hashable, Sendable {
  /// JSON text, or bytes of any kind where ``contentType`` says which. Kept byte for byte.
  public var bytes: [UInt8]
  /// nil for JSON, else the media type of the bytes.
  public var contentType: String?

  /// JSON text. That it is valid JSON is the caller's word.
  public init(json bytes: [UInt8]) {
    self.bytes = bytes
    contentType = nil
  }

  /// JSON text, for literals: `Payload(json: "{\"a\":1}")`.
  public init(json text: String) { self.init(json: Array(text.utf8)) }

  /// Bytes of a media type.
  public init(_ bytes: [UInt8], contentType: String) {
    self.bytes = bytes
    self.contentType = contentType
  }
}

/// One published payload with its id and timestamp.
public struct Message: Hashable, Sendable {
  /// Its place in the log, and its id.
  public var id: Position
  public var channel: ChannelName
  public var timestamp: Timestamp
  public var payload: Payload

  public init(id: Position, channel: ChannelName, timestamp: Timestamp, payload: Payload) {
    self.id = id
    self.channel = channel
    self.timestamp = timestamp
    self.payload = payload
  }
}

/// The server's word that messages after a cursor can no longer be given.
public struct Gap: Hashable, Sendable {
  public enum Reason: String, Sendable {
    /// Retention (count, age, bytes, a message's own ttl) removed them.
    case expired
    /// The cursor names a log that is gone, is ahead of it, or names another message under its number.
    case reset
  }

  public var channel: ChannelName
  public var reason: Reason
  /// Their exact number, or nil where nobody can know it.
  public var missed: UInt64?

  public init(channel: ChannelName, reason: Reason, missed: UInt64?) {
    self.channel = channel
    self.reason = reason
    self.missed = missed
  }
}
