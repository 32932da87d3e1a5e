import Synchronization

/// Logs in this process's memory. An acknowledged message is as safe as the process: after a restart every cursor from
/// before is answered with a gap, `reset`.
///
/// Channels are spread over shards by name; each shard is a pure `LogTable` under a lock that is held for one
/// operation on one log.
public final class MemoryStore: Store {
  public struct Limits: Hashable, Sendable {
    /// What logs retain, unless a rule says otherwise.
    public var log: LogBounds
    /// The first rule whose pattern matches a channel's name is its log's bounds.
    public var rules: [LogRule]
    /// About how many bytes all logs may cost together; a publish beyond is refused with `storeFull`.
    public var bytesMax: Int
    /// About how many expired logs are remembered, so that a returning client is told how many messages it missed.
    public var remnantsMax: Int
    /// How long an idempotency key is remembered.
    public var idempotencyAge: Duration
    /// How many keys are remembered at most in all; beyond, old ones are forgotten early.
    public var idempotencyKeysMax: Int

    public init(
      log: LogBounds = LogBounds(), rules: [LogRule] = [], bytesMax: Int = 4 << 30, remnantsMax: Int = 100_000,
      idempotencyAge: Duration = .seconds(600), idempotencyKeysMax: Int = 1_000_000
    ) {
      self.log = log
      self.rules = rules
      self.bytesMax = bytesMax
      self.remnantsMax = remnantsMax
      self.idempotencyAge = idempotencyAge
      self.idempotencyKeysMax = idempotencyKeysMax
    }
  }

  public let limits: Limits
  private let tables: Sharded<Shard>
  private let bytes = Atomic<Int>(0)
  private let keys = Atomic<Int>(0)

  public init(limits: Limits = Limits()) {
    self.limits = limits
    let life = UInt32.random(in: 1..<(1 << 28))
    let count = Sharded<Shard>.count
    let table = LogTable.Limits(
      remnantsMax: max(1, limits.remnantsMax / count), idempotencyAge: limits.idempotencyAge,
      idempotencyKeysMax: limits.idempotencyKeysMax)
    tables = Sharded {
      Shard(table: LogTable(life: life, limits: table), tags: TagGenerator(seed: .random(in: 0 ... .max)))
    }
  }

  /// About how many bytes all logs cost now.
  public var bytesUsed: Int { bytes.load(ordering: .relaxed) }

  public func append(_ draft: Draft, to channel: ChannelName, at moment: Moment) throws(PublishError) -> Appended {
    let bounds = limits.rules.first { $0.matches(channel) }?.bounds ?? limits.log
    return try with(tables[channel]) { shard throws(PublishError) in
      try shard.table.append(
        draft, to: channel, tag: shard.tags.next(), bounds: bounds, bytesLeft: limits.bytesMax - bytesUsed,
        keysLeft: limits.idempotencyKeysMax - keys.load(ordering: .relaxed), at: moment)
    }
  }

  public func read(_ channel: ChannelName, from start: ReadStart, limit: ReadLimit, at moment: Moment) -> Page {
    with(tables[channel]) { $0.table.read(channel, from: start, limit: limit, at: moment) }
  }

  public func summary(_ channel: ChannelName, at moment: Moment) -> LogSummary? {
    with(tables[channel]) { $0.table.summary(channel, at: moment) }
  }

  public func channels() -> [ChannelName] {
    var names: [ChannelName] = []
    for table in tables.all { table.withLock { $0.table.collectNames(into: &names) } }
    return names
  }

  public func delete(_ channel: ChannelName) -> Bool { with(tables[channel]) { $0.table.delete(channel) } }

  public func sweep(share: Double, at moment: Moment, isWaitedOn: (ChannelName) -> Bool) {
    for table in tables.all {
      with(table) {
        $0.table.sweep(steps: Int(Double($0.table.logCount) * share) + 1, at: moment, isWaitedOn: isWaitedOn)
      }
    }
  }

  private struct Shard: Sendable {
    var table: LogTable
    var tags: TagGenerator
  }

  /// Runs one operation on a shard and keeps the sums of all.
  @inline(__always) private func with<Result: Sendable, Failure: Error>(
    _ shard: Sharded<Shard>.Shard, _ body: (inout Shard) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try shard.withLock { shard throws(Failure) in
      let (bytesBefore, keysBefore) = (shard.table.footprint, shard.table.keyCount)
      defer {
        let (bytesAfter, keysAfter) = (shard.table.footprint, shard.table.keyCount)
        if bytesAfter != bytesBefore { bytes.add(bytesAfter - bytesBefore, ordering: .relaxed) }
        if keysAfter != keysBefore { keys.add(keysAfter - keysBefore, ordering: .relaxed) }
      }
      return try body(&shard)
    }
  }
}

/// Draws the tags of messages (SplitMix64), from a seed that the system draws: asking the system for each would be a
/// system call a publish.
struct TagGenerator: Sendable {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt32 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return UInt32(truncatingIfNeeded: (mixed ^ (mixed >> 31)) >> 32)
  }
}
