import Testing

@testable import Holdfast

/// What a log should do, written as plainly as possible: it keeps every message for ever and marks those removed.
private struct ModelLog {
  struct Entry {
    var id: Position
    var timestamp: Timestamp
    var expiry: Int64
    var payload: Payload
    var isRemoved = false
  }

  var entries: [Entry] = []
  var lives = 0
  var lastTimestamp = Timestamp(microseconds: 0)

  var retained: [Entry] { entries.filter { !$0.isRemoved } }

  mutating func expire(at moment: Moment) {
    for index in entries.indices where entries[index].expiry <= moment.uptime { entries[index].isRemoved = true }
  }

  mutating func trim(_ bounds: LogBounds) {
    while true {
      let left = retained
      let bytes = left.reduce(0) { $0 + $1.payload.bytes.count }
      if left.count <= 1 || (left.count <= bounds.messagesMax && bytes <= bounds.bytesMax) { return }
      if let index = entries.firstIndex(where: { !$0.isRemoved }) { entries[index].isRemoved = true }
    }
  }
}

/// A cursor that was given out: in which life of which channel, and after which message of it.
private struct Given {
  var channel: Int
  var lives: Int
  var sequence: UInt64
  var position: Position
}

@Suite struct LogModelTests {
  private static let channels = (0..<5).map { ChannelName.named("channel\($0)") }
  private static let bounds = LogBounds(messagesMax: 6, ageMax: .seconds(60), bytesMax: 100)

  @Test(arguments: 0..<12) func `A table of logs does exactly what a naive model does`(seed: UInt64) {
    run(seed: seed, steps: 4000, remnantsMax: 1000, forgets: false)
  }

  @Test(arguments: 100..<106) func `A table that forgets says so and never leaves a silent hole`(seed: UInt64) {
    run(seed: seed, steps: 4000, remnantsMax: 2, forgets: true)
  }

  private func run(seed: UInt64, steps: Int, remnantsMax: Int, forgets: Bool) {
    var random = SeededRandom(seed: seed)
    var table = LogTable(remnantsMax: remnantsMax)
    var models = Self.channels.map { _ in ModelLog() }
    var given: [Given] = []
    var uptime = 0.0
    var unix = 0.0
    var resets = 0
    var gaps = 0
    for step in 0..<steps {
      let moment = at(uptime, unix: unix)
      let index = random.below(Self.channels.count)
      let channel = Self.channels[index]
      models[index].expire(at: moment)
      if forgets && !models[index].entries.isEmpty && table.read(channel, from: .now, at: moment).next.sequence == 0 {
        // Forgotten: what comes next is another life, of which the old cursors know nothing.
        models[index].lives += 1
        models[index].entries = []
      }
      switch random.below(100) {
      case 0..<40:
        let payload = json(String(repeating: "x", count: random.below(random.oneIn(20) ? 150 : 30)))
        let ttl: Duration? = random.oneIn(3) ? .seconds(random.below(90)) : nil
        let tag = UInt32(truncatingIfNeeded: random.next())
        guard
          let appended = try? table.append(
            Draft(payload, ttl: ttl), to: channel, tag: tag, bounds: Self.bounds, at: moment)
        else {
          Issue.record("step \(step): refused")
          return
        }
        let expected = UInt64(models[index].entries.count) + 1
        #expect(appended.id.sequence == expected, "step \(step)")
        #expect(appended.id.tag == tag && appended.timestamp > models[index].lastTimestamp, "step \(step)")
        if !forgets {
          #expect(
            appended.timestamp.microseconds == max(moment.unix, models[index].lastTimestamp.microseconds + 1),
            "step \(step)")
        }
        models[index].lastTimestamp = appended.timestamp
        models[index].entries.append(
          ModelLog.Entry(
            id: appended.id, timestamp: appended.timestamp,
            expiry: moment.uptime + min(ttl ?? .seconds(60), .seconds(60)).nanoseconds, payload: payload))
        models[index].trim(Self.bounds)
        models[index].expire(at: moment)
        given.append(
          Given(
            channel: index, lives: models[index].lives, sequence: appended.id.sequence, position: appended.id))
      case 40..<50:
        uptime += random.oneIn(8) ? 61 : Double(random.below(10))
        unix += random.oneIn(5) ? -3600 : Double(random.below(5000))
      case 50..<53:
        let existed = table.summary(channel, at: moment) != nil
        models[index].expire(at: moment)
        #expect(existed || models[index].retained.isEmpty, "step \(step)")
        let deleted = table.delete(channel)
        #expect(deleted == existed, "step \(step)")
        if deleted {
          models[index].lives += 1
          models[index].entries = []
        }
      case 53..<60:
        table.sweep(steps: 1 + random.below(6), at: moment) { _ in random.oneIn(4) }
      default:
        let limit = ReadLimit(messages: 1 + random.below(8), bytes: 1 + random.below(120))
        let retained = models[index].retained
        var expected = retained[...]
        var missedFrom: UInt64?
        let start: ReadStart
        var isOfThisLife = true
        switch random.below(10) {
        case 0:
          start = .now
          expected = []
        case 1: start = .earliest
        case 2:
          let timestamp =
            random.oneIn(3)
            ? Timestamp(microseconds: 0)
            : Timestamp(
              microseconds: (models[index].entries.randomElement(using: &random)?.timestamp.microseconds ?? 5)
                + Int64(random.below(3)) - 1)
          start = .since(timestamp)
          expected = retained.drop { $0.timestamp <= timestamp }
          let removed = models[index].entries.contains { $0.isRemoved && $0.timestamp > timestamp }
          let page = table.read(channel, from: start, limit: limit, at: moment)
          // After a deletion or a dropped log it may only be surer than the model that something was removed.
          if models[index].lives == 0 && !forgets {
            #expect((page.gap != nil) == (removed && timestamp.microseconds > 0), "step \(step)")
          } else if removed && timestamp.microseconds > 0 {
            #expect(page.gap != nil, "step \(step)")
          }
          #expect(page.gap.map { $0.reason == .expired && $0.missed == nil } ?? true)
          #expect(page.messages.map(\.id) == taken(expected, limit).map(\.id), "step \(step)")
          continue
        case 3 where !retained.isEmpty:
          // A number of this log with another message's tag, or ahead of it.
          var position = models[index].entries[models[index].entries.count - 1].id
          if random.oneIn(2) { position.tag ^= 1 } else { position.sequence += 1 }
          start = .after(position)
          isOfThisLife = false
        default:
          guard let one = given.filter({ $0.channel == index }).randomElement(using: &random) else { continue }
          start = .after(one.position)
          isOfThisLife = one.lives == models[index].lives
          if isOfThisLife {
            expected = retained.drop { $0.id.sequence <= one.sequence }
            missedFrom = one.sequence
          }
        }
        let page = table.read(channel, from: start, limit: limit, at: moment)
        if forgets && page.gap?.reason == .reset && isOfThisLife {
          // Allowed where the channel was forgotten, and then all that is retained is given.
          isOfThisLife = false
          expected = retained[...]
        }
        let messages = taken(expected, limit)
        let head = UInt64(models[index].entries.count)
        let next = messages.last?.id.sequence ?? page.next.sequence
        if messages.isEmpty && !forgets { #expect(page.next.sequence == head, "step \(step)") }
        #expect(page.messages.map(\.id) == messages.map(\.id), "step \(step)")
        #expect(page.messages.map(\.payload) == messages.map(\.payload), "step \(step)")
        #expect(page.messages.map(\.timestamp) == messages.map(\.timestamp), "step \(step)")
        #expect(page.more == (start == .now ? false : messages.count < expected.count), "step \(step)")
        #expect(page.next.sequence == next, "step \(step)")
        if !isOfThisLife {
          resets += 1
          #expect(page.gap == Gap(channel: channel, reason: .reset, missed: nil), "step \(step)")
        } else if let from = missedFrom {
          let missed = next - from - UInt64(messages.count)
          if missed > 0 { gaps += 1 }
          #expect(
            page.gap == (missed > 0 ? Gap(channel: channel, reason: .expired, missed: missed) : nil), "step \(step)")
        } else {
          #expect(page.gap == nil, "step \(step)")
        }
        given.append(
          Given(channel: index, lives: models[index].lives, sequence: page.next.sequence, position: page.next))
        if given.count > 400 { given.removeFirst(200) }
      }
      if let summary = table.summary(channel, at: moment) {
        #expect(summary.count == models[index].retained.count, "step \(step)")
        #expect(summary.bytes == models[index].retained.reduce(0) { $0 + $1.payload.bytes.count }, "step \(step)")
      } else if !models[index].retained.isEmpty {
        Issue.record("step \(step): the log is gone")
      }
    }
    #expect(resets > 20 && gaps > 20)
  }

  private func taken(_ entries: ArraySlice<ModelLog.Entry>, _ limit: ReadLimit) -> [ModelLog.Entry] {
    var taken: [ModelLog.Entry] = []
    var bytes = 0
    for entry in entries {
      bytes += entry.payload.bytes.count
      if taken.count == limit.messages || (bytes > limit.bytes && !taken.isEmpty) { break }
      taken.append(entry)
    }
    return taken
  }
}
