import Synchronization
import Testing

@testable import Holdfast

@Suite(.timeLimit(.minutes(5))) struct HubTests {
  private let hub = Hub()

  /// Waits, without a clock, until something is so, or the suite's time has run out.
  private func until(_ isSo: () -> Bool) async { while !isSo() && !Task.isCancelled { await Task.yield() } }

  /// Waits until as many polls are held on a channel.
  private func untilHeld(_ count: Int, on channel: ChannelName = news, in other: Hub? = nil) async {
    await until { (other ?? hub).core.held(channel) == count }
  }

  private func expectNothingHeld() {
    #expect(hub.core.waitedOn().isEmpty && hub.core.limits.withLock { $0.total } == 0)
  }

  // MARK: Polling

  @Test func `A poll is answered at once by what is there`() async throws {
    let receipt = try await hub.publish(json("1"), to: news)
    let answer = try await hub.poll([news], after: Cursor([.earliest]))
    #expect(answer.messages.map(\.id) == [receipt.id] && answer.messages[0].timestamp == receipt.timestamp)
    #expect(receipt.subscribers == 0 && !receipt.isRepeated)
    expectNothingHeld()
  }

  @Test func `A poll waits for what comes`() async throws {
    async let answer = hub.poll([sport, news], after: Cursor([.now, .now]))
    await untilHeld(1)
    let receipt = try await hub.publish(json("1"), to: news)
    #expect(receipt.subscribers == 1)
    #expect(try await answer.messages.map(\.id) == [receipt.id])
    expectNothingHeld()
  }

  @Test func `A poll that waits keeps to its limits`() async throws {
    async let answer = hub.poll([news], after: Cursor([.now]), limit: ReadLimit(messages: 1, bytes: 1))
    await untilHeld(1)
    try await hub.publish(json("12345"), to: news)
    #expect(try await answer.texts == ["12345"])
  }

  @Test func `A poll without a timeout does not wait`() async throws {
    for timeout in [Duration.zero, .seconds(-1)] {
      let answer = try await hub.poll([news], after: Cursor([.now]), timeout: timeout)
      #expect(answer.isEmpty)
    }
    #expect(hub.core.waitedOn().isEmpty)
  }

  @Test func `A poll that times out gives a cursor that misses nothing`() async throws {
    let answer = try await hub.poll([news, sport], after: Cursor([.now, .earliest]), timeout: .milliseconds(1))
    #expect(answer.isEmpty)
    expectNothingHeld()
    try await hub.publish(json("1"), to: news)
    try await hub.publish(json("2"), to: sport)
    let next = try await hub.poll([news, sport], after: answer.cursor, timeout: .milliseconds(1))
    #expect(next.texts == ["1", "2"])
  }

  @Test func `A timeout beyond all measure is a long time`() async throws {
    async let answer = hub.poll([news], after: Cursor([.now]), timeout: .seconds(Int64.max))
    await untilHeld(1)
    try await hub.publish(json("1"), to: news)
    #expect(try await answer.texts == ["1"])
  }

  @Test(arguments: ["{}", "0", "false", "null", "\"\"", ""])
  func `A payload that looks like nothing wakes a poll like any other`(text: String) async throws {
    async let answer = hub.poll([news], after: Cursor([.now]))
    await untilHeld(1)
    try await hub.publish(json(text), to: news)
    #expect(try await answer.texts == [text])
  }

  @Test func `Two publishes between polls are both there`() async throws {
    let first = try await hub.poll([news], after: Cursor([.now]), timeout: .zero)
    try await hub.publish(json("1"), to: news)
    try await hub.publish(json("2"), to: news)
    let second = try await hub.poll([news], after: first.cursor)
    let again = try await hub.poll([news], after: first.cursor)
    #expect(second.texts == ["1", "2"] && again == second)
  }

  @Test func `History never waits and pages`() async throws {
    for index in 1...3 { try await hub.publish(json("\(index)"), to: news) }
    let first = await hub.history(of: news, limit: ReadLimit(messages: 2))
    #expect(first.texts == ["1", "2"] && first.more)
    let second = await hub.history(of: news, after: first.cursor.slots[0])
    #expect(second.texts == ["3"] && !second.more)
    #expect(await hub.history(of: sport).isEmpty)
  }

  @Test func `Polling no channel or one twice is a programmer's error`() async {
    await #expect(processExitsWith: .failure) { _ = try await Hub().poll([], after: Cursor([])) }
    await #expect(processExitsWith: .failure) { _ = try await Hub().poll([news, news], after: Cursor([.now, .now])) }
    await #expect(processExitsWith: .failure) { _ = try await Hub().poll([news], after: Cursor([.now, .now])) }
    await #expect(processExitsWith: .failure) { _ = Hub().subscribe(to: [], from: .now) }
  }

  // MARK: Limits

  @Test func `A channel at its limit refuses and takes again when one has gone`() async throws {
    let hub = Hub(limits: HoldLimits(perChannelMax: 2))
    let polls = (0..<2).map { _ in Task { try await hub.poll([news], after: Cursor([.now])) } }
    await untilHeld(2, in: hub)
    await #expect(throws: HoldRefusal.channel) { try await hub.poll([sport, news], after: Cursor([.now, .now])) }
    #expect(hub.core.held(sport) == 0 && hub.core.held(news) == 2)
    polls[0].cancel()
    await untilHeld(1, in: hub)
    async let third = hub.poll([news], after: Cursor([.now]))
    await untilHeld(2, in: hub)
    try await hub.publish(json("1"), to: news)
    #expect(try await third.texts == ["1"])
    #expect(try await polls[1].value.texts == ["1"])
  }

  // MARK: Cancellation

  @Test func `Cancelling a poll releases it at once`() async throws {
    let poll = Task { try await hub.poll([news, sport], after: Cursor([.now, .now]), timeout: .seconds(600)) }
    await untilHeld(1)
    poll.cancel()
    // What is checked here is that the count is gone when the caller has its error, not some time later.
    await #expect(throws: CancellationError.self) { try await poll.value }
    expectNothingHeld()
  }

  @Test func `A poll in a cancelled task holds nothing and takes nothing`() async throws {
    try await hub.publish(json("1"), to: sport)
    for (channel, timeout) in [(news, Duration.seconds(600)), (sport, .seconds(600)), (sport, .zero)] {
      let poll = Task {
        withUnsafeCurrentTask { $0?.cancel() }
        return try await hub.poll([channel], after: Cursor([.earliest]), timeout: timeout)
      }
      await #expect(throws: CancellationError.self) { try await poll.value }
    }
    expectNothingHeld()
  }

  @Test func `Cancelling after the answer changes nothing`() async throws {
    let poll = Task { try await hub.poll([news], after: Cursor([.now])) }
    await untilHeld(1)
    try await hub.publish(json("1"), to: news)
    let answer = try await poll.value
    poll.cancel()
    #expect(answer.texts == ["1"])
    expectNothingHeld()
  }

  @Test func `A poll cancelled while its message comes ends once and leaves nothing`() async throws {
    var answered = 0
    var cancelled = 0
    for _ in 0..<2000 {
      let poll = Task { try await hub.poll([news], after: Cursor([.now]), timeout: .seconds(600)) }
      async let canceller: Void = poll.cancel()
      async let receipt = hub.publish(json("1"), to: news)
      _ = try await (canceller, receipt)
      do {
        #expect(try await poll.value.texts == ["1"])
        answered += 1
      } catch is CancellationError {
        cancelled += 1
      }
    }
    #expect(answered + cancelled == 2000)
    expectNothingHeld()
  }

  @Test func `Polls that time out while messages come lose none of them`() async throws {
    let hub = self.hub
    let reader = Task {
      var cursor = Cursor([.earliest])
      var texts: [String] = []
      while texts.last != "end" {
        let answer = try await hub.poll([news], after: cursor, timeout: .microseconds(20))
        #expect(answer.gaps.isEmpty)
        cursor = answer.cursor
        texts += answer.texts
      }
      return texts
    }
    for index in 0..<900 {
      try await hub.publish(json("\(index)"), to: news)
      await Task.yield()
    }
    try await hub.publish(json("end"), to: news)
    #expect(try await reader.value == (0..<900).map { "\($0)" } + ["end"])
    expectNothingHeld()
  }

  // MARK: Subscriptions

  @Test func `A subscription gives what is there and what comes`() async throws {
    try await hub.publish(json("1"), to: news)
    var events = hub.subscribe(to: [news], from: .earliest).makeAsyncIterator()
    #expect(try await events.next()?.text == "1")
    try await hub.publish(json("2"), to: news)
    #expect(try await events.next()?.text == "2")
  }

  @Test func `A subscription from now gives all that comes after it was made`() async throws {
    try await hub.publish(json("1"), to: news)
    let subscription = hub.subscribe(to: [news])
    try await hub.publish(json("2"), to: news)
    var events = subscription.makeAsyncIterator()
    #expect(try await events.next()?.text == "2")
  }

  @Test func `A subscription asks for more only when it is read and tells of what it missed`() async throws {
    let hub = Hub(store: MemoryStore(limits: MemoryStore.Limits(log: LogBounds(messagesMax: 3))))
    var events = hub.subscribe(to: [news], from: .earliest).makeAsyncIterator()
    try await hub.publish(json("0"), to: news)
    #expect(try await events.next()?.text == "0")
    for index in 1...10 { try await hub.publish(json("\(index)"), to: news) }
    #expect(hub.core.held(news) == 0)
    let before = events.cursor
    #expect(try await events.next() == .gap(Gap(channel: news, reason: .expired, missed: 7)))
    // Who restarts now has not seen what follows the gap, and is told of it again.
    #expect(events.cursor == before)
    #expect(try await events.next()?.text == "8")
    var resumed = hub.subscribe(to: [news], after: events.cursor).makeAsyncIterator()
    #expect(try await resumed.next()?.text == "9")
    #expect(try await events.next()?.text == "9")
    #expect(try await events.next()?.text == "10")
  }

  @Test func `The cursor of a subscription loses nothing of any channel wherever it is resumed`() async throws {
    let names = [news, sport, weather]
    let starts: [Cursor.Slot] = [.now, .earliest]
    for start in starts {
      let hub = Hub()
      var events = hub.subscribe(to: names, from: start).makeAsyncIterator()
      for index in 0..<9 { try await hub.publish(json("\(index)"), to: names[index % 3]) }
      for read in 1...9 {
        #expect(try await events.next()?.text == "\(read - 1)")
        var resumed = hub.subscribe(to: names, after: events.cursor).makeAsyncIterator()
        for expected in read..<9 { #expect(try await resumed.next()?.text == "\(expected)") }
      }
    }
  }

  @Test func `A deleted channel tells its subscriptions`() async throws {
    try await hub.publish(json("1"), to: news)
    var events = hub.subscribe(to: [news], from: .earliest).makeAsyncIterator()
    #expect(try await events.next()?.text == "1")
    #expect(hub.delete(news))
    #expect(try await events.next() == .gap(Gap(channel: news, reason: .reset, missed: nil)))
    try await hub.publish(json("2"), to: news)
    #expect(try await events.next()?.text == "2")
  }

  @Test func `Cancelling a subscription ends it even where there is always more`() async throws {
    let hub = self.hub
    let reader = Task {
      for try await _ in hub.subscribe(to: [news], from: .earliest) {
        try await hub.publish(json("again"), to: news)
      }
    }
    try await hub.publish(json("1"), to: news)
    await until { hub.channel(news)?.log.count ?? 0 >= 100 }
    reader.cancel()
    await #expect(throws: CancellationError.self) { try await reader.value }
    expectNothingHeld()
  }

  @Test func `Every subscriber gets every message once and in order however many publish`() async throws {
    let names = [news, sport, weather]
    let publishers = 8
    let each = 100
    let hub = self.hub
    try await withThrowingTaskGroup(of: Void.self) { group in
      for reader in 0..<40 {
        let start = hub.subscribe(to: reader % 2 == 0 ? names : names.reversed(), from: .earliest)
        group.addTask {
          var seen: [ChannelName: [Position]] = [:]
          var texts: Set<String> = []
          var count = 0
          for try await event in start {
            guard case .message(let message) = event else {
              Issue.record("\(event)")
              return
            }
            seen[message.channel, default: []].append(message.id)
            texts.insert(message.payload.text)
            count += 1
            if count == publishers * each { break }
          }
          #expect(texts.count == publishers * each)
          for (_, ids) in seen { #expect(ids.map(\.sequence) == Array(1...UInt64(ids.count))) }
        }
      }
      for publisher in 0..<publishers {
        group.addTask {
          for index in 0..<each {
            try await hub.publish(json("\(publisher):\(index)"), to: names[(publisher + index) % 3])
            await Task.yield()
          }
        }
      }
      try await group.waitForAll()
    }
    expectNothingHeld()
  }

  // MARK: Channels

  @Test func `The channels are those with a log or a held poll`() async throws {
    #expect(hub.channels().isEmpty && hub.channel(news) == nil)
    let head = try await hub.publish(json("12"), to: sport).id
    async let answer = hub.poll([news], after: Cursor([.now]))
    await untilHeld(1)
    #expect(hub.channels() == [news, sport])
    let held = hub.channel(news)
    #expect(held?.held == 1 && held?.log.count == 0 && held?.log.oldest == nil && held?.log.head.sequence == 0)
    let summary = hub.channel(sport)
    #expect(summary?.held == 0 && summary?.log.head == head && summary?.log.oldest == head && summary?.log.bytes == 2)
    try await hub.publish(json("1"), to: news)
    _ = try await answer
    #expect(hub.delete(news) && hub.delete(sport) && hub.channels().isEmpty)
  }

  @Test func `Upkeep drops what has expired until it is cancelled`() async throws {
    let hub = Hub(store: MemoryStore(limits: MemoryStore.Limits(log: LogBounds(ageMax: .nanoseconds(1)))))
    try await hub.publish(json("1"), to: news)
    let upkeep = Task { await hub.run() }
    await until { hub.channels().isEmpty }
    upkeep.cancel()
    await upkeep.value
  }

  @Test func `A hub that nobody holds goes and a poll on it keeps it until it ends`() async throws {
    weak var gone: Hub?
    do {
      let hub = Hub()
      gone = hub
      try await hub.publish(json("1"), to: news)
      _ = try await hub.poll([news], after: Cursor([.now]), timeout: .milliseconds(1))
    }
    #expect(gone == nil)
  }
}

extension Subscription.Event {
  var text: String? { if case .message(let message) = self { message.payload.text } else { nil } }
}
