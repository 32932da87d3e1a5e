import Synchronization

/// What the loops of a hub share: the store, who is interested in what, the limits, and the way to one another.
final class HubCore: Sendable {
  /// Interest is a bit a loop in a 64-bit word.
  static let loopsMax = 64

  let store: any Store
  let limits: Mutex<ConnectionLimits>
  private let perChannelMax: Int
  private let interests: Sharded<InterestTable>
  private let mailboxes = Mutex<[Mailbox?]>([])

  init(store: any Store, limits: HoldLimits) {
    self.store = store
    self.limits = Mutex(ConnectionLimits(limits: limits))
    perChannelMax = limits.perChannelMax
    interests = Sharded { InterestTable() }
  }

  // MARK: Loops

  func attach(wake: @escaping @Sendable () -> Void) -> Mailbox {
    mailboxes.withLock { mailboxes in
      let index = mailboxes.firstIndex { $0 == nil } ?? mailboxes.count
      precondition(index < HubCore.loopsMax, "a hub has at most \(HubCore.loopsMax) loops")
      let mailbox = Mailbox(index: index, wake: wake)
      if index == mailboxes.count { mailboxes.append(mailbox) } else { mailboxes[index] = mailbox }
      return mailbox
    }
  }

  func detach(_ mailbox: Mailbox) { mailboxes.withLock { $0[mailbox.index] = nil } }

  // MARK: Interest

  func register(_ channel: ChannelName, loop: Int) -> Int32? {
    interests[channel].withLock { $0.register(channel, loop: loop, max: perChannelMax) }
  }

  /// - Parameter interest: What ``register(_:loop:)`` gave.
  func leave(_ channel: ChannelName, _ interest: Int32, count: Int) {
    interests[channel].withLock { $0.leave(interest, count: count) }
  }

  /// - Parameter interest: What ``register(_:loop:)`` gave; a poll of this loop is held still.
  func renew(_ channel: ChannelName, _ interest: Int32, loop: Int) {
    interests[channel].withLock { $0.renew(interest, loop: loop) }
  }

  func held(_ channel: ChannelName) -> Int { interests[channel].withLock { $0.held(channel) } }

  func waitedOn() -> [ChannelName] {
    var names: [ChannelName] = []
    for interest in interests.all { interest.withLock { $0.collectNames(into: &names) } }
    return names
  }

  // MARK: News

  /// Appends, then tells every loop that has waiters on the channel, but for the one that publishes: whether it has is
  /// returned.
  func publish(
    _ draft: Draft, to channel: ChannelName, from loop: Int?, at moment: Moment
  ) throws(PublishError) -> (Receipt, concernsPublisher: Bool) {
    let appended = try store.append(draft, to: channel, at: moment)
    if appended.isRepeated { return (Receipt(appended, subscribers: held(channel)), false) }
    let (loops, held) = interests[channel].withLock { $0.take(channel) }
    let own: UInt64 = loop.map { 1 << UInt64($0) } ?? 0
    tell(loops & ~own, channel)
    return (Receipt(appended, subscribers: held), loops & own != 0)
  }

  /// Ends a log's life and tells those who wait on it.
  func delete(_ channel: ChannelName) -> Bool {
    if !store.delete(channel) { return false }
    tell(interests[channel].withLock { $0.take(channel) }.loops, channel)
    return true
  }

  private func tell(_ loops: UInt64, _ channel: ChannelName) {
    if loops == 0 { return }
    var rest = loops
    while rest != 0 {
      let index = rest.trailingZeroBitCount
      rest &= rest - 1
      // Outside the lock: a wake-up may run the loop's turn on this thread.
      mailboxes.withLock { $0[index] }?.post(channel)
    }
  }

  func sweep(share: Double, at moment: Moment) {
    store.sweep(share: share, at: moment) { held($0) > 0 }
  }
}
