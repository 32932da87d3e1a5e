import Dispatch
import Foundation
import Synchronization
import Testing

@testable import Holdfast

@Suite struct IdempotencyTests {
  private func key(_ text: String, _ channel: ChannelName = news) -> IdempotencyWindow.Key {
    IdempotencyWindow.Key(channel: channel, key: text)
  }
  private let id = Position(epoch: Epoch(rawValue: 1), sequence: 1, tag: 1)
  private let timestamp = Timestamp(microseconds: 5)

  @Test func `A key is unknown then repeated then forgotten at its age`() {
    var window = IdempotencyWindow(age: .seconds(10), keysMax: 10)
    #expect(window.look(up: key("a"), payload: json("1"), at: at(0)) == .unknown)
    window.remember(key("a"), payload: json("1"), id: id, timestamp: timestamp, at: at(0))
    #expect(window.look(up: key("a"), payload: json("1"), at: at(9.999)) == .repeated(id: id, timestamp: timestamp))
    #expect(window.look(up: key("a", sport), payload: json("1"), at: at(9)) == .unknown)
    #expect(window.look(up: key("a"), payload: json("1"), at: at(10)) == .unknown)
    #expect(window.count == 0)
  }

  @Test func `The same key with another payload is a conflict and stays what it was`() {
    var window = IdempotencyWindow(age: .seconds(10), keysMax: 10)
    window.remember(key("a"), payload: json("1"), id: id, timestamp: timestamp, at: at(0))
    #expect(window.look(up: key("a"), payload: json("2"), at: at(1)) == .conflict)
    #expect(window.look(up: key("a"), payload: Payload(Array("1".utf8), contentType: "text/x"), at: at(1)) == .conflict)
    #expect(window.look(up: key("a"), payload: json("1"), at: at(1)) == .repeated(id: id, timestamp: timestamp))
  }

  @Test func `Beyond the bound the oldest keys are forgotten`() {
    var window = IdempotencyWindow(age: .seconds(10), keysMax: 100)
    for index in 0..<10_000 {
      let key = key("\(index)")
      #expect(window.look(up: key, payload: json("1"), at: at(Double(index) / 10_000)) == .unknown)
      window.remember(key, payload: json("1"), id: id, timestamp: timestamp, at: at(Double(index) / 10_000))
    }
    #expect(window.count == 100)
    #expect(window.look(up: key("9900"), payload: json("1"), at: at(1)) != .unknown)
    #expect(window.look(up: key("9899"), payload: json("1"), at: at(1)) == .unknown)
  }

  @Test func `A hundred callers with one key publish one message and all get its id`() async throws {
    let hub = Hub()
    for round in 0..<20 {
      let receipts = try await withThrowingTaskGroup(of: Receipt.self) { group in
        for _ in 0..<100 {
          group.addTask { try await hub.publish(json("{\"a\":1}"), to: news, idempotencyKey: "k\(round)") }
        }
        return try await group.reduce(into: []) { $0.append($1) }
      }
      #expect(Set(receipts.map(\.id)).count == 1)
      #expect(Set(receipts.map(\.timestamp)).count == 1)
      #expect(receipts.count { !$0.isRepeated } == 1)
      #expect(hub.channel(news)?.log.count == round + 1)
    }
  }

  @Test func `Two threads that publish one key at the same instant publish one message`() {
    let store = MemoryStore(limits: MemoryStore.Limits(log: LogBounds(messagesMax: .max)))
    let rounds = 3000
    let arrivals = Atomic<Int>(0)
    let receipts = Mutex<[Appended]>([])
    DispatchQueue.concurrentPerform(iterations: 2) { _ in
      var mine: [Appended] = []
      for round in 0..<rounds {
        let draft = Draft(json("1"), idempotencyKey: "\(round)")
        arrivals.add(1, ordering: .acquiringAndReleasing)
        var spins = 0
        while arrivals.load(ordering: .acquiring) < 2 * (round + 1) {
          spins += 1
          if spins > 1000 { sched_yield() }
        }
        if let appended = try? store.append(draft, to: news, at: at(0)) { mine.append(appended) }
      }
      receipts.withLock { $0 += mine }
    }
    #expect(receipts.withLock { $0.count } == 2 * rounds)
    #expect(receipts.withLock { Set($0.map(\.id)).count } == rounds)
    #expect(receipts.withLock { $0.count { !$0.isRepeated } } == rounds)
    #expect(store.summary(news, at: at(0))?.count == rounds)
  }

  @Test func `A conflict publishes nothing and a repeat wakes nobody`() async throws {
    let hub = Hub()
    let first = try await hub.publish(json("1"), to: news, idempotencyKey: "k")
    await #expect(throws: PublishError(.idempotencyConflict)) {
      try await hub.publish(json("2"), to: news, idempotencyKey: "k")
    }
    var loop = HubLoop(hub: hub) { Issue.record("nothing new came") }
    #expect(loop.poll(1, on: [.init(news, .now)], limit: ReadLimit(), holder: nil, at: .now()).isHeld)
    let again = try await hub.publish(json("1"), to: news, idempotencyKey: "k")
    #expect(again.id == first.id && again.isRepeated && again.subscribers == 1)
    #expect(loop.isHeld(1) && hub.channel(news)?.log.count == 1)
    loop.cancel(1)
  }

  @Test func `A repeat after the message has expired still gives its id`() throws {
    var table = LogTable()
    let draft = Draft(json("1"), idempotencyKey: "k")
    let first = try table.append(draft, to: news, tag: 1, bounds: LogBounds(), at: at(0))
    table.sweep(steps: 1, at: at(301)) { _ in false }
    let again = try table.append(draft, to: news, tag: 2, bounds: LogBounds(), at: at(302))
    #expect(again.id == first.id && again.timestamp == first.timestamp && again.isRepeated)
    #expect(table.logCount == 0)
  }

  @Test func `A key is remembered as long as there is room in the whole store, whatever channel it is of`() throws {
    let store = MemoryStore(limits: MemoryStore.Limits(idempotencyKeysMax: 100))
    func publish(_ key: Int) throws -> Appended {
      try store.append(Draft(json("1"), idempotencyKey: "\(key)"), to: news, at: at(0))
    }
    let first = try publish(0)
    for key in 1..<100 { _ = try publish(key) }
    let again = try publish(0)
    #expect(again.isRepeated && again.id == first.id)
    _ = try publish(100)
    #expect(try !publish(0).isRepeated, "one more than there is room for took the oldest's place")
  }

  @Test func `A deletion forgets the channel's keys and no other's`() throws {
    var table = LogTable()
    func publish(_ channel: ChannelName) throws -> Appended {
      try table.append(
        Draft(json("1"), idempotencyKey: "k"), to: channel, tag: 1, bounds: LogBounds(), at: at(0))
    }
    _ = try publish(news)
    _ = try publish(sport)
    _ = table.delete(news)
    let (anew, repeated) = (try publish(news), try publish(sport))
    #expect(!anew.isRepeated && repeated.isRepeated && table.keyCount == 2)
    #expect(table.read(news, from: .earliest, limit: ReadLimit(), at: at(0)).messages.count == 1)
  }
}
