import Dispatch
import Foundation
import Synchronization
import Testing

@testable import Holdfast

/// Publishes that race with polls on real threads. Each loop parks on a semaphore that only `wake` signals, so a
/// wake-up that is lost leaves it parked: a watchdog then says so, and nothing here is measured against a clock.
@Suite(.serialized) struct WakeUpTests {
  private static let watchdog = DispatchTimeInterval.seconds(60)

  /// Threads in pairs: each publishes to its partner's channel, then polls its own until the partner's message of the same
  /// round is there. The next publish comes right when the partner polls, so reads race with appends all the time.
  @Test func `No wake-up is lost in a million rounds of publishes that race polls`() async {
    let pairs = 2
    let rounds = 250_000
    let hub = Hub(limits: .none)
    let failures = Mutex<[String]>([])
    let waits = Atomic<Int>(0)
    await withCheckedContinuation { (done: CheckedContinuation<Void, Never>) in
      let group = DispatchGroup()
      for index in 0..<(2 * pairs) {
        group.enter()
        Thread.detachNewThread {
          let failure = Self.play(index, rounds: rounds, on: hub, waits: waits)
          if let failure { failures.withLock { $0.append(failure) } }
          group.leave()
        }
      }
      group.notify(queue: .global()) { done.resume() }
    }
    #expect(failures.withLock { $0 } == [])
    #expect(waits.load(ordering: .relaxed) > 0)
    #expect(hub.core.waitedOn().isEmpty)
  }

  private static func play(_ index: Int, rounds: Int, on hub: Hub, waits: borrowing Atomic<Int>) -> String? {
    let own = ChannelName.named("thread\(index)")
    let partner = ChannelName.named("thread\(index ^ 1)")
    let semaphore = DispatchSemaphore(value: 0)
    var loop = HubLoop(hub: hub) { semaphore.signal() }
    let payload = json("1")
    var start = ReadStart.earliest
    var received: UInt64 = 0
    var waited = 0
    defer { waits.add(waited, ordering: .relaxed) }
    for round in 1...UInt64(rounds) {
      do { _ = try loop.publish(Draft(payload), to: partner, at: .now()) } catch { return "\(error)" }
      while received < round {
        var answer: Answer?
        switch loop.poll(0, on: [.init(own, start)], limit: ReadLimit(), holder: nil, at: .now()) {
        case .answer(let found): answer = found
        case .refused(let refusal): return "refused: \(refusal)"
        case .held:
          waited += 1
          while answer == nil {
            if semaphore.wait(timeout: .now() + watchdog) == .timedOut {
              return "\(own) lost a wake-up after \(received)"
            }
            answer = loop.collect(at: .now())?.byToken[0]
          }
        }
        guard let answer else { return "no answer" }
        for message in answer.messages {
          received += 1
          if message.id.sequence != received { return "\(own): \(message.id) came in place of \(received)" }
        }
        if !answer.gaps.isEmpty { return "\(own): \(answer.gaps)" }
        start = answer.cursor.starts[0]
      }
    }
    return nil
  }

  /// Many waiters a loop on shared channels, of which some are not concerned by what comes; the publishers wait for
  /// nobody but at the end.
  @Test func `Every waiter on every loop gets every message once and in order`() async {
    let loops = 3
    let tokens = 8
    let messages = 20_000
    let hub = Hub(
      store: MemoryStore(limits: MemoryStore.Limits(log: LogBounds(messagesMax: .max))), limits: .none)
    let channels = (0..<4).map { ChannelName.named("shared\($0)") }
    let failures = Mutex<[String]>([])
    await withCheckedContinuation { (done: CheckedContinuation<Void, Never>) in
      let group = DispatchGroup()
      for _ in 0..<loops {
        group.enter()
        Thread.detachNewThread {
          let failure = Self.listen(tokens: tokens, channels: channels, until: messages / 4, on: hub)
          if let failure { failures.withLock { $0.append(failure) } }
          group.leave()
        }
      }
      for publisher in 0..<2 {
        group.enter()
        Thread.detachNewThread {
          for index in 0..<(messages / 2) {
            let channel = channels[(index + publisher) % channels.count]
            _ = try? hub.core.publish(Draft(json("1")), to: channel, from: nil, at: .now())
          }
          group.leave()
        }
      }
      group.notify(queue: .global()) { done.resume() }
    }
    #expect(failures.withLock { $0 } == [])
    #expect(hub.core.waitedOn().isEmpty)
  }

  private static func listen(tokens: Int, channels: [ChannelName], until last: Int, on hub: Hub) -> String? {
    let semaphore = DispatchSemaphore(value: 0)
    var loop = HubLoop(hub: hub) { semaphore.signal() }
    // Token 0 waits for all channels, the others for one each; the last by a timestamp that nothing reaches.
    let far = ReadStart.since(Timestamp(microseconds: .max))
    let mine = (0..<tokens).map { $0 == 0 ? channels : [channels[$0 % channels.count]] }
    var starts = mine.enumerated().map { index, names in names.map { _ in index == tokens - 1 ? far : .earliest } }
    var counts = mine.map { names in names.map { _ in 0 } }
    var toPoll = Array(0..<tokens)
    func isDone(_ token: Int) -> Bool { token == tokens - 1 || counts[token].allSatisfy { $0 == last } }
    func take(_ answer: Answer, _ token: Int) -> String? {
      if token == tokens - 1 || !answer.gaps.isEmpty { return "token \(token): \(answer)" }
      for message in answer.messages {
        guard let slot = mine[token].firstIndex(of: message.channel) else { return "\(message.channel) crossed over" }
        counts[token][slot] += 1
        if message.id.sequence != UInt64(counts[token][slot]) { return "token \(token): \(message.id)" }
      }
      starts[token] = answer.cursor.starts
      return nil
    }
    while true {
      while let token = toPoll.popLast() {
        if isDone(token) && token != tokens - 1 { continue }
        let slots = zip(mine[token], starts[token]).map { HubLoop.Slot($0, $1) }
        switch loop.poll(Int32(token), on: slots, limit: ReadLimit(), holder: nil, at: .now()) {
        case .answer(let answer):
          if let failure = take(answer, token) { return failure }
          toPoll.append(token)
        case .refused(let refusal): return "refused: \(refusal)"
        case .held: break
        }
      }
      if (0..<tokens).allSatisfy(isDone) { break }
      if semaphore.wait(timeout: .now() + watchdog) == .timedOut { return "a wake-up was lost: \(counts)" }
      guard let batch = loop.collect(at: .now()) else { continue }
      for (token, answer) in batch.byToken {
        if let failure = take(answer, Int(token)) { return failure }
        toPoll.append(Int(token))
      }
    }
    loop.cancel(Int32(tokens - 1))
    return loop.heldCount == 0 ? nil : "\(loop.heldCount) are still held"
  }
}
