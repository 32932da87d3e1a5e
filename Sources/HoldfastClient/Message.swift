import HoldfastProtocol

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// One message of a channel.
public struct Message: Sendable, Equatable {
  /// The message's id, which is also the cursor right after it: give it to
  /// ``HoldfastClient/history(of:after:limit:)``, or start a subscription to its channel from it.
  public let id: String
  public let channel: String
  /// Unix seconds, exact to the microsecond; it rises strictly within a channel.
  public let timestamp: Double
  /// `"base64"` where ``data`` is a JSON string with the base64 of bytes that were neither JSON nor text; else `nil`.
  public let encoding: String?
  /// The `Content-Type` it was published with, where ``encoding`` is not `nil`.
  public let contentType: String?
  /// The whole message object, byte for byte as the server sent it.
  public let json: [UInt8]

  let dataRange: Range<Int>

  /// The message's JSON value, byte for byte as it was published.
  public var data: ArraySlice<UInt8> { json[dataRange] }

  /// The message's data as a Swift value.
  ///
  ///     let reading = try message.decoded(as: Reading.self)
  ///
  /// - Throws: `DecodingError` where the data is not such a value.
  public func decoded<Value: Decodable>(as type: Value.Type = Value.self) throws -> Value {
    try JSONDecoder().decode(type, from: Data(data))
  }
}

/// The server's word that messages can no longer be given.
public struct Gap: Sendable, Equatable {
  /// Why. A reason that this version does not know is kept as it came.
  public struct Reason: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    public let rawValue: String
    public init(rawValue: String) { self.rawValue = rawValue }
    public var description: String { rawValue }

    /// Retention removed the messages before this client read them.
    public static let expired = Reason(rawValue: WireGapReason.expired.rawValue)
    /// The log that the cursor names is gone: it was deleted, or lost with its server.
    public static let reset = Reason(rawValue: WireGapReason.reset.rawValue)
  }

  public let channel: String
  public let reason: Reason
  /// How many messages were missed, or `nil` where nobody can tell.
  public let missed: Int?
}

/// An answer to a poll or a look into the history.
public struct MessagePage: Sendable, Equatable {
  /// What was missed before ``messages``; usually nothing.
  public let gaps: [Gap]
  /// In the order of their channel; those of several channels are merged by timestamp.
  public let messages: [Message]
  /// What to give to the next poll. It is valid even if there were no messages.
  public let cursor: String
  /// Whether further messages are there already.
  public let more: Bool
}
