import DequeModule

/// Remembers for a while what was published under an Idempotency-Key, so that a publish repeated because its answer was
/// lost gets the first one's answer.
///
/// Bounded: beyond `keysMax` the oldest keys are forgotten early.
struct IdempotencyWindow: Sendable {
  struct Key: Hashable, Sendable {
    var channel: ChannelName
    var key: String
  }

  enum Answer: Equatable {
    case unknown
    case repeated(id: Position, timestamp: Timestamp)
    /// The key was used for another payload.
    case conflict
  }

  private struct Entry {
    var payloadHash: Int
    var id: Position
    var timestamp: Timestamp
  }

  let age: Duration
  let keysMax: Int
  private var entries: [Key: Entry] = [:]
  private var order: Deque<(key: Key, expiry: Int64)> = []

  init(age: Duration, keysMax: Int) {
    self.age = age
    self.keysMax = keysMax
  }

  var count: Int { entries.count }

  mutating func look(up key: Key, payload: Payload, at moment: Moment) -> Answer {
    while let first = order.first, first.expiry <= moment.uptime { forgetFirst() }
    guard let entry = entries[key] else { return .unknown }
    return entry.payloadHash == payload.hashValue
      ? .repeated(id: entry.id, timestamp: entry.timestamp) : .conflict
  }

  /// Remembers a key that ``look(up:payload:at:)`` has just found unknown.
  mutating func remember(_ key: Key, payload: Payload, id: Position, timestamp: Timestamp, at moment: Moment) {
    entries[key] = Entry(payloadHash: payload.hashValue, id: id, timestamp: timestamp)
    order.append((key, moment.uptime(after: age)))
    if entries.count > keysMax { forgetFirst() }
  }

  /// Forgets the oldest key early.
  mutating func forgetFirst() {
    if let first = order.popFirst() { entries[first.key] = nil }
  }

  /// Forgets what was published to a channel: its messages are gone, so no answer may name them.
  mutating func forget(_ channel: ChannelName) {
    if entries.isEmpty { return }
    entries = entries.filter { $0.key.channel != channel }
    order.removeAll { $0.key.channel == channel }
  }
}
