import DequeModule

/// The logs of one shard of a ``MemoryStore``: which there are, how they are born, dropped, remembered and forgotten.
///
/// A poll creates nothing here. A log is born by the first publish; when all its messages have expired it is dropped and
/// only its ``ChannelLog/Remnant`` kept, from which it goes on as if it had never been away. Beyond `remnantsMax` the
/// oldest remnants are forgotten; then the next log of that channel is another life, and who asks with a position of
/// the forgotten one is told `reset`.
///
/// Names are forgotten too, so a channel that was never published to cannot be told from one that was forgotten. What is
/// lost must be said all the same; what is not, should not. So forgotten logs leave a mark in one of ``Forgotten``'s cells,
/// by their names' hashes, and only channels of the same cell are suspected with them.
struct LogTable: Sendable {
  struct Limits: Sendable {
    var remnantsMax: Int
    var idempotencyAge: Duration
    var idempotencyKeysMax: Int
  }

  private struct NamedLog: Sendable {
    let name: ChannelName
    var log: ChannelLog
  }

  /// About what all logs cost in memory, in bytes.
  private(set) var footprint = 0
  private var names: [ChannelName: Int] = [:]
  private var logs: [NamedLog] = []
  private var remnants: [ChannelName: ChannelLog.Remnant] = [:]
  /// Remnants in the order they came; an entry is stale when the log has come back since.
  private var remnantOrder: Deque<(name: ChannelName, remnant: ChannelLog.Remnant)> = []
  private let remnantsMax: Int
  /// The epoch of the next log to be born.
  private var nextEpoch: Epoch
  private var forgotten: Forgotten
  private var idempotency: IdempotencyWindow
  /// Where the sweep goes on.
  private var hand = 0

  init(life: UInt32, limits: Limits) {
    forgotten = Forgotten(life: life)
    nextEpoch = Epoch(life: life).next
    remnantsMax = limits.remnantsMax
    idempotency = IdempotencyWindow(age: limits.idempotencyAge, keysMax: limits.idempotencyKeysMax)
  }

  var logCount: Int { logs.count }
  var remnantCount: Int { remnants.count }
  var keyCount: Int { idempotency.count }

  // MARK: Writing

  /// Appends, or finds what was appended under the same idempotency key: that costs nothing, so a full store gives it too.
  /// - Parameters:
  ///   - bytesLeft: What the payload may cost at most.
  ///   - keysLeft: How many more keys may be remembered; where there are none, the oldest here makes room.
  mutating func append(
    _ draft: Draft, to channel: ChannelName, tag: UInt32, bounds: LogBounds, bytesLeft: Int = .max,
    keysLeft: Int = .max, at moment: Moment
  ) throws(PublishError) -> Appended {
    let key = draft.idempotencyKey.map { IdempotencyWindow.Key(channel: channel, key: $0) }
    if let key {
      switch idempotency.look(up: key, payload: draft.payload, at: moment) {
      case .unknown: break
      case .repeated(let id, let timestamp): return Appended(id: id, timestamp: timestamp, isRepeated: true)
      case .conflict: throw PublishError(.idempotencyConflict)
      }
    }
    if draft.payload.bytes.count > bytesLeft { throw PublishError(.storeFull) }
    let index = names[channel] ?? bear(channel)
    let (id, timestamp) = update(index) {
      $0.append(draft.payload, ttl: draft.ttl, tag: tag, bounds: bounds, at: moment)
    }
    if let key {
      if keysLeft <= 0 { idempotency.forgetFirst() }
      idempotency.remember(key, payload: draft.payload, id: id, timestamp: timestamp, at: moment)
    }
    return Appended(id: id, timestamp: timestamp, isRepeated: false)
  }

  private mutating func bear(_ channel: ChannelName) -> Int {
    let log = ChannelLog(remnants.removeValue(forKey: channel) ?? unborn(channel, takingEpoch: true))
    logs.append(NamedLog(name: channel, log: log))
    footprint += log.footprint
    names[channel] = logs.count - 1
    return logs.count - 1
  }

  /// What a channel without log or remnant is read as; also how a new log begins.
  private mutating func unborn(_ channel: ChannelName, takingEpoch: Bool) -> ChannelLog.Remnant {
    let epoch = nextEpoch
    if takingEpoch { nextEpoch = epoch.next }
    let mark = forgotten.mark(of: channel)
    return ChannelLog.Remnant(
      epoch: epoch, vouchedAfter: mark.epoch, headTimestamp: mark.timestamp, removedTimestamp: mark.timestamp)
  }

  /// Ends the life of a log: the channel's next message comes under another epoch.
  /// - Returns: false where there was no log.
  mutating func delete(_ channel: ChannelName) -> Bool {
    guard let index = names[channel] else { return false }
    let old = logs[index].log.remnant
    removeLog(at: index)
    idempotency.forget(channel)
    var new = unborn(channel, takingEpoch: true)
    new.vouchedAfter = old.epoch
    new.headTimestamp = old.headTimestamp
    new.removedTimestamp = old.headTimestamp
    keep(new, of: channel)
    return true
  }

  // MARK: Reading

  mutating func read(_ channel: ChannelName, from start: ReadStart, limit: ReadLimit, at moment: Moment) -> Page {
    if let index = names[channel] {
      return update(index) {
        $0.expire(at: moment)
        return $0.read(channel, from: start, limit: limit)
      }
    }
    return ChannelLog(remnants[channel] ?? unborn(channel, takingEpoch: false)).read(channel, from: start, limit: limit)
  }

  /// The state of a log; nil where there is none.
  mutating func summary(_ channel: ChannelName, at moment: Moment) -> LogSummary? {
    guard let index = names[channel] else { return nil }
    update(index) { $0.expire(at: moment) }
    let log = logs[index].log
    return LogSummary(
      head: log.head, oldest: log.oldest, timestamp: log.remnant.headTimestamp, count: log.entries.count,
      bytes: log.bytes)
  }

  /// Adds the names of all channels with a log.
  func collectNames(into result: inout [ChannelName]) { for entry in logs { result.append(entry.name) } }

  // MARK: Dropping

  /// Looks at the next `steps` logs in turn: removes what has expired, and drops those left empty that nobody waits on.
  mutating func sweep(steps: Int, at moment: Moment, isWaitedOn: (ChannelName) -> Bool) {
    for _ in 0..<min(steps, logs.count) {
      if hand >= logs.count { hand = 0 }
      update(hand) { $0.expire(at: moment) }
      if logs[hand].log.entries.isEmpty, !isWaitedOn(logs[hand].name) {
        let (name, remnant) = (logs[hand].name, logs[hand].log.remnant)
        removeLog(at: hand)
        keep(remnant, of: name)
      } else {
        hand += 1
      }
    }
  }

  @inline(__always) private mutating func update<Result>(_ index: Int, _ body: (inout ChannelLog) -> Result) -> Result {
    footprint -= logs[index].log.footprint
    defer { footprint += logs[index].log.footprint }
    return body(&logs[index].log)
  }

  private mutating func removeLog(at index: Int) {
    footprint -= logs[index].log.footprint
    names[logs[index].name] = nil
    logs.swapAt(index, logs.count - 1)
    logs.removeLast()
    if index < logs.count { names[logs[index].name] = index }
  }

  private mutating func keep(_ remnant: ChannelLog.Remnant, of name: ChannelName) {
    remnants[name] = remnant
    remnantOrder.append((name, remnant))
    while remnants.count > remnantsMax || remnantOrder.count > 2 * remnantsMax + 16 {
      let (name, remnant) = remnantOrder.removeFirst()
      if remnants[name] != remnant { continue }
      remnants[name] = nil
      forgotten.note(remnant, of: name)
    }
  }
}
