import Testing

@testable import Holdfast

@Suite struct LogTests {
  // MARK: Order and bounds

  @Test func `Messages are read in the order they were appended in`() {
    var table = LogTable()
    let ids = (1...5).map { table.append("\($0)", at: at(0)) }
    let page = table.read(from: .earliest, at: at(0))
    #expect(page.messages.map(\.id) == ids)
    #expect(page.texts == ["1", "2", "3", "4", "5"])
    #expect(ids.map(\.sequence) == [1, 2, 3, 4, 5])
    #expect(Set(ids.map(\.epoch)).count == 1)
    #expect(page.gap == nil && !page.more && page.next == ids[4])
  }

  @Test(arguments: ["{}", "0", "false", "null", "\"\"", "[]", "", " "])
  func `A payload that looks like nothing is a message like any other`(text: String) {
    var table = LogTable()
    let before = table.read(from: .now, at: at(0)).next
    let id = table.append(text, at: at(0))
    let page = table.read(from: .after(before), at: at(0))
    #expect(page.texts == [text] && page.messages.map(\.id) == [id] && !page.isEmpty)
  }

  @Test func `Payloads are kept byte for byte with their type`() throws {
    var table = LogTable()
    let payload = Payload([0, 255, 13, 10, 0xc3], contentType: "image/png")
    _ = try table.append(Draft(payload), to: news, tag: 1, bounds: LogBounds(), at: at(0))
    #expect(table.read(from: .earliest, at: at(0)).messages.map(\.payload) == [payload])
  }

  @Test func `A message never crosses to another channel`() {
    var table = LogTable()
    for index in 0..<10 { table.append("\(index)", to: index % 2 == 0 ? news : sport, at: at(0)) }
    #expect(table.read(news, from: .earliest, at: at(0)).texts == ["0", "2", "4", "6", "8"])
    #expect(table.read(sport, from: .earliest, at: at(0)).messages.allSatisfy { $0.channel == sport })
  }

  @Test func `A cursor on the last message that was removed misses nothing and one before it misses one`() {
    var table = LogTable()
    let ids = (1...5).map { table.append("\($0)", bounds: LogBounds(messagesMax: 2), at: at(0)) }
    let last = table.read(from: .after(ids[2]), at: at(0))
    #expect(last.gap == nil && last.texts == ["4", "5"])
    let before = table.read(from: .after(ids[1]), at: at(0))
    #expect(before.gap == Gap(channel: news, reason: .expired, missed: 1) && before.texts == ["4", "5"])
    #expect(table.read(from: .after(ids[0]), at: at(0)).gap?.missed == 2)
    #expect(table.read(from: .earliest, at: at(0)).gap == nil)
  }

  @Test func `A message expires exactly at its age`() {
    var table = LogTable()
    let id = table.append("1", bounds: LogBounds(ageMax: .seconds(10)), at: at(0))
    table.append("2", bounds: LogBounds(ageMax: .seconds(10)), at: at(1))
    #expect(table.read(from: .earliest, at: at(9.999_999)).texts == ["1", "2"])
    #expect(table.read(from: .earliest, at: at(10)).texts == ["2"])
    #expect(table.read(from: .after(id), at: at(11)).gap?.missed == 1)
    #expect(table.read(from: .after(id), at: at(11)).isEmpty == false)
  }

  @Test func `The newest message stays even where it alone passes the bytes`() {
    var table = LogTable()
    let bounds = LogBounds(bytesMax: 4)
    table.append("1", bounds: bounds, at: at(0))
    table.append("1234567890", bounds: bounds, at: at(0))
    #expect(table.read(from: .earliest, at: at(0)).texts == ["1234567890"])
    table.append("12", bounds: bounds, at: at(0))
    table.append("34", bounds: bounds, at: at(0))
    #expect(table.read(from: .earliest, at: at(0)).texts == ["12", "34"])
    #expect(table.summary(news, at: at(0))?.bytes == 4)
  }

  @Test func `A message with a ttl of its own leaves a hole that is told of exactly`() {
    var table = LogTable()
    let ids = (1...5).map { table.append("\($0)", ttl: $0 == 3 ? .seconds(5) : nil, at: at(0)) }
    #expect(table.read(from: .earliest, at: at(4.9)).texts.count == 5)
    let page = table.read(from: .after(ids[0]), at: at(5))
    #expect(page.texts == ["2", "4", "5"] && page.gap?.missed == 1)
    #expect(table.read(from: .after(ids[2]), at: at(5)).gap == nil)
    #expect(table.read(from: .after(ids[2]), at: at(5)).texts == ["4", "5"])
  }

  @Test func `A hole is told of with the page that passes it and exactly once`() {
    var table = LogTable()
    let start = table.read(from: .now, at: at(0)).next
    for index in 1...6 { table.append("\(index)", ttl: index % 2 == 0 ? .seconds(1) : nil, at: at(0)) }
    var cursor = start
    var seen: [String] = []
    for _ in 0..<4 {
      let page = table.read(news, from: .after(cursor), limit: ReadLimit(messages: 1), at: at(2))
      seen.append("\(page.gap?.missed ?? 0)" + page.texts.joined())
      cursor = page.next
    }
    #expect(seen == ["01", "13", "15", "1"])
    #expect(table.read(from: .after(cursor), at: at(2)).isEmpty)
  }

  @Test func `A message that expired at the end of the log is told of at once`() {
    var table = LogTable()
    let first = table.append("1", at: at(0))
    let second = table.append("2", ttl: .seconds(1), at: at(0))
    let page = table.read(from: .after(first), at: at(1))
    #expect(page.messages.isEmpty && page.gap?.missed == 1 && page.next == second && !page.more)
  }

  @Test func `A ttl longer than the log's age changes nothing`() {
    var table = LogTable()
    table.append("1", ttl: .seconds(100), bounds: LogBounds(ageMax: .seconds(10)), at: at(0))
    #expect(table.read(from: .earliest, at: at(10)).messages.isEmpty)
  }

  @Test func `What has expired takes no place from what has not`() {
    var table = LogTable()
    let bounds = LogBounds(messagesMax: 3)
    table.append("1", bounds: bounds, at: at(0))
    table.append("2", ttl: .seconds(1), bounds: bounds, at: at(0))
    table.append("3", bounds: bounds, at: at(0))
    table.append("4", bounds: bounds, at: at(5))
    #expect(table.read(from: .earliest, at: at(5)).texts == ["1", "3", "4"])
  }

  @Test func `Ages and ttls beyond all measure mean for ever`() {
    var table = LogTable(idempotencyAge: .seconds(Int64.max))
    let bounds = LogBounds(ageMax: .seconds(Int64.max))
    for key in ["a", "b"] {
      _ = try? table.append(
        Draft(json("1"), idempotencyKey: key, ttl: .seconds(Int64.max)), to: news, tag: 1, bounds: bounds, at: at(0))
    }
    #expect(table.read(from: .earliest, at: at(4_000_000_000)).messages.count == 2)
  }

  // MARK: Paging

  @Test func `An answer ends at its limit and says that there is more`() {
    var table = LogTable()
    for index in 1...5 { table.append("\(index)", at: at(0)) }
    let first = table.read(news, from: .earliest, limit: ReadLimit(messages: 2), at: at(0))
    #expect(first.texts == ["1", "2"] && first.more)
    let rest = table.read(news, from: .after(first.next), limit: ReadLimit(messages: 3), at: at(0))
    #expect(rest.texts == ["3", "4", "5"] && !rest.more)
  }

  @Test func `An answer ends before it would pass its bytes but holds at least one message`() {
    var table = LogTable()
    for text in ["1234567890", "12", "34", "5"] { table.append(text, at: at(0)) }
    var texts: [[String]] = []
    var start = ReadStart.earliest
    for _ in 0..<3 {
      let page = table.read(news, from: start, limit: ReadLimit(bytes: 4), at: at(0))
      texts.append(page.texts)
      start = .after(page.next)
    }
    #expect(texts == [["1234567890"], ["12", "34"], ["5"]])
  }

  @Test(arguments: [0, -1, Int.min])
  func `A limit below one skips nothing`(limit: Int) {
    var table = LogTable()
    let id = table.append("1", at: at(0))
    let page = table.read(news, from: .earliest, limit: ReadLimit(messages: limit, bytes: limit), at: at(0))
    #expect(page.messages.map(\.id) == [id])
  }

  // MARK: Positions that name nothing here

  @Test func `A tag that does not match is a reset`() {
    var table = LogTable()
    let ids = (1...5).map { table.append("\($0)", tag: UInt32($0), bounds: LogBounds(messagesMax: 3), at: at(0)) }
    // The last removed, a retained one, and the head.
    for id in [ids[1], ids[2], ids[4]] {
      var other = id
      other.tag += 100
      let page = table.read(from: .after(other), at: at(0))
      #expect(page.gap == Gap(channel: news, reason: .reset, missed: nil))
      #expect(page.texts == ["3", "4", "5"] && page.next == ids[4])
      #expect(table.read(from: .after(id), at: at(0)).gap == nil)
    }
  }

  @Test func `A cursor ahead of the log is a reset`() {
    var table = LogTable()
    var id = table.append("1", at: at(0))
    id.sequence += 1
    let page = table.read(from: .after(id), at: at(0))
    #expect(page.gap?.reason == .reset && page.texts == ["1"])
    #expect(table.read(from: .after(page.next), at: at(0)).isEmpty)
  }

  @Test func `A cursor of another epoch is a reset`() {
    var table = LogTable()
    let id = table.append("1", at: at(0))
    for epoch in [0, 1, id.epoch.rawValue - 1, id.epoch.rawValue + 1, id.epoch.rawValue ^ (1 << 63), .max] {
      for sequence: UInt64 in [0, 1, 2] {
        let other = Position(epoch: Epoch(rawValue: epoch), sequence: sequence, tag: sequence == 0 ? 0 : id.tag)
        let page = table.read(from: .after(other), at: at(0))
        #expect(page.gap == Gap(channel: news, reason: .reset, missed: nil), "\(other)")
        #expect(page.texts == ["1"] && page.next == id)
      }
    }
  }

  @Test func `A reset is told once even where nothing is retained`() {
    var table = LogTable()
    let foreign = Position(epoch: Epoch(rawValue: 3), sequence: 9, tag: 9)
    let page = table.read(from: .after(foreign), at: at(0))
    #expect(page.gap?.reason == .reset && page.messages.isEmpty)
    #expect(table.read(from: .after(page.next), at: at(0)).isEmpty)
  }

  @Test func `A position before a channel's first message misses nothing of it`() {
    var table = LogTable()
    let start = table.read(from: .now, at: at(0)).next
    #expect(start.sequence == 0 && start.tag == 0)
    // Others are born in between, so that the epochs differ.
    for name in ["a", "b", "c"] { table.append("0", to: .named(name), at: at(0)) }
    table.append("1", at: at(0))
    let page = table.read(from: .after(start), at: at(0))
    #expect(page.gap == nil && page.texts == ["1"])
    #expect(table.read(from: .after(start), at: at(400)).gap == Gap(channel: news, reason: .expired, missed: 1))
  }

  // MARK: Deletion

  @Test func `Every cursor from before a deletion is a reset and one from after it misses nothing`() {
    var table = LogTable()
    let start = table.read(from: .now, at: at(0)).next
    let id = table.append("1", at: at(0))
    let existed = table.delete(news)
    #expect(existed)
    let after = table.read(from: .now, at: at(0)).next
    for old in [start, id] {
      let page = table.read(from: .after(old), at: at(0))
      #expect(page.gap == Gap(channel: news, reason: .reset, missed: nil) && page.messages.isEmpty)
      #expect(page.next == after)
    }
    #expect(table.read(from: .after(after), at: at(0)).isEmpty)
    let new = table.append("2", at: at(0))
    #expect(new.epoch != id.epoch && new.sequence == 1)
    for old in [start, id] { #expect(table.read(from: .after(old), at: at(0)).gap?.reason == .reset) }
    let page = table.read(from: .after(after), at: at(0))
    #expect(page.gap == nil && page.texts == ["2"])
  }

  @Test func `Deleting twice or where nothing was says so`() {
    var table = LogTable()
    var answers = [table.delete(news)]
    table.append("1", at: at(0))
    answers.append(table.delete(news))
    answers.append(table.delete(news))
    #expect(answers == [false, true, false])
    #expect(table.summary(news, at: at(0)) == nil)
  }

  @Test func `Timestamps rise through a deletion`() {
    var table = LogTable()
    table.append("1", at: at(100))
    let first = table.read(from: .earliest, at: at(100)).messages[0].timestamp
    _ = table.delete(news)
    table.append("2", at: at(100, unix: 5))
    #expect(table.read(from: .earliest, at: at(100)).messages[0].timestamp > first)
  }

  // MARK: Remnants

  @Test func `A log that expired and was dropped still tells the exact number`() {
    var table = LogTable()
    let start = table.read(from: .now, at: at(0)).next
    let ids = (1...7).map { table.append("\($0)", at: at(0)) }
    table.sweep(steps: 10, at: at(300)) { _ in false }
    #expect(table.logCount == 0 && table.remnantCount == 1 && table.footprint == 0)
    #expect(table.read(from: .after(ids[2]), at: at(300)).gap == Gap(channel: news, reason: .expired, missed: 4))
    #expect(table.read(from: .after(start), at: at(300)).gap?.missed == 7)
    #expect(table.read(from: .after(ids[6]), at: at(300)).isEmpty)
    var wrong = ids[6]
    wrong.tag += 1
    #expect(table.read(from: .after(wrong), at: at(300)).gap?.reason == .reset)
    let next = table.append("8", at: at(301))
    #expect(next.sequence == 8 && next.epoch == ids[0].epoch)
    #expect(table.read(from: .after(ids[6]), at: at(301)).texts == ["8"])
    #expect(table.read(from: .after(wrong), at: at(301)).gap?.reason == .reset)
  }

  @Test func `A log that somebody waits on is not dropped and one with messages neither`() {
    var table = LogTable()
    table.append("1", at: at(0))
    table.append("2", to: sport, at: at(290))
    table.sweep(steps: 10, at: at(300)) { $0 == news }
    #expect(table.logCount == 2)
    table.sweep(steps: 10, at: at(300)) { _ in false }
    #expect(table.logCount == 1)
  }

  @Test func `The sweep gets round to every log however few steps it takes at once`() {
    var table = LogTable()
    for index in 0..<100 { table.append("1", to: .named("\(index)"), at: at(0)) }
    for _ in 0..<100 { table.sweep(steps: 1, at: at(300)) { _ in false } }
    #expect(table.logCount == 0)
    table.sweep(steps: 5, at: at(300)) { _ in false }
  }

  @Test func `A channel forgotten altogether is a reset and never a silent hole`() {
    var table = LogTable(remnantsMax: 2)
    let start = table.read(from: .now, at: at(0)).next
    let id = table.append("1", at: at(0))
    let timestamp = table.read(from: .earliest, at: at(0)).messages[0].timestamp
    for index in 0..<3 { table.append("1", to: .named("\(index)"), at: at(0)) }
    for _ in 0..<4 { table.sweep(steps: 1, at: at(300)) { _ in false } }
    #expect(table.remnantCount == 2)
    for old in [start, id] { #expect(table.read(from: .after(old), at: at(300)).gap?.reason == .reset) }
    table.append("2", at: at(300, unix: -1000))
    for old in [start, id] {
      let page = table.read(from: .after(old), at: at(300))
      #expect(page.gap?.reason == .reset && page.texts == ["2"])
      #expect(page.messages[0].timestamp > timestamp)
    }
  }

  @Test func `A deleted channel forgotten altogether is a reset too`() {
    var table = LogTable(remnantsMax: 1)
    let start = table.read(from: .now, at: at(0)).next
    table.append("1", at: at(0))
    _ = table.delete(news)
    table.append("1", to: sport, at: at(0))
    _ = table.delete(sport)
    #expect(table.remnantCount == 1)
    table.append("2", at: at(1))
    #expect(table.read(from: .after(start), at: at(1)).gap?.reason == .reset)
  }

  @Test func `A channel never published to is told no reset when logs of other names are forgotten`() {
    var table = LogTable(remnantsMax: 1)
    let names = (0..<1000).map { ChannelName.named("never\($0)") }
    let start = table.read(from: .now, at: at(0)).next
    for index in 0..<3 {
      let name = ChannelName.named("\(index)")
      table.append("1", to: name, at: at(1))
      _ = table.delete(name)
    }
    #expect(table.remnantCount == 1)
    let cells = Set((0..<2).map { Forgotten.cell(of: .named("\($0)")) })
    for name in names where !cells.contains(Forgotten.cell(of: name)) {
      #expect(table.read(name, from: .after(start), at: at(2)).isEmpty)
      #expect(table.read(name, from: .since(Timestamp(microseconds: at(0).unix)), at: at(2)).isEmpty)
      table.append("2", to: name, at: at(3))
      let page = table.read(name, from: .after(start), at: at(3))
      #expect(page.gap == nil && page.texts == ["2"])
    }
  }

  @Test func `A forgotten channel is a gap to a since from before its messages too`() {
    var table = LogTable(remnantsMax: 1)
    table.append("1", at: at(1))
    table.append("2", to: sport, at: at(1))
    for _ in 0..<2 { table.sweep(steps: 1, at: at(301)) { _ in false } }
    #expect(table.logCount == 0 && table.remnantCount == 1)
    for name in [news, sport] {
      let page = table.read(name, from: .since(Timestamp(microseconds: at(0).unix)), at: at(301))
      #expect(page.gap == Gap(channel: name, reason: .expired, missed: nil))
      #expect(table.read(name, from: .since(page.timestamp), at: at(301)).isEmpty)
      table.append("3", to: name, at: at(302))
      let later = table.read(name, from: .since(Timestamp(microseconds: at(0).unix)), at: at(302))
      #expect(later.gap?.reason == .expired && later.texts == ["3"])
    }
  }

  @Test func `However many names come and go no more is remembered than the bound says`() {
    var table = LogTable(remnantsMax: 100)
    for index in 0..<50_000 {
      let name = ChannelName.named("\(index)")
      table.append("1", to: name, at: at(0))
      if index % 2 == 0 { _ = table.delete(name) } else { table.sweep(steps: 1, at: at(300)) { _ in false } }
    }
    #expect(table.remnantCount <= 100 && table.logCount == 0 && table.footprint == 0)
  }

  @Test func `A poll creates nothing for a million names`() {
    let store = MemoryStore()
    for index in 0..<1_000_000 {
      _ = store.read(.named("\(index)"), from: .now, limit: ReadLimit(), at: at(0))
    }
    #expect(store.channels().isEmpty && store.bytesUsed == 0)
    var table = LogTable()
    let before = table.read(from: .now, at: at(0)).next
    for index in 0..<1000 { _ = table.read(.named("\(index)"), from: .earliest, at: at(0)) }
    #expect(table.logCount == 0 && table.remnantCount == 0)
    // Not even an epoch.
    let after = table.read(from: .now, at: at(0)).next
    #expect(before == after)
  }

  // MARK: The clock

  @Test func `A clock set back an hour neither turns timestamps back nor makes anything older or younger`() throws {
    var table = LogTable(idempotencyAge: .seconds(600))
    let bounds = LogBounds(ageMax: .seconds(300))
    func publish(_ text: String, key: String?, _ moment: Moment) throws -> Appended {
      try table.append(Draft(json(text), idempotencyKey: key), to: news, tag: 1, bounds: bounds, at: moment)
    }
    let first = try publish("1", key: "k", at(0, unix: 0))
    for index in 2...5 { _ = try publish("\(index)", key: nil, at(Double(index), unix: -3600)) }
    let messages = table.read(from: .earliest, at: at(6, unix: -3600)).messages
    for (earlier, later) in zip(messages, messages.dropFirst()) { #expect(earlier.timestamp < later.timestamp) }
    #expect(messages.count == 5)
    #expect(try publish("1", key: "k", at(299, unix: -3600)).id == first.id)
    #expect(table.read(from: .earliest, at: at(300, unix: -3600)).texts == ["2", "3", "4", "5"])
    #expect(table.read(from: .earliest, at: at(304, unix: 9999)).texts == ["5"])
    #expect(try publish("1", key: "k", at(599.9, unix: 9999)).isRepeated)
    #expect(try !publish("1", key: "k", at(600, unix: -3600)).isRepeated)
  }

  @Test func `Many messages in one microsecond have timestamps that rise strictly`() {
    var table = LogTable()
    for _ in 0..<100 { table.append("1", at: at(0)) }
    let timestamps = table.read(from: .earliest, at: at(0)).messages.map(\.timestamp.microseconds)
    #expect(timestamps == (0..<100).map { at(0).unix + Int64($0) })
  }

  // MARK: since

  @Test func `since gives what has a later timestamp`() {
    var table = LogTable()
    for index in 1...5 { table.append("\(index)", at: at(Double(index))) }
    func since(_ seconds: Double) -> Page {
      table.read(from: .since(Timestamp(microseconds: at(seconds).unix)), at: at(6))
    }
    #expect(table.read(from: .since(Timestamp(microseconds: 0)), at: at(6)).texts == ["1", "2", "3", "4", "5"])
    #expect(since(2).texts == ["3", "4", "5"])
    #expect(since(2.5).texts == ["3", "4", "5"])
    #expect(since(5).isEmpty && since(100).isEmpty)
    #expect(since(0).gap == nil && since(2).gap == nil)
  }

  @Test func `since tells of later messages that were removed unless it is 0`() {
    var table = LogTable()
    for index in 1...5 { table.append("\(index)", bounds: LogBounds(messagesMax: 2), at: at(Double(index))) }
    func since(_ seconds: Double) -> Page {
      table.read(from: .since(Timestamp(microseconds: at(seconds).unix)), at: at(6))
    }
    let gap = Gap(channel: news, reason: .expired, missed: nil)
    #expect(since(2.9).gap == gap && since(2.9).texts == ["4", "5"])
    #expect(since(3).gap == nil && since(3).texts == ["4", "5"])
    #expect(table.read(from: .since(Timestamp(microseconds: 0)), at: at(6)).gap == nil)
    table.append("6", ttl: .seconds(1), bounds: LogBounds(messagesMax: 2), at: at(6))
    #expect(table.read(from: .since(Timestamp(microseconds: at(5.5).unix)), at: at(8)).gap == gap)
    #expect(table.read(from: .since(Timestamp(microseconds: at(6).unix)), at: at(8)).isEmpty)
  }

  @Test func `since tells of a log that was dropped or deleted and of a moment to go on from`() {
    var table = LogTable()
    table.append("1", at: at(1))
    table.sweep(steps: 1, at: at(301)) { _ in false }
    var page = table.read(from: .since(Timestamp(microseconds: at(0).unix)), at: at(301))
    #expect(page.gap?.reason == .expired && page.messages.isEmpty)
    #expect(page.timestamp.microseconds == at(1).unix)
    #expect(table.read(from: .since(page.timestamp), at: at(301)).isEmpty)
    table.append("2", at: at(302))
    _ = table.delete(news)
    page = table.read(from: .since(Timestamp(microseconds: at(301).unix)), at: at(302))
    #expect(page.gap != nil)
    #expect(table.read(from: .since(page.timestamp), at: at(302)).isEmpty)
  }

  // MARK: The whole store

  @Test func `A full store refuses and takes messages again when others have expired`() throws {
    let store = MemoryStore(limits: MemoryStore.Limits(bytesMax: 10_000))
    var accepted = 0
    #expect(throws: PublishError(.storeFull)) {
      while true {
        _ = try store.append(Draft(json("12345678")), to: .named("\(accepted)"), at: at(0))
        accepted += 1
      }
    }
    // "About": a log's own cost is known only when it is there.
    #expect(accepted > 5 && store.bytesUsed <= 10_400)
    for _ in 0..<100 { store.sweep(share: 1, at: at(300)) { _ in false } }
    #expect(store.bytesUsed == 0)
    #expect(throws: Never.self) { try store.append(Draft(json("1")), to: news, at: at(300)) }
  }

  @Test func `A full store still answers a publish that is repeated`() throws {
    let store = MemoryStore(limits: MemoryStore.Limits(bytesMax: 1000))
    let first = try store.append(Draft(json("1"), idempotencyKey: "k"), to: news, at: at(0))
    #expect(throws: PublishError(.storeFull)) {
      while true { _ = try store.append(Draft(json("12345678")), to: sport, at: at(0)) }
    }
    let again = try store.append(Draft(json("1"), idempotencyKey: "k"), to: news, at: at(0))
    #expect(again.id == first.id && again.isRepeated)
  }

  @Test func `A summary says what is retained`() {
    var table = LogTable()
    #expect(table.summary(news, at: at(0)) == nil)
    table.append("12", at: at(0))
    let oldest = table.append("345", at: at(1))
    let head = table.append("6", at: at(2))
    let summary = table.summary(news, at: at(300))
    #expect(summary?.head == head && summary?.oldest == oldest && summary?.count == 2 && summary?.bytes == 4)
    #expect(summary?.timestamp.microseconds == at(2).unix)
    #expect(table.summary(news, at: at(1000))?.oldest == nil)
    #expect(table.summary(news, at: at(1000))?.head == head)
  }

  @Test func `Two stores know nothing of one another's cursors`() throws {
    let one = MemoryStore()
    let two = MemoryStore()
    let id = try one.append(Draft(json("1")), to: news, at: at(0)).id
    let start = one.read(sport, from: .now, limit: ReadLimit(), at: at(0)).next
    _ = try two.append(Draft(json("1")), to: news, at: at(0))
    #expect(two.read(news, from: .after(id), limit: ReadLimit(), at: at(0)).gap?.reason == .reset)
    #expect(two.read(sport, from: .after(start), limit: ReadLimit(), at: at(0)).gap?.reason == .reset)
  }
}
