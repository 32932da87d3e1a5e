/// The server's word that a message is in the log.
public struct PublishReceipt: Sendable, Equatable {
  public let messageID: String
  public let channel: String
  /// Unix seconds, exact to the microsecond.
  public let timestamp: Double
  /// How many polls were held on the channel at that moment.
  public let subscribers: Int
  /// Whether the server had this message already, by its idempotency key.
  public let isReplay: Bool
  /// The whole answer as the server sent it.
  public let json: [UInt8]
}

/// What a server tells of one channel.
public struct ChannelState: Sendable, Equatable {
  public let channel: String
  /// The cursor right after the newest message; `nil` where there is no log yet.
  public let head: String?
  /// The id of the oldest retained message; `nil` where none is.
  public let oldest: String?
  /// Messages retained, and the bytes of their data.
  public let count: Int
  public let bytes: Int
  /// Polls held on it now.
  public let held: Int
  /// The whole object as the server sent it.
  public let json: [UInt8]
}

/// A page of the list of channels, sorted by name.
public struct ChannelPage: Sendable, Equatable {
  public let channels: [ChannelState]
  /// Whether there are further ones, after the last of these.
  public let more: Bool
}
