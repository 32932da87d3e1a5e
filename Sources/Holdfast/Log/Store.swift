/// Where logs live.
///
/// What a store guarantees, whoever implements it:
/// - *Order.* Sequences rise by one and timestamps strictly, within a channel and under one epoch.
/// - *An honest account.* A read gives every message after its start, in order, or a ``Gap`` for those it cannot give.
///   A log that was lost, deleted or rolled back never comes back under an epoch it had before.
/// - *Atomicity.* Concurrent calls behave as if one came after the other. A read that begins after an append returned
///   sees that message; this is what lets a hub become a waiter first and read then without missing anything.
/// - *Idempotency.* A repeated key gives the first answer again and appends nothing.
///
/// Calls come from event loops, so they do not wait.
public protocol Store: Sendable {
  /// Appends a message, or finds it appended already under its idempotency key.
  func append(_ draft: Draft, to channel: ChannelName, at moment: Moment) throws(PublishError) -> Appended

  /// What follows `start`. A channel without a log is read as an empty one, and no log comes to be.
  func read(_ channel: ChannelName, from start: ReadStart, limit: ReadLimit, at moment: Moment) -> Page

  /// The state of a log, or nil where there is none.
  func summary(_ channel: ChannelName, at moment: Moment) -> LogSummary?

  /// The channels that have a log, in no order.
  func channels() -> [ChannelName]

  /// Ends the life of a log. False where there was none.
  func delete(_ channel: ChannelName) -> Bool

  /// Does a bounded part of the store's upkeep.
  /// - Parameters:
  ///   - share: Of its logs, how many are looked at; at least one is.
  ///   - moment: When this happens.
  ///   - isWaitedOn: Tells of a log that is empty whether somebody waits for what comes next.
  func sweep(share: Double, at moment: Moment, isWaitedOn: (ChannelName) -> Bool)
}

/// A message on its way into a log.
public struct Draft: Sendable {
  public var payload: Payload
  /// Publishes nothing a second time under the same key; see ``MemoryStore/Limits/idempotencyAge``.
  public var idempotencyKey: String?
  /// Expires the message earlier than its log would.
  public var ttl: Duration?

  public init(_ payload: Payload, idempotencyKey: String? = nil, ttl: Duration? = nil) {
    self.payload = payload
    self.idempotencyKey = idempotencyKey
    self.ttl = ttl
  }
}

/// The place an append gave to a message.
public struct Appended: Hashable, Sendable {
  public var id: Position
  public var timestamp: Timestamp
  /// Whether this is the answer to an earlier publish under the same idempotency key.
  public var isRepeated: Bool

  public init(id: Position, timestamp: Timestamp, isRepeated: Bool) {
    self.id = id
    self.timestamp = timestamp
    self.isRepeated = isRepeated
  }
}

/// The state of one log.
public struct LogSummary: Hashable, Sendable {
  public var head: Position
  /// nil when nothing is retained.
  public var oldest: Position?
  /// Of the newest message ever.
  public var timestamp: Timestamp
  /// Messages retained.
  public var count: Int
  /// Bytes of payload retained.
  public var bytes: Int

  public init(head: Position, oldest: Position?, timestamp: Timestamp, count: Int, bytes: Int) {
    self.head = head
    self.oldest = oldest
    self.timestamp = timestamp
    self.count = count
    self.bytes = bytes
  }
}

/// Why a message was not published. Nothing was appended.
public struct PublishError: Error, Hashable, Sendable, CustomStringConvertible {
  public enum Code: Hashable, Sendable {
    /// The idempotency key was used for another payload.
    case idempotencyConflict
    /// The store holds as much as it may; see ``MemoryStore/Limits/bytesMax``.
    case storeFull
  }

  public var code: Code

  public init(_ code: Code) { self.code = code }

  public var description: String {
    switch code {
    case .idempotencyConflict: "the idempotency key was used on this channel for another message"
    case .storeFull: "the store holds as much as it may; messages expire with time, so try again later"
    }
  }
}
