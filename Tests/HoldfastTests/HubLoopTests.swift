import Synchronization
import Testing

@testable import Holdfast

@Suite struct HubLoopTests {
  private let hub = Hub(limits: HoldLimits(perClientMax: 3, perAddressMax: 5, perChannelMax: 8, totalMax: 6))
  private let limit = ReadLimit()

  private func publish(_ text: String, to channel: ChannelName = news, ttl: Duration? = nil, at moment: Moment = at(0))
  {
    #expect(throws: Never.self) {
      try hub.core.publish(Draft(json(text), ttl: ttl), to: channel, from: nil, at: moment)
    }
  }

  private func holder(_ client: UInt128, address: UInt128 = 1) -> Holder {
    Holder(address: address << 64, client: client)
  }

  private func expectNothingHeld(on channels: [ChannelName] = [news, sport, weather]) {
    #expect(channels.map { hub.core.held($0) }.allSatisfy { $0 == 0 } && hub.core.waitedOn().isEmpty)
    #expect(hub.core.limits.withLock { $0.total + $0.keyCount } == 0)
  }

  // MARK: Holding

  @Test func `A poll with nothing to read is held and answered by the next message`() throws {
    let wakes = Mutex(0)
    var loop = HubLoop(hub: hub) { wakes.withLock { $0 += 1 } }
    #expect(loop.poll(4, on: [.init(news, .now)], limit: limit, holder: holder(1), at: at(0)).isHeld)
    #expect(loop.isHeld(4) && loop.heldCount == 1 && hub.core.held(news) == 1)
    #expect(loop.collect(at: at(0)) == nil)
    publish("1")
    publish("2")
    #expect(wakes.withLock { $0 } == 1)
    let batch = loop.collect(at: at(0))
    #expect(batch?.byToken[4]?.texts == ["1", "2"])
    #expect(!loop.isHeld(4) && loop.heldCount == 0)
    expectNothingHeld()
  }

  @Test func `A poll that finds something is answered at once and counts for nothing`() {
    var loop = HubLoop(hub: hub) {}
    publish("1")
    let answer = loop.poll(0, on: [.init(news, .earliest)], limit: limit, holder: holder(1), at: at(0)).answer
    #expect(answer?.texts == ["1"])
    expectNothingHeld()
  }

  @Test func `A poll that finds something is answered even where no more may be held`() {
    var loop = HubLoop(hub: hub) {}
    publish("1", to: sport)
    for token: Int32 in 0..<3 {
      #expect(loop.poll(token, on: [.init(news, .now)], limit: limit, holder: holder(1), at: at(0)).isHeld)
    }
    #expect(loop.poll(3, on: [.init(news, .now)], limit: limit, holder: holder(1), at: at(0)).refusal == .client)
    #expect(
      loop.poll(3, on: [.init(sport, .earliest)], limit: limit, holder: holder(1), at: at(0)).answer?.texts == ["1"])
  }

  @Test func `The cursor of a timeout is as good as the one that came`() {
    var loop = HubLoop(hub: hub) {}
    #expect(
      loop.poll(0, on: [.init(news, .now), .init(sport, .earliest)], limit: limit, holder: nil, at: at(0)).isHeld)
    let answer = loop.timeOut(0, at: at(30))
    #expect(answer?.isEmpty == true && loop.timeOut(0, at: at(30)) == nil)
    expectNothingHeld()
    publish("1", to: sport, at: at(31))
    publish("2", to: news, at: at(32))
    let slots = zip([news, sport], answer?.cursor.starts ?? []).map { HubLoop.Slot($0, $1) }
    #expect(loop.poll(0, on: slots, limit: limit, holder: nil, at: at(33)).answer?.texts == ["1", "2"])
  }

  @Test func `A timeout that comes together with a message gives it`() {
    var loop = HubLoop(hub: hub) {}
    #expect(loop.poll(0, on: [.init(news, .now)], limit: limit, holder: nil, at: at(0)).isHeld)
    publish("1")
    #expect(loop.timeOut(0, at: at(30))?.texts == ["1"])
    #expect(loop.collect(at: at(30)) == nil)
  }

  @Test func `Nothing between polls is lost`() {
    var loop = HubLoop(hub: hub) {}
    var start = ReadStart.now
    #expect(loop.poll(0, on: [.init(news, start)], limit: limit, holder: nil, at: at(0)).isHeld)
    publish("1")
    start = loop.collect(at: at(0))?.byToken[0]?.cursor.starts[0] ?? .now
    publish("2")
    publish("3")
    let answer = loop.poll(0, on: [.init(news, start)], limit: limit, holder: nil, at: at(0)).answer
    #expect(answer?.texts == ["2", "3"])
    // A lost answer costs nothing: the same cursor gives the same again.
    #expect(loop.poll(0, on: [.init(news, start)], limit: limit, holder: nil, at: at(0)).answer == answer)
  }

  // MARK: Sharing

  @Test func `Waiters with one cursor share one answer and others get theirs`() {
    var loop = HubLoop(hub: hub) {}
    publish("0")
    let ahead = hub.core.store.read(news, from: .now, limit: limit, at: at(0)).next
    for token: Int32 in 0..<3 {
      #expect(loop.poll(token, on: [.init(news, .after(ahead))], limit: limit, holder: nil, at: at(0)).isHeld)
    }
    #expect(loop.poll(3, on: [.init(news, .now)], limit: ReadLimit(messages: 1), holder: nil, at: at(0)).isHeld)
    #expect(loop.poll(4, on: [.init(news, .now)], limit: ReadLimit(bytes: 2), holder: nil, at: at(0)).isHeld)
    let since = Timestamp(microseconds: at(0).unix)
    #expect(loop.poll(5, on: [.init(news, .since(since))], limit: limit, holder: nil, at: at(0)).isHeld)
    for text in ["1", "2", "3"] { publish(text) }
    let batch = loop.collect(at: at(0))
    #expect(batch?.answers.count == 4)
    let answers = batch?.byToken ?? [:]
    for token: Int32 in [0, 1, 2, 5] { #expect(answers[token]?.texts == ["1", "2", "3"]) }
    #expect(answers[3]?.texts == ["1"] && answers[3]?.more == true)
    #expect(answers[4]?.texts == ["1", "2"] && answers[4]?.more == true)
    expectNothingHeld()
  }

  @Test func `A poll that timed out keeps its limit`() {
    var loop = HubLoop(hub: hub) {}
    #expect(
      loop.poll(0, on: [.init(news, .now)], limit: ReadLimit(messages: 9, bytes: 1), holder: nil, at: at(0)).isHeld)
    for text in ["1", "2", "3"] { publish(text) }
    #expect(loop.timeOut(0, at: at(0))?.texts == ["1"])
  }

  @Test func `A poll of several channels is answered once by any of them and leaves all`() {
    var loop = HubLoop(hub: hub) {}
    #expect(
      loop.poll(
        0, on: [.init(news, .now), .init(sport, .now), .init(weather, .now)], limit: limit, holder: nil, at: at(0)
      ).isHeld)
    #expect(loop.poll(1, on: [.init(sport, .now)], limit: limit, holder: nil, at: at(0)).isHeld)
    publish("s", to: sport)
    publish("w", to: weather)
    let batch = loop.collect(at: at(0))
    #expect(batch?.deliveries.count == 2)
    #expect(batch?.byToken[0]?.texts == ["s", "w"] && batch?.byToken[1]?.texts == ["s"])
    expectNothingHeld()
    #expect(loop.collect(at: at(0)) == nil)
  }

  @Test func `A message wakes nobody on another channel`() {
    var loop = HubLoop(hub: hub) { Issue.record("nothing of its own came") }
    #expect(loop.poll(0, on: [.init(news, .now)], limit: limit, holder: nil, at: at(0)).isHeld)
    publish("1", to: sport)
    #expect(loop.collect(at: at(0)) == nil && loop.isHeld(0))
  }

  @Test func `A waiter that a message does not concern keeps waiting and gets the next that does`() {
    let wakes = Mutex(0)
    var loop = HubLoop(hub: hub) { wakes.withLock { $0 += 1 } }
    let since = Timestamp(microseconds: at(10).unix)
    #expect(loop.poll(0, on: [.init(news, .since(since))], limit: limit, holder: nil, at: at(0)).isHeld)
    #expect(loop.poll(1, on: [.init(news, .now)], limit: limit, holder: nil, at: at(0)).isHeld)
    for second in 1...3 {
      publish("\(second)", at: at(Double(second)))
      #expect(loop.collect(at: at(Double(second)))?.byToken[0] == nil)
      #expect(loop.isHeld(0) && hub.core.held(news) == 1 && wakes.withLock { $0 } == second)
    }
    publish("11", at: at(11))
    #expect(loop.collect(at: at(11))?.byToken[0]?.texts == ["11"])
    expectNothingHeld()
  }

  @Test func `A loop publishes to its own waiters without a wake-up`() throws {
    var loop = HubLoop(hub: hub) { Issue.record("nobody else published") }
    #expect(loop.poll(0, on: [.init(news, .now)], limit: limit, holder: nil, at: at(0)).isHeld)
    #expect(loop.hasNews == false)
    let receipt = try loop.publish(Draft(json("1")), to: news, at: at(0))
    #expect(receipt.subscribers == 1 && !receipt.isRepeated && loop.hasNews)
    #expect(loop.collect(at: at(0))?.byToken[0]?.messages.map(\.id) == [receipt.id])
    #expect(loop.hasNews == false)
    #expect(try loop.publish(Draft(json("2")), to: news, at: at(0)).subscribers == 0)
    #expect(loop.hasNews == false)
  }

  @Test func `Loops hear of one another's messages and each only of what its waiters want`() throws {
    let woken = Mutex<[Int]>([])
    var one = HubLoop(hub: hub) { woken.withLock { $0.append(1) } }
    var two = HubLoop(hub: hub) { woken.withLock { $0.append(2) } }
    #expect(one.poll(0, on: [.init(news, .now)], limit: limit, holder: nil, at: at(0)).isHeld)
    #expect(two.poll(0, on: [.init(news, .now), .init(sport, .now)], limit: limit, holder: nil, at: at(0)).isHeld)
    #expect(try one.publish(Draft(json("1")), to: news, at: at(0)).subscribers == 2)
    #expect(woken.withLock { $0 } == [2])
    #expect(one.collect(at: at(0))?.byToken[0]?.texts == ["1"])
    #expect(two.collect(at: at(0))?.byToken[0]?.texts == ["1"])
    #expect(try one.publish(Draft(json("2")), to: sport, at: at(0)).subscribers == 0)
    #expect(woken.withLock { $0 } == [2])
  }

  // MARK: Leaving

  @Test func `Cancelling leaves nothing behind and the token can be used again`() {
    var loop = HubLoop(hub: hub) {}
    for round in 0..<3 {
      #expect(
        loop.poll(7, on: [.init(news, .now), .init(sport, .now)], limit: limit, holder: holder(1), at: at(0)).isHeld)
      loop.cancel(7)
      loop.cancel(7)
      loop.cancel(9999)
      #expect(loop.heldCount == 0)
      expectNothingHeld()
      publish("\(round)")
      #expect(loop.collect(at: at(0)) == nil)
    }
    #expect(loop.poll(7, on: [.init(weather, .now)], limit: limit, holder: holder(1), at: at(0)).isHeld)
    publish("w", to: weather)
    #expect(loop.collect(at: at(0))?.byToken[7]?.texts == ["w"])
    expectNothingHeld()
  }

  @Test func `News for waiters that have gone is for nobody`() {
    var loop = HubLoop(hub: hub) {}
    #expect(loop.poll(0, on: [.init(news, .now)], limit: limit, holder: nil, at: at(0)).isHeld)
    publish("1")
    loop.cancel(0)
    #expect(loop.poll(0, on: [.init(sport, .now)], limit: limit, holder: nil, at: at(0)).isHeld)
    #expect(loop.collect(at: at(0)) == nil && loop.isHeld(0))
  }

  @Test func `Deleting a channel answers its waiters with a reset`() {
    var loop = HubLoop(hub: hub) {}
    publish("1")
    #expect(loop.poll(0, on: [.init(news, .now)], limit: limit, holder: nil, at: at(0)).isHeld)
    #expect(loop.poll(1, on: [.init(sport, .now), .init(news, .now)], limit: limit, holder: nil, at: at(0)).isHeld)
    #expect(hub.delete(news) && !hub.delete(news))
    let answers = loop.collect(at: at(0))?.byToken ?? [:]
    for token: Int32 in 0...1 {
      #expect(answers[token]?.gaps == [Gap(channel: news, reason: .reset, missed: nil)])
      #expect(answers[token]?.messages.isEmpty == true)
    }
    expectNothingHeld()
    let slots = zip([sport, news], answers[1]?.cursor.starts ?? []).map { HubLoop.Slot($0, $1) }
    #expect(loop.poll(1, on: slots, limit: limit, holder: nil, at: at(0)).isHeld)
    publish("2")
    #expect(loop.collect(at: at(0))?.byToken[1]?.texts == ["2"])
  }

  @Test func `A refusal leaves no count behind`() {
    var loop = HubLoop(hub: hub) {}
    for token: Int32 in 0..<3 {
      #expect(loop.poll(token, on: [.init(news, .now)], limit: limit, holder: holder(1), at: at(0)).isHeld)
    }
    let before = hub.core.limits.withLock { [$0.total, $0.keyCount] }
    for _ in 0..<20 {
      #expect(loop.poll(9, on: [.init(sport, .now)], limit: limit, holder: holder(1), at: at(0)).refusal == .client)
    }
    for token: Int32 in 20..<25 {
      #expect(loop.poll(token, on: [.init(news, .now)], limit: limit, holder: nil, at: at(0)).isHeld)
    }
    #expect(hub.core.held(news) == 8)
    for _ in 0..<20 {
      // The second channel refuses when the place is taken and the first is counted.
      let refused = loop.poll(
        9, on: [.init(sport, .now), .init(news, .now)], limit: limit, holder: holder(2), at: at(0))
      #expect(refused.refusal == .channel && hub.core.held(sport) == 0)
    }
    #expect(hub.core.limits.withLock { [$0.total, $0.keyCount] } == before && loop.heldCount == 8)
    for token: Int32 in 30..<33 {
      #expect(loop.poll(token, on: [.init(sport, .now)], limit: limit, holder: holder(3, address: 2), at: at(0)).isHeld)
    }
    #expect(
      loop.poll(9, on: [.init(sport, .now)], limit: limit, holder: holder(4, address: 3), at: at(0)).refusal == .server)
    for token: Int32 in 0..<40 { loop.cancel(token) }
    expectNothingHeld()
  }

  @Test func `A loop that goes takes its waiters' counts along`() {
    do {
      var loop = HubLoop(hub: hub) {}
      #expect(
        loop.poll(0, on: [.init(news, .now), .init(sport, .now)], limit: limit, holder: holder(1), at: at(0)).isHeld)
      #expect(loop.poll(5, on: [.init(news, .now)], limit: limit, holder: holder(2), at: at(0)).isHeld)
    }
    expectNothingHeld()
    publish("1")
  }

  @Test func `A place for a loop is used again when the loop has gone`() {
    for _ in 0..<200 {
      var loop = HubLoop(hub: hub) {}
      #expect(loop.poll(0, on: [.init(news, .now)], limit: limit, holder: nil, at: at(0)).isHeld)
      publish("1")
      #expect(loop.collect(at: at(0))?.byToken[0]?.texts == ["1"])
    }
  }

  @Test func `A crowd on several channels with news goes at once`() {
    let hub = Hub(limits: .none)
    var loop = HubLoop(hub: hub) {}
    for round in 0..<3 {
      for token: Int32 in 0..<2000 {
        #expect(
          loop.poll(token, on: [.init(news, .now), .init(sport, .now)], limit: limit, holder: holder(1), at: at(0))
            .isHeld)
      }
      for channel in [news, sport] {
        #expect(throws: Never.self) { try loop.publish(Draft(json("\(round)")), to: channel, at: at(0)) }
      }
      #expect(loop.collect(at: at(0))?.deliveries.count == 2000)
      #expect(loop.heldCount == 0 && hub.core.waitedOn().isEmpty)
    }
    // And when a crowd disconnects while news of it is under way.
    for token: Int32 in 0..<2000 {
      #expect(loop.poll(token, on: [.init(news, .now)], limit: limit, holder: nil, at: at(0)).isHeld)
    }
    #expect(throws: Never.self) { try loop.publish(Draft(json("1")), to: news, at: at(0)) }
    for token: Int32 in 0..<2000 { loop.cancel(token) }
    #expect(loop.collect(at: at(0)) == nil)
  }
}
