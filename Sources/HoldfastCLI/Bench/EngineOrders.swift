import FoundationEssentials
import Glibc
import Histogram

extension Bench.Engine {
  /// Takes what the parent said; false when it is gone and with it the reason to go on.
  mutating func readOrders() -> Bool { control.read() && takeOrders() }

  /// Begins the orders that have been read.
  mutating func takeOrders() -> Bool {
    while let line = control.next() {
      guard let order = try? JSONDecoder().decode(Bench.Order.self, from: line) else { return false }
      begin(order)
    }
    return true
  }

  private mutating func begin(_ order: Bench.Order) {
    now = Bench.now()
    progressDue = now + 500_000_000
    switch order {
    case .connect:
      connectAll()
      phase = .connecting(giveUp: Bench.time(now, plus: 15 + Double(polls.count) / 1000))
    case .publish(let order): beginPublishing(order)
    case .measure(let last):
      ledger.restart { [polls] in Self.last(polls, last, $0) }
      latency = Bench.Latencies.empty()
      answers = 0
      tally.received = 0
      tally.acknowledged = 0
      cpuStart = Bench.cpuSeconds()
      finish()
    case .drain(let last, let voids, let grace):
      let wait = UInt64(grace * 1e9)
      phase = .draining(
        last: last, voids: voids, grace: wait, giveUp: now + wait, check: 0, seen: tally.received)
      checkDrained()
    case .disconnect:
      disconnectAll()
      finish()
    case .stop: stop()
    }
  }

  private static func last(_ polls: [Poll], _ last: [UInt32], _ poll: Int) -> UInt32 {
    last.isEmpty ? 0 : last[Int(polls[poll].channel)]
  }

  /// Cuts the order under way short. An idle worker has answered already.
  private mutating func stop() {
    switch phase {
    case .idle: return
    case .connecting: finish()
    case .publishing:
      publishing.stopped = true
      publishDue()
    case .draining(let last, let voids, _, _, _, _): finishDrain(last, voids)
    }
  }

  /// Ends the drain when nothing is owed, or when nothing has come for the time of grace.
  mutating func checkDrained() {
    guard case .draining(let last, let voids, let grace, var giveUp, let check, let seen) = phase, now >= check else {
      return
    }
    if tally.received > seen { giveUp = now + grace }
    if now >= giveUp || owed(last, voids) == 0 { return finishDrain(last, voids) }
    phase = .draining(
      last: last, voids: voids, grace: grace, giveUp: giveUp, check: now + 20_000_000, seen: tally.received)
  }

  private func owed(_ last: [UInt32], _ voids: Set<UInt64>) -> Int {
    ledger.owed(
      last: { Self.last(polls, last, $0) },
      isVoid: { poll, number in voids.contains(UInt64(polls[poll].channel) << 32 | UInt64(number)) },
      voids: voids.count)
  }

  private mutating func finishDrain(_ last: [UInt32], _ voids: Set<UInt64>) {
    finish(
      drained: Bench.Drained(
        received: ledger.received, duplicated: ledger.duplicated, outOfOrder: ledger.outOfOrder,
        lost: owed(last, voids), answers: answers, latency: latency, cpuSeconds: Bench.cpuSeconds() - cpuStart))
  }

  /// Answers the order under way.
  mutating func finish(published: Bench.Published? = nil, drained: Bench.Drained? = nil) {
    phase = .idle
    say(Bench.WorkerEvent(kind: .done, tally: tally, published: published, drained: drained))
  }

  func say(_ event: Bench.WorkerEvent) {
    guard let data = try? JSONEncoder().encode(event) else { return }
    Bench.writeLine(data, to: STDOUT_FILENO)
  }
}
