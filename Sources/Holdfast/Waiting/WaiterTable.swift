/// The waiters of one loop: who waits on which channels, and after what. Owned by that loop, so it has no lock; flat
/// arrays with free lists, so a waiter is no object.
///
///     waiters[token] ──► link ──► link          one link a channel of the poll
///                         │        │
///     topics[i].first ──► link ⇄ link ⇄ ...     all waiters of one channel
struct WaiterTable: Sendable {
  struct Link: Sendable {
    /// The owner, or -1 on the free list.
    var token: Int32 = -1
    var topic: Int32 = -1
    /// Neighbours on the same channel; `next` also chains the free list.
    var next: Int32 = -1
    var previous: Int32 = -1
    /// The owner's link to its next channel.
    var sibling: Int32 = -1
    var start = ReadStart.now
  }

  struct Topic: Sendable {
    /// Where the channel's interest stands in the hub.
    var interest: Int32
    var first: Int32 = -1
    var last: Int32 = -1
    var count: Int32 = 0
    /// Whether there is news that its waiters have not been looked at for.
    var isDirty = false
  }

  struct Waiter: Sendable {
    /// -1 when this token waits for nothing.
    var firstLink: Int32 = -1
    private var messagesMax: UInt16 = 0
    private var bytesMax: Int32 = 0
    var place: ConnectionLimits.Place?

    /// How much its answer carries: at most 65,535 messages and 2 GiB, so that a row stays small.
    var limit: ReadLimit {
      get { ReadLimit(messages: Int(messagesMax), bytes: Int(bytesMax)) }
      set {
        messagesMax = UInt16(clamping: newValue.messages)
        bytesMax = Int32(clamping: newValue.bytes)
      }
    }
  }

  private(set) var waiters: ContiguousArray<Waiter> = []
  private(set) var links: ContiguousArray<Link> = []
  private(set) var topics = RecyclingTable<ChannelName, Topic>()
  private var freeLink: Int32 = -1
  private(set) var count = 0

  func isWaiting(_ token: Int32) -> Bool { Int(token) < waiters.count && waiters[Int(token)].firstLink >= 0 }

  /// Lets `token` wait on channels, each from its start. It must not be waiting yet.
  mutating func add(
    _ token: Int32, on slots: [HubLoop.Slot], limit: ReadLimit, place: ConnectionLimits.Place?
  ) {
    while waiters.count <= Int(token) { waiters.append(Waiter()) }
    precondition(waiters[Int(token)].firstLink < 0, "token \(token) waits already")
    var previous: Int32 = -1
    for slot in slots {
      let topic = topic(slot)
      let link = makeLink()
      let last = topics[topic].last
      links[Int(link)] = Link(token: token, topic: topic, next: -1, previous: last, sibling: -1, start: slot.start)
      if last >= 0 { links[Int(last)].next = link } else { topics[topic].first = link }
      topics[topic].last = link
      topics[topic].count += 1
      if previous >= 0 { links[Int(previous)].sibling = link } else { waiters[Int(token)].firstLink = link }
      previous = link
    }
    waiters[Int(token)].limit = limit
    waiters[Int(token)].place = place
    count += 1
  }

  /// Ends the wait of `token` and says which channels it waited on.
  mutating func remove(
    _ token: Int32, leaving: (_ channel: ChannelName, _ interest: Int32) -> Void
  ) -> ConnectionLimits.Place? {
    var link = waiters[Int(token)].firstLink
    let place = waiters[Int(token)].place
    waiters[Int(token)] = Waiter()
    count -= 1
    while link >= 0 {
      let old = links[Int(link)]
      let topic = old.topic
      leaving(topics.key(at: topic), topics[topic].interest)
      if old.previous >= 0 { links[Int(old.previous)].next = old.next } else { topics[topic].first = old.next }
      if old.next >= 0 { links[Int(old.next)].previous = old.previous } else { topics[topic].last = old.previous }
      topics[topic].count -= 1
      if topics[topic].count == 0 { topics.leave(topic) }
      links[Int(link)] = Link(next: freeLink)
      freeLink = link
      link = old.sibling
    }
    if count == 0 { releaseMemory() }
    return place
  }

  /// The channels `token` waits on, and from where.
  func slots(of token: Int32) -> [HubLoop.Slot] {
    var slots: [HubLoop.Slot] = []
    var link = waiters[Int(token)].firstLink
    while link >= 0 {
      let topic = links[Int(link)].topic
      var slot = HubLoop.Slot(topics.key(at: topic), links[Int(link)].start)
      slot.interest = topics[topic].interest
      slots.append(slot)
      link = links[Int(link)].sibling
    }
    return slots
  }

  /// Notes news on a channel. True when it has waiters here and they were not noted already.
  mutating func markDirty(_ channel: ChannelName) -> Int32? {
    guard let topic = topics.usedIndex(of: channel), !topics[topic].isDirty else { return nil }
    topics[topic].isDirty = true
    return topic
  }

  /// Takes the note back, before its waiters are looked at. False where the last of them has gone in the meantime,
  /// perhaps with the whole table.
  mutating func takeDirty(_ topic: Int32) -> Bool {
    if !topics.isUsed(topic) || !topics[topic].isDirty { return false }
    topics[topic].isDirty = false
    return true
  }

  private mutating func topic(_ slot: HubLoop.Slot) -> Int32 {
    let index = topics.index(of: slot.channel)
    if let index, topics.isUsed(index) { return index }
    return topics.use(slot.channel, at: index, Topic(interest: slot.interest))
  }

  private mutating func makeLink() -> Int32 {
    if freeLink >= 0 {
      let link = freeLink
      freeLink = links[Int(link)].next
      return link
    }
    links.append(Link())
    return Int32(links.count - 1)
  }

  /// When nobody waits any more, what a crowd needed is given back.
  private mutating func releaseMemory() {
    if links.count < 1024 { return }
    waiters = []
    links = []
    freeLink = -1
  }
}
