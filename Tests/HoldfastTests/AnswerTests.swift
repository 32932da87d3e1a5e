import Testing

@testable import Holdfast

@Suite struct AnswerTests {
  private static let channels = [news, sport, weather]

  @Test func `Messages of several channels are merged by timestamp and keep each channel's order`() {
    var table = LogTable()
    for (index, channel) in [news, sport, news, weather, sport, news].enumerated() {
      table.append("\(index)", to: channel, at: at(Double(index)))
    }
    let pages = Self.channels.map { table.read($0, from: .earliest, at: at(9)) }
    let answer = Answer(pages, limit: ReadLimit())
    #expect(answer.texts == ["0", "1", "2", "3", "4", "5"])
    #expect(answer.cursor == Cursor(pages.map { .after($0.next) }))
    #expect(!answer.more && answer.gaps.isEmpty && !answer.isEmpty)
    #expect(answer.timestamp.microseconds == at(5).unix)
  }

  @Test func `Messages of one moment keep the order of the channels`() {
    var table = LogTable()
    table.append("sport", to: sport, at: at(0))
    table.append("news", to: news, at: at(0))
    let answer = Answer([news, sport].map { table.read($0, from: .earliest, at: at(0)) }, limit: ReadLimit())
    #expect(answer.texts == ["news", "sport"])
  }

  @Test func `A gap is told together with what follows it and exactly once across pages`() {
    var table = LogTable()
    let bounds = LogBounds(messagesMax: 1)
    let newsStart = table.append("n1", to: news, bounds: bounds, at: at(0))
    let sportStart = table.append("s1", to: sport, bounds: bounds, at: at(0))
    for index in 2...4 {
      table.append("n\(index)", to: news, bounds: bounds, at: at(Double(index)))
      table.append("s\(index)", to: sport, bounds: bounds, at: at(Double(index)))
    }
    var starts: [ReadStart] = [.after(newsStart), .after(sportStart)]
    var told: [String] = []
    for _ in 0..<3 {
      let limit = ReadLimit(messages: 1)
      let pages = zip([news, sport], starts).map { table.read($0, from: $1, limit: limit, at: at(9)) }
      let answer = Answer(pages, limit: limit)
      told.append((answer.gaps.map { "\($0.channel) \($0.missed ?? 0)" } + answer.texts).joined(separator: ", "))
      starts = answer.cursor.starts
    }
    #expect(told == ["news 2, n4", "sport 2, s4", ""])
  }

  @Test func `Of a page that is cut off only the holes before the cut are told`() {
    var table = LogTable()
    let start = table.read(news, from: .now, at: at(0)).next
    for index in 1...6 { table.append("n\(index)", ttl: index % 2 == 1 ? .seconds(1) : nil, at: at(Double(index))) }
    table.append("s3", to: sport, at: at(3))
    var starts: [ReadStart] = [.after(start), .earliest]
    var told: [String] = []
    for _ in 0..<3 {
      let limit = ReadLimit(messages: 2)
      let pages = zip([news, sport], starts).map { table.read($0, from: $1, limit: limit, at: at(9)) }
      let answer = Answer(pages, limit: limit)
      told.append((answer.gaps.map { "\($0.channel) \($0.missed ?? 0)" } + answer.texts).joined(separator: ", "))
      starts = answer.cursor.starts
    }
    #expect(told == ["news 1, n2, s3", "news 2, n4, n6", ""])
  }

  @Test func `A gap where nothing follows is told at once`() {
    var table = LogTable()
    let id = table.append("1", to: news, at: at(0))
    _ = table.delete(news)
    table.append("2", to: sport, at: at(0))
    let pages = [table.read(news, from: .after(id), at: at(0)), table.read(sport, from: .earliest, at: at(0))]
    let answer = Answer(pages, limit: ReadLimit(messages: 1))
    #expect(answer.gaps == [Gap(channel: news, reason: .reset, missed: nil)] && answer.texts == ["2"])
  }

  @Test func `A gap of since is told even where its channel's messages are cut off`() {
    var table = LogTable()
    for index in [1, 2, 9] {
      table.append("n\(index)", to: news, bounds: LogBounds(messagesMax: 1), at: at(Double(index)))
    }
    table.append("s5", to: sport, at: at(5))
    let limit = ReadLimit(messages: 1)
    func read(_ since: Int64) -> Answer {
      Answer(
        [news, sport].map {
          table.read($0, from: .since(Timestamp(microseconds: since)), limit: limit, at: at(10))
        }, limit: limit)
    }
    let answer = read(at(0).unix)
    #expect(answer.texts == ["s5"])
    // The next since is past what was removed: this was the last chance to tell.
    #expect(answer.gaps == [Gap(channel: news, reason: .expired, missed: nil)])
    #expect(read(at(5).unix).gaps.isEmpty && read(at(5).unix).texts == ["n9"])
  }

  /// Reads several logs page by page: all comes once, in each channel's order, merged by timestamp throughout.
  @Test(arguments: 0..<40) func `Paging loses nothing and repeats nothing whatever the limits`(seed: UInt64) {
    var random = SeededRandom(seed: seed)
    var table = LogTable()
    var ids: [Position: Timestamp] = [:]
    for index in 0..<(20 + random.below(60)) {
      let text = String(repeating: "x", count: random.below(random.oneIn(8) ? 40 : 10))
      let channel = Self.channels[random.below(3)]
      let id = table.append(
        text, to: channel, tag: UInt32(truncatingIfNeeded: random.next()), at: at(Double(index / 2)))
      ids[id] =
        table.read(channel, from: .earliest, limit: ReadLimit(messages: 1000), at: at(50)).messages.last?.timestamp
    }
    var starts: [ReadStart] = [.earliest, .earliest, .earliest]
    var messages: [Message] = []
    for _ in 0..<1000 {
      let limit = ReadLimit(messages: 1 + random.below(6), bytes: 1 + random.below(60))
      let pages = zip(Self.channels, starts).map { table.read($0, from: $1, limit: limit, at: at(50)) }
      let answer = Answer(pages, limit: limit)
      #expect(answer.messages.count <= limit.messages && answer.gaps.isEmpty)
      #expect(
        answer.messages.reduce(0) { $0 + $1.payload.bytes.count } <= limit.bytes || answer.messages.count == 1)
      messages += answer.messages
      starts = answer.cursor.starts
      #expect(answer.more == (messages.count < ids.count))
      if !answer.more { break }
    }
    #expect(Set(messages.map(\.id)) == Set(ids.keys) && messages.count == ids.count)
    for (earlier, later) in zip(messages, messages.dropFirst()) {
      #expect(earlier.timestamp <= later.timestamp)
      if earlier.channel == later.channel { #expect(earlier.id.sequence < later.id.sequence) }
    }
  }
}
