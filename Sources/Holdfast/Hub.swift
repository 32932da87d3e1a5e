/// The logs and the waiters of one process.
///
/// ```swift
/// let hub = Hub()
/// let news = try ChannelName("news")
/// try await hub.publish(Payload(json: "{\"a\":1}"), to: news)
/// for try await event in hub.subscribe(to: [news], from: .earliest) {
///   if case .message(let message) = event { print(message.id) }
/// }
/// ```
///
/// A hub needs one task beside what calls it, ``run()``, which drops what has expired on channels nobody touches.
public final class Hub: Sendable {
  let core: HubCore
  private let waiters: AsyncWaiters

  /// - Parameters:
  ///   - store: Where the logs live.
  ///   - limits: How many polls may be held at once. Those of the async API count for their channels only.
  public init(store: any Store = MemoryStore(), limits: HoldLimits = HoldLimits()) {
    core = HubCore(store: store, limits: limits)
    waiters = AsyncWaiters(core: core)
  }

  // MARK: Publishing

  /// Publishes a message and wakes whoever waits for it. When it returns, the message is in the log.
  ///
  /// - Parameters:
  ///   - payload: The message.
  ///   - channel: Where it goes; the first message to a channel makes its log.
  ///   - idempotencyKey: Makes the call safe to repeat: the same key on the same channel gives the first receipt again.
  ///   - ttl: Expires the message earlier than its log would.
  /// - Throws: ``PublishError``; then nothing was published.
  @discardableResult
  public func publish(
    _ payload: Payload, to channel: ChannelName, idempotencyKey: String? = nil, ttl: Duration? = nil
  ) async throws(PublishError) -> Receipt {
    let draft = Draft(payload, idempotencyKey: idempotencyKey, ttl: ttl)
    return try core.publish(draft, to: channel, from: nil, at: .now()).0
  }

  // MARK: Reading

  /// What follows a cursor: at once when there is something, else as soon as something comes, else an empty answer after
  /// `timeout`. Whatever the answer, its cursor goes into the next poll.
  ///
  /// Cancelling the task ends the wait at once; a task that is cancelled already gets no answer.
  ///
  /// - Parameters:
  ///   - channels: At least one, and each once; the cursor's slots are in their order.
  ///   - cursor: What the last answer gave, or where to begin.
  ///   - limit: How much one answer carries.
  ///   - timeout: At most a year.
  /// - Throws: ``HoldRefusal`` where a limit of held polls is reached, `CancellationError`.
  public func poll(
    _ channels: [ChannelName], after cursor: Cursor, limit: ReadLimit = ReadLimit(), timeout: Duration = .seconds(30)
  ) async throws -> Answer {
    let slots = self.slots(channels, cursor)
    try Task.checkCancellation()
    if timeout <= .zero { return read(slots, limit: limit, at: .now()) }
    return try await waiters.poll(slots, limit: limit, timeout: timeout)
  }

  /// What follows a cursor, without waiting.
  public func history(
    of channel: ChannelName, after slot: Cursor.Slot = .earliest, limit: ReadLimit = ReadLimit()
  ) async -> Answer {
    read([HubLoop.Slot(channel, ReadStart(slot))], limit: limit, at: .now())
  }

  /// All that comes on some channels, as a sequence that never ends by itself.
  ///
  /// It asks for more only when its reader does (that is its backpressure): a reader too slow for the log's bounds
  /// finds a gap, never a silent hole.
  ///
  /// `now` is when this is called: what is published before the first event is asked for comes too.
  public func subscribe(to channels: [ChannelName], from start: Cursor.Slot = .now) -> Subscription {
    subscribe(to: channels, after: Cursor(Array(repeating: start, count: channels.count)))
  }

  /// Goes on where a cursor left off; see ``Subscription/AsyncIterator/cursor``.
  public func subscribe(to channels: [ChannelName], after cursor: Cursor) -> Subscription {
    // A cursor of positions is what loses nothing: `now` would be another moment each time it is read.
    var fixed = cursor
    for (index, slot) in slots(channels, cursor).enumerated() where slot.start == .now {
      fixed.slots[index] = .after(core.store.read(slot.channel, from: .now, limit: ReadLimit(), at: .now()).next)
    }
    return Subscription(hub: self, channels: channels, cursor: fixed)
  }

  /// What follows some starts, without waiting. For drivers; others have ``poll(_:after:limit:timeout:)``.
  public func read(_ slots: [HubLoop.Slot], limit: ReadLimit, at moment: Moment) -> Answer {
    Answer(slots.map { core.store.read($0.channel, from: $0.start, limit: limit, at: moment) }, limit: limit)
  }

  private func slots(_ channels: [ChannelName], _ cursor: Cursor) -> [HubLoop.Slot] {
    precondition(!channels.isEmpty && Set(channels).count == channels.count, "at least one channel, and each once")
    precondition(cursor.slots.count == channels.count, "the cursor has a slot for each channel")
    return zip(channels, cursor.slots).map { HubLoop.Slot($0, ReadStart($1)) }
  }

  // MARK: Channels

  /// The state of a channel; nil where it has neither a log nor a held poll.
  public func channel(_ channel: ChannelName, at moment: Moment = .now()) -> ChannelSummary? {
    let held = core.held(channel)
    if let log = core.store.summary(channel, at: moment) {
      return ChannelSummary(channel: channel, log: log, held: held)
    }
    if held == 0 { return nil }
    let head = core.store.read(channel, from: .now, limit: ReadLimit(), at: moment).next
    let log = LogSummary(head: head, oldest: nil, timestamp: Timestamp(microseconds: 0), count: 0, bytes: 0)
    return ChannelSummary(channel: channel, log: log, held: held)
  }

  /// The first channels, by name, that have a log or a held poll.
  ///
  /// It looks at every channel, but sorts only what the page needs.
  ///
  /// - Parameters:
  ///   - previous: Only those behind this one.
  ///   - prefix: Only those whose names begin so.
  ///   - limit: At most so many.
  public func channels(after previous: ChannelName? = nil, prefix: String = "", limit: Int = .max) -> [ChannelName] {
    channelList(after: previous, prefix: prefix, limit: limit).names
  }

  /// The same, and how many channels were looked at for it, which is what it costs.
  package func channelList(after previous: ChannelName?, prefix: String, limit: Int) -> (
    names: [ChannelName], seen: Int
  ) {
    var page: [ChannelName] = []
    var seen = 0
    func trim() {
      page.sort()
      var last: ChannelName?
      page.removeAll { name in
        defer { last = name }
        return name == last
      }
      if page.count > limit { page.removeLast(page.count - limit) }
    }
    for names in [core.store.channels(), core.waitedOn()] {
      seen += names.count
      for name in names where (previous.map { $0 < name } ?? true) && name.text.hasPrefix(prefix) {
        page.append(name)
        if limit < .max / 4 && page.count >= 4 * limit + 64 { trim() }
      }
    }
    trim()
    return (page, seen)
  }

  /// Ends the life of a channel's log. Who polls with a cursor of it is told `reset`; polls held on it, at once.
  /// False where there was no log.
  @discardableResult
  public func delete(_ channel: ChannelName) -> Bool { core.delete(channel) }

  // MARK: Upkeep

  /// Drops what has expired, a part of the logs each second, until the task is cancelled.
  public func run() async {
    while !Task.isCancelled {
      core.sweep(share: 1.0 / 16, at: .now())
      try? await Task.sleep(for: .seconds(1))
    }
  }
}

/// What a publisher is told.
public struct Receipt: Hashable, Sendable {
  public var id: Position
  public var timestamp: Timestamp
  /// Whether an earlier publish under the same idempotency key gave this id.
  public var isRepeated: Bool
  /// Polls that were held on the channel at that moment.
  public var subscribers: Int

  init(_ appended: Appended, subscribers: Int) {
    id = appended.id
    timestamp = appended.timestamp
    isRepeated = appended.isRepeated
    self.subscribers = subscribers
  }
}

/// The state of one channel.
public struct ChannelSummary: Hashable, Sendable {
  public var channel: ChannelName
  public var log: LogSummary
  /// Polls held on it.
  public var held: Int
}
