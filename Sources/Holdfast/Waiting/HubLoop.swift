import Synchronization

/// The part of a hub that one event loop, or one thread, owns: its waiters.
///
/// The driver of the loop names each connection by a small integer, its *token*, and hands in polls; it gets an answer
/// at once, or the token is held. When the loop is woken, or at the end of a turn that published, the driver calls
/// ``collect(into:at:)`` and sends each token its answer. Time-outs and disconnects are the driver's to notice.
///
/// Nothing here is shared, so nothing is locked; only what crosses loops (the log, the interest, the limits) is, for one
/// operation each. A waiter is a row in an array, not an object.
public struct HubLoop: ~Copyable {
  /// One channel of a poll and where its reading starts.
  public struct Slot: Hashable, Sendable {
    public var channel: ChannelName
    public var start: ReadStart
    /// Where the channel's interest stands, once registered.
    var interest: Int32 = -1

    public init(_ channel: ChannelName, _ start: ReadStart) {
      self.channel = channel
      self.start = start
    }
  }

  public enum Outcome: Sendable {
    /// There was something to tell.
    case answer(Answer)
    /// The token waits; its answer comes from ``collect(into:at:)`` or ``timeOut(_:at:)``.
    case held
    case refused(HoldRefusal)
  }

  /// Answers that have become due, each for any number of tokens. To be kept and filled again, so that its memory is.
  public struct Batch: Sendable {
    public struct Delivery: Sendable {
      /// A token that is no longer held.
      public var token: Int32
      /// The index of its answer.
      public var answer: Int32
    }

    public internal(set) var answers: [Answer] = []
    public internal(set) var deliveries: [Delivery] = []
    fileprivate var places: [ConnectionLimits.Place] = []

    public init() {}

    /// What a crowd needed is given back.
    fileprivate static let keptMax = 1024

    fileprivate mutating func clear() {
      if answers.capacity > Batch.keptMax { answers = [] }
      while answers.popLast() != nil {}
      deliveries.removeAll(keepingCapacity: deliveries.capacity <= Batch.keptMax)
    }
  }

  let core: HubCore
  private let mailbox: Mailbox
  private var table = WaiterTable()
  private var dirty: [Int32] = []

  /// - Parameters:
  ///   - hub: Whose waiters these are.
  ///   - wake: Called on any thread when there is news for this loop, at most once until it collects.
  public init(hub: Hub, wake: @escaping @Sendable () -> Void) { self.init(core: hub.core, wake: wake) }

  init(core: HubCore, wake: @escaping @Sendable () -> Void) {
    self.core = core
    mailbox = core.attach(wake: wake)
  }

  deinit {
    for token in table.waiters.indices where table.isWaiting(Int32(token)) {
      leave(table.slots(of: Int32(token))[...])
      giveBack(table.waiters[token].place)
    }
    core.detach(mailbox)
  }

  /// How many polls are held here.
  public var heldCount: Int { table.count }

  /// Whether ``collect(into:at:)`` has something to look at that this loop noted itself.
  public var hasNews: Bool { !dirty.isEmpty }

  public func isHeld(_ token: Int32) -> Bool { table.isWaiting(token) }

  // MARK: Polling

  /// Answers a poll, or holds it under `token`, which must not be held yet.
  ///
  /// Reading and becoming a waiter are one step as far as anybody can tell: the interest is registered before the log is
  /// read, so a message that the read did not see wakes this loop. A poll that finds something is answered even where a
  /// limit is reached, since it counts for nothing. What `now` is is settled before the poll counts as held: who sees it
  /// held and publishes then is sure to be heard.
  public mutating func poll(
    _ token: Int32, on slots: consuming [Slot], limit: ReadLimit, holder: Holder?, at moment: Moment
  ) -> Outcome {
    for index in slots.indices where slots[index].start == .now {
      let page = core.store.read(slots[index].channel, from: .now, limit: limit, at: moment)
      slots[index].start = .after(page.next)
    }
    var registered = 0
    while registered < slots.count,
      let interest = core.register(slots[registered].channel, loop: mailbox.index)
    {
      slots[registered].interest = interest
      registered += 1
    }
    var isEmpty = true
    var pages: [Page] = []
    for index in slots.indices {
      let page = core.store.read(slots[index].channel, from: slots[index].start, limit: limit, at: moment)
      isEmpty = isEmpty && page.isEmpty
      if slots.count > 1 || !page.isEmpty { pages.append(page) }
      // A timestamp stays one: it may lie ahead of the log, and what comes before it does not count.
      if case .since = slots[index].start { continue }
      slots[index].start = .after(page.next)
    }
    if !isEmpty {
      leave(slots[..<registered])
      return .answer(Answer(pages, limit: limit))
    }
    if registered < slots.count {
      leave(slots[..<registered])
      return .refused(.channel)
    }
    var place: ConnectionLimits.Place?
    if let holder {
      switch core.limits.withLock({ $0.take(holder) }) {
      case .success(let taken): place = taken
      case .failure(let refusal):
        leave(slots[...])
        return .refused(refusal)
      }
    }
    table.add(token, on: slots, limit: limit, place: place)
    return .held
  }

  private func leave(_ slots: ArraySlice<Slot>) {
    for slot in slots { core.leave(slot.channel, slot.interest, count: 1) }
  }

  /// Ends the wait of `token`, if it is held: its client has gone.
  public mutating func cancel(_ token: Int32) {
    if table.isWaiting(token) { remove(token) }
  }

  /// Ends the wait of `token`, if it is held, and gives its answer, which is nearly always empty: a cursor as good as
  /// the one it came with.
  public mutating func timeOut(_ token: Int32, at moment: Moment) -> Answer? {
    guard table.isWaiting(token) else { return nil }
    let slots = table.slots(of: token)
    let limit = table.waiters[Int(token)].limit
    remove(token)
    return Answer(slots.map { core.store.read($0.channel, from: $0.start, limit: limit, at: moment) }, limit: limit)
  }

  // MARK: Publishing

  /// Publishes from this loop. Its own waiters are noted for the next ``collect(into:at:)`` without a wake-up.
  public mutating func publish(
    _ draft: Draft, to channel: ChannelName, at moment: Moment
  ) throws(PublishError) -> Receipt {
    let (receipt, concernsThisLoop) = try core.publish(draft, to: channel, from: mailbox.index, at: moment)
    if concernsThisLoop { note(channel) }
    return receipt
  }

  private mutating func note(_ channel: ChannelName) {
    if let topic = table.markDirty(channel) { dirty.append(topic) }
  }

  // MARK: Delivering

  /// Takes from their wait all whom news concerns.
  /// - Parameters:
  ///   - batch: Its contents are replaced.
  ///   - moment: Now.
  /// - Returns: Whether there are any.
  public mutating func collect(into batch: inout Batch, at moment: Moment) -> Bool {
    batch.clear()
    for channel in mailbox.takeNews() { note(channel) }
    while let index = dirty.popLast() {
      guard table.takeDirty(index) else { continue }
      if collect(index, into: &batch, at: moment) { continue }
      // Some waiters were not concerned. They ask to be told again, and look once more, as a poll does.
      core.renew(table.topics.key(at: index), table.topics[index].interest, loop: mailbox.index)
      _ = collect(index, into: &batch, at: moment)
    }
    if !batch.places.isEmpty {
      core.limits.withLock { for place in batch.places { $0.giveBack(place) } }
      batch.places.removeAll(keepingCapacity: batch.places.capacity <= Batch.keptMax)
    }
    return !batch.deliveries.isEmpty
  }

  /// Goes through the waiters of one channel; true when all of them were concerned. Waiters with the same cursor share
  /// one read of the log and one answer.
  private mutating func collect(_ index: Int32, into batch: inout Batch, at moment: Moment) -> Bool {
    let channel = table.topics.key(at: index)
    let topic = table.topics[index]
    var recent: [(start: ReadStart, limit: ReadLimit, answer: Int32?)] = []
    var link = topic.first
    var left = 0
    var taken = 0
    while link >= 0 {
      let entry = table.links[Int(link)]
      let limit = table.waiters[Int(entry.token)].limit
      let isAlone = table.waiters[Int(entry.token)].firstLink == link && entry.sibling < 0
      let answer: Int32?
      if isAlone, let same = recent.last(where: { $0.limit == limit && $0.start == entry.start }) {
        answer = same.answer
      } else {
        if let due = isAlone ? read(channel, entry.start, limit, moment) : read(entry.token, limit, moment) {
          answer = Int32(batch.answers.count)
          batch.answers.append(due)
        } else {
          answer = nil
        }
        if isAlone && topic.count > 1 {
          if recent.count == 8 { recent.removeFirst() }
          recent.append((entry.start, limit, answer))
        }
      }
      link = entry.next
      guard let answer else {
        left += 1
        continue
      }
      batch.deliveries.append(Batch.Delivery(token: entry.token, answer: answer))
      taken += 1
      let shared = core
      let place = table.remove(entry.token) { other, interest in
        if other != channel { shared.leave(other, interest, count: 1) }
      }
      if let place { batch.places.append(place) }
    }
    if taken > 0 { core.leave(channel, topic.interest, count: taken) }
    return left == 0
  }

  /// What a waiter on one channel is to be told; nil where that is nothing.
  private func read(_ channel: ChannelName, _ start: ReadStart, _ limit: ReadLimit, _ moment: Moment) -> Answer? {
    let page = core.store.read(channel, from: start, limit: limit, at: moment)
    return page.isEmpty ? nil : Answer(page)
  }

  /// The same for one on several.
  private func read(_ token: Int32, _ limit: ReadLimit, _ moment: Moment) -> Answer? {
    let pages = table.slots(of: token).map { core.store.read($0.channel, from: $0.start, limit: limit, at: moment) }
    return pages.contains { !$0.isEmpty } ? Answer(pages, limit: limit) : nil
  }

  private mutating func remove(_ token: Int32) {
    let shared = core
    giveBack(table.remove(token) { shared.leave($0, $1, count: 1) })
  }

  private func giveBack(_ place: ConnectionLimits.Place?) {
    if let place { core.limits.withLock { $0.giveBack(place) } }
  }
}
