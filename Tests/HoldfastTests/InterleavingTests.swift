import Synchronization
import Testing

@testable import Holdfast

/// A store that lets a test act at one point of an operation, as another thread might.
private final class InterruptedStore: Store {
  private struct Interruption {
    var readsUntil = -1
    var afterRead: (@Sendable () -> Void)?
    var beforeAppend: (@Sendable () -> Void)?
    var beforeReads: (@Sendable () -> Void)?
  }

  private let inner = MemoryStore()
  private let interruption = Mutex(Interruption())

  func interruptAfterRead(_ number: Int, _ body: @escaping @Sendable () -> Void) {
    interruption.withLock { $0 = Interruption(readsUntil: number, afterRead: body) }
  }

  func interruptBeforeAppend(_ body: @escaping @Sendable () -> Void) {
    interruption.withLock { $0 = Interruption(beforeAppend: body) }
  }

  func interruptBeforeReads(_ body: @escaping @Sendable () -> Void) {
    interruption.withLock { $0 = Interruption(beforeReads: body) }
  }

  func append(_ draft: Draft, to channel: ChannelName, at moment: Moment) throws(PublishError) -> Appended {
    let body = interruption.withLock { interruption in
      defer { interruption.beforeAppend = nil }
      return interruption.beforeAppend
    }
    body?()
    return try inner.append(draft, to: channel, at: moment)
  }

  func read(_ channel: ChannelName, from start: ReadStart, limit: ReadLimit, at moment: Moment) -> Page {
    interruption.withLock { $0.beforeReads }?()
    let page = inner.read(channel, from: start, limit: limit, at: moment)
    let body = interruption.withLock { interruption -> (@Sendable () -> Void)? in
      interruption.readsUntil -= 1
      if interruption.readsUntil != 0 { return nil }
      defer { interruption.afterRead = nil }
      return interruption.afterRead
    }
    body?()
    return page
  }

  func summary(_ channel: ChannelName, at moment: Moment) -> LogSummary? { inner.summary(channel, at: moment) }
  func channels() -> [ChannelName] { inner.channels() }
  func delete(_ channel: ChannelName) -> Bool { inner.delete(channel) }
  func sweep(share: Double, at moment: Moment, isWaitedOn: (ChannelName) -> Bool) {
    inner.sweep(share: share, at: moment, isWaitedOn: isWaitedOn)
  }
}

/// The races that matter, one by one and without a race: what the other thread does is done at the worst point.
@Suite struct InterleavingTests {
  private let store = InterruptedStore()
  private let core: HubCore

  init() { core = HubCore(store: store, limits: .none) }

  @Test(arguments: 1...2) func `A message that comes right after any read of a poll is not missed`(read: Int) {
    let wakes = Mutex(0)
    var loop = HubLoop(core: core) { wakes.withLock { $0 += 1 } }
    let core = core
    store.interruptAfterRead(read) {
      _ = try? core.publish(Draft(json("1")), to: news, from: nil, at: at(0))
    }
    // An earlier position, so that it does not matter which read finds the message.
    let slots: [HubLoop.Slot] = [.init(news, .earliest), .init(sport, .earliest)]
    var answer: Answer?
    switch loop.poll(0, on: slots, limit: ReadLimit(), holder: nil, at: at(0)) {
    case .answer(let found): answer = found
    case .held:
      #expect(wakes.withLock { $0 } == 1)
      answer = loop.collect(at: at(0))?.byToken[0]
    case .refused: break
    }
    #expect(answer?.texts == ["1"])
  }

  @Test func `Who sees a poll held and publishes then is heard by it, although it asked for what is new`() {
    var loop = HubLoop(core: core) {}
    let core = core
    let seen = Mutex(false)
    store.interruptBeforeReads {
      let isFirst = seen.withLock { seen in
        if seen || core.held(news) == 0 { return false }
        seen = true
        return true
      }
      if isFirst { _ = try? core.publish(Draft(json("1")), to: news, from: nil, at: at(0)) }
    }
    let outcome = loop.poll(0, on: [.init(news, .now)], limit: ReadLimit(), holder: nil, at: at(0))
    let answer = outcome.answer ?? loop.collect(at: at(0))?.byToken[0]
    #expect(seen.withLock { $0 } && answer?.texts == ["1"])
  }

  @Test func `A message that comes right after a waiter was found not concerned is not missed`() throws {
    let wakes = Mutex(0)
    var loop = HubLoop(core: core) { wakes.withLock { $0 += 1 } }
    let since = ReadStart.since(Timestamp(microseconds: at(5).unix))
    #expect(loop.poll(0, on: [.init(news, since)], limit: ReadLimit(), holder: nil, at: at(0)).isHeld)
    _ = try core.publish(Draft(json("1")), to: news, from: nil, at: at(1))
    let core = core
    store.interruptAfterRead(1) {
      _ = try? core.publish(Draft(json("6")), to: news, from: nil, at: at(6))
    }
    var answer = loop.collect(at: at(6))?.byToken[0]
    if answer == nil && wakes.withLock({ $0 }) == 2 { answer = loop.collect(at: at(6))?.byToken[0] }
    #expect(answer?.texts == ["6"])
  }

  @Test func `A poll that begins while a message is appended is woken by it`() throws {
    let loop = LockedLoop(core)
    store.interruptBeforeAppend {
      loop.poll(at: at(0))
    }
    _ = try core.publish(Draft(json("1")), to: news, from: nil, at: at(0))
    #expect(loop.answer(at: at(0))?.texts == ["1"])
  }

  /// A loop that a closure can poll on.
  private final class LockedLoop: Sendable {
    private let loop: Mutex<Loop>
    private let wakes: Counter

    private final class Counter: Sendable { let count = Mutex(0) }
    private struct Loop: ~Copyable { var loop: HubLoop }

    init(_ core: HubCore) {
      let wakes = Counter()
      self.wakes = wakes
      loop = Mutex(Loop(loop: HubLoop(core: core) { wakes.count.withLock { $0 += 1 } }))
    }

    func poll(at moment: Moment) {
      let isHeld = loop.withLock {
        $0.loop.poll(0, on: [.init(news, .now)], limit: ReadLimit(), holder: nil, at: moment).isHeld
      }
      #expect(isHeld)
    }

    /// Its answer, if it was woken.
    func answer(at moment: Moment) -> Answer? {
      if wakes.count.withLock({ $0 }) == 0 { return nil }
      return loop.withLock { $0.loop.collect(at: moment)?.byToken[0] }
    }
  }
}
