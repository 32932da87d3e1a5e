/// Prints, for each operation of the core, nanoseconds an operation: the median of eleven repeats, with the least and the
/// most. One thread, moments taken once, so that what is measured is the core and not the clock.
import Holdfast

let payload = Payload(json: #"{"user":"a","text":"hello","at":1790000000}"#)
let moment = Moment.now()
let limit = ReadLimit()

func name(_ text: String) -> ChannelName {
  do { return try ChannelName(text) } catch { fatalError("\(error)") }
}

func measure(_ title: String, operations: Int, prepare: () -> Void = {}, _ body: () -> Void) {
  var nanoseconds: [Double] = []
  for _ in 0..<12 {
    prepare()
    let elapsed = ContinuousClock().measure(body)
    nanoseconds.append(Double(elapsed.nanoseconds) / Double(operations))
  }
  // The first repeat warms up.
  let sorted = nanoseconds.dropFirst().sorted()
  let figures = [sorted[sorted.count / 2], sorted[0], sorted[sorted.count - 1]].map { "\(Int($0.rounded()))" }
  print("\(title): \(figures[0]) ns (\(figures[1]) to \(figures[2]))")
}

func publish(_ loop: inout HubLoop, _ channel: ChannelName) {
  do { _ = try loop.publish(Draft(payload), to: channel, at: moment) } catch { fatalError("\(error)") }
}

let news = name("news")

do {
  var loop = HubLoop(hub: Hub()) {}
  measure("append to one channel, nobody waiting", operations: 100_000) {
    for _ in 0..<100_000 { publish(&loop, news) }
  }
  let head = loop.poll(0, on: [.init(news, .earliest)], limit: ReadLimit(messages: 999), holder: nil, at: moment)
  guard case .answer(let answer) = head, case .after(let last) = answer.cursor.slots[0] else { fatalError() }
  let start = ReadStart.after(last)
  measure("poll that finds one message", operations: 100_000) {
    for _ in 0..<100_000 {
      guard case .answer = loop.poll(0, on: [.init(news, start)], limit: limit, holder: nil, at: moment) else {
        fatalError()
      }
    }
  }
}

for waiters in [1, 1000] {
  let hub = Hub(limits: .none)
  var loop = HubLoop(hub: hub) {}
  let holder = Holder(address: 1 << 64)
  let rounds = 100_000 / waiters
  var start = ReadStart.now
  var batch = HubLoop.Batch()
  measure("poll that waits, is woken and answered, \(waiters) a message", operations: rounds * waiters) {
    for _ in 0..<rounds {
      for token in 0..<Int32(waiters) {
        guard case .held = loop.poll(token, on: [.init(news, start)], limit: limit, holder: holder, at: moment) else {
          fatalError()
        }
      }
      publish(&loop, news)
      guard loop.collect(into: &batch, at: moment), batch.deliveries.count == waiters else { fatalError() }
      start = ReadStart(batch.answers[0].cursor.slots[0])
    }
  }
}

for count in [10, 100_000] {
  let hub = Hub(store: MemoryStore(limits: MemoryStore.Limits(log: LogBounds(messagesMax: 1))))
  var loop = HubLoop(hub: hub) {}
  let channels = (0..<count).map { name("channel\($0)") }
  for channel in channels { publish(&loop, channel) }
  // A stride, so that neighbours in memory are not neighbours in time.
  measure("publish on an idle channel, one of \(count)", operations: 100_000) {
    for index in 0..<100_000 { publish(&loop, channels[index &* 7919 % count]) }
  }
}
