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
    var channel: ChannelName
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
  private(set) var topics: ContiguousArray<Topic?> = []
  private var freeLink: Int32 = -1
  private var freeTopics: [Int32] = []
  private var names: [ChannelName: Int32] = [:]
  private(set) var count = 0

  func isWaiting(_ token: Int32) -> Bool { Int(token) < waiters.count && waiters[Int(token)].firstLink >= 0 }

  func topic(of channel: ChannelName) -> Int32? { names[channel] }

  /// Lets `token` wait on channels, each from its start. It must not be waiting yet.
  mutating func add(
    _ token: Int32, on slots: [HubLoop.Slot], limit: ReadLimit, place: ConnectionLimits.Place?
  ) {
    while waiters.count <= Int(token) { waiters.append(Waiter()) }
    precondition(waiters[Int(token)].firstLink < 0, "token \(token) waits already")
    var previous: Int32 = -1
    for slot in slots {
      let topic = names[slot.channel] ?? makeTopic(slot.channel)
      let link = makeLink()
      let last = topics[Int(topic)]!.last
      links[Int(link)] = Link(token: token, topic: topic, next: -1, previous: last, sibling: -1, start: slot.start)
      if last >= 0 { links[Int(last)].next = link } else { topics[Int(topic)]!.first = link }
      topics[Int(topic)]!.last = link
      topics[Int(topic)]!.count += 1
      if previous >= 0 { links[Int(previous)].sibling = link } else { waiters[Int(token)].firstLink = link }
      previous = link
    }
    waiters[Int(token)].limit = limit
    waiters[Int(token)].place = place
    count += 1
  }

  /// Ends the wait of `token` and says which channels it waited on.
  mutating func remove(_ token: Int32, leaving: (ChannelName) -> Void) -> ConnectionLimits.Place? {
    var link = waiters[Int(token)].firstLink
    let place = waiters[Int(token)].place
    waiters[Int(token)] = Waiter()
    count -= 1
    while link >= 0 {
      let old = links[Int(link)]
      let topic = Int(old.topic)
      leaving(topics[topic]!.channel)
      if old.previous >= 0 { links[Int(old.previous)].next = old.next } else { topics[topic]!.first = old.next }
      if old.next >= 0 { links[Int(old.next)].previous = old.previous } else { topics[topic]!.last = old.previous }
      topics[topic]!.count -= 1
      if topics[topic]!.count == 0 { removeTopic(old.topic) }
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
      slots.append(HubLoop.Slot(topics[Int(links[Int(link)].topic)]!.channel, links[Int(link)].start))
      link = links[Int(link)].sibling
    }
    return slots
  }

  /// Notes news on a channel. True when it has waiters here and they were not noted already.
  mutating func markDirty(_ channel: ChannelName) -> Int32? {
    guard let topic = names[channel], !topics[Int(topic)]!.isDirty else { return nil }
    topics[Int(topic)]!.isDirty = true
    return topic
  }

  /// Takes the note back, before its waiters are looked at. nil where the last of them has gone in the meantime, perhaps
  /// with the whole table.
  mutating func takeDirty(_ topic: Int32) -> Topic? {
    guard Int(topic) < topics.count, let found = topics[Int(topic)], found.isDirty else { return nil }
    topics[Int(topic)]!.isDirty = false
    return found
  }

  private mutating func makeTopic(_ channel: ChannelName) -> Int32 {
    let index: Int32
    if let reused = freeTopics.popLast() {
      index = reused
      topics[Int(index)] = Topic(channel: channel)
    } else {
      index = Int32(topics.count)
      topics.append(Topic(channel: channel))
    }
    names[channel] = index
    return index
  }

  private mutating func removeTopic(_ index: Int32) {
    names[topics[Int(index)]!.channel] = nil
    topics[Int(index)] = nil
    freeTopics.append(index)
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
    topics = []
    freeLink = -1
    freeTopics = []
    names = [:]
  }
}
