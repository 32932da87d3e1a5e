import Testing

@testable import Holdfast

@Suite struct CursorTests {
  @Test func `A position is read exactly as it is written`() {
    var random = SeededRandom(seed: 1)
    for _ in 0..<5000 {
      let shift = UInt64(random.below(64))
      let position = Position(
        epoch: Epoch(rawValue: random.next() >> shift), sequence: random.next() >> UInt64(random.below(64)),
        tag: UInt32(truncatingIfNeeded: random.next()))
      #expect(Position(position.description) == position)
    }
    let extremes = Position(epoch: Epoch(rawValue: .max), sequence: .max, tag: .max)
    #expect(extremes.description == "3w5e11264sgsf-18446744073709551615-ffffffff")
    #expect(Position(extremes.description) == extremes)
    let zero = Position(epoch: Epoch(rawValue: 0), sequence: 0, tag: 0)
    #expect(zero.description == "0-0-00000000")
    #expect(Position(zero.description) == zero)
  }

  @Test(arguments: [
    "", "-", "--", "a", "a-1", "a-1-", "-1-00000000", "a--00000000", "a-1-0000000", "a-1-000000000", "a-1-0000000g",
    "A-1-00000000", "a-1-ABCDEF00", "a-a-00000000", "a-01-00000000", "0a-1-00000000", "00-1-00000000", "a-00-00000000",
    "a-1-00000000-", "a-1-00000000-0", " a-1-00000000", "a-1-00000000 ", "a-+1-00000000", "a--1-00000000",
    "a-1-0000000\u{0}", "é-1-00000000", "3w5e11264sgsg-1-00000000", "zzzzzzzzzzzzzz-1-00000000",
    "a-18446744073709551616-00000000", "a-99999999999999999999999-00000000", "a_1_00000000", "now", "earliest",
  ])
  func `Any other text is no position`(text: String) {
    #expect(Position(text) == nil)
  }

  @Test func `Whatever text is read as a position is written as the same text`() {
    var random = SeededRandom(seed: 2)
    let valid = Array("q7m2kd-1042-9f3c21aa".utf8)
    var readable = 0
    for _ in 0..<20_000 {
      var bytes = valid
      for _ in 0...random.below(3) {
        let index = random.below(bytes.count)
        switch random.below(3) {
        case 0: bytes[index] = "0123456789abcfgzAZ-. ".utf8.randomElement(using: &random) ?? 0
        case 1: bytes.insert("0-1a".utf8.randomElement(using: &random) ?? 0, at: index)
        default: bytes.remove(at: index)
        }
      }
      let text = String(decoding: bytes, as: UTF8.self)
      if let position = Position(text) {
        readable += 1
        #expect(position.description == text)
      }
    }
    #expect(readable > 1000)
  }

  @Test func `A cursor of several channels is read exactly as it is written`() throws {
    var random = SeededRandom(seed: 3)
    for _ in 0..<1000 {
      let slots: [Cursor.Slot] = (0..<(1 + random.below(64))).map { _ in
        switch random.below(4) {
        case 0: .now
        case 1: .earliest
        default:
          .after(
            Position(
              epoch: Epoch(rawValue: random.next()), sequence: random.next(),
              tag: UInt32(truncatingIfNeeded: random.next())))
        }
      }
      let cursor = Cursor(slots)
      #expect(try Cursor(cursor.description, channelCount: slots.count) == cursor)
    }
  }

  @Test func `A word alone stands for every channel`() throws {
    #expect(try Cursor("now", channelCount: 3).slots == [.now, .now, .now])
    #expect(try Cursor("earliest", channelCount: 2).slots == [.earliest, .earliest])
    #expect(try Cursor("now", channelCount: 1).slots == [.now])
    #expect(throws: CursorError.slotCount(given: 1, wanted: 2)) { try Cursor("a-1-00000000", channelCount: 2) }
    #expect(throws: CursorError.slotCount(given: 2, wanted: 3)) { try Cursor("now.now", channelCount: 3) }
  }

  @Test func `A channel is added by appending a slot`() throws {
    let position = Position(epoch: Epoch(rawValue: 10), sequence: 1, tag: 0)
    #expect(try Cursor("a-1-00000000.now", channelCount: 2).slots == [.after(position), .now])
    #expect(try Cursor("a-1-00000000.earliest", channelCount: 2).slots == [.after(position), .earliest])
  }

  @Test func `Any other text is refused, with the slot that is wrong`() {
    #expect(throws: CursorError.slot(1)) { try Cursor("", channelCount: 1) }
    #expect(throws: CursorError.slot(1)) { try Cursor("Now", channelCount: 1) }
    #expect(throws: CursorError.slot(2)) { try Cursor("now.", channelCount: 2) }
    #expect(throws: CursorError.slot(2)) { try Cursor("now..now", channelCount: 3) }
    #expect(throws: CursorError.slot(2)) { try Cursor("now.later", channelCount: 2) }
    #expect(throws: CursorError.slotCount(given: 2, wanted: 1)) { try Cursor("now.now", channelCount: 1) }
    let many = Array(repeating: "now", count: 100_000).joined(separator: ".")
    #expect(throws: CursorError.slotCount(given: 65, wanted: 64)) { try Cursor(many, channelCount: 64) }
  }

  @Test func `What is wrong with a cursor is said in a sentence`() {
    let errors: [CursorError] = [.slot(2), .slotCount(given: 1, wanted: 2), .slotCount(given: 3, wanted: 2)]
    #expect(Set(errors.map { "\($0)" }).count == 3)
  }

  @Test func `A timestamp has six decimals and is never negative`() {
    #expect(Timestamp(microseconds: 1_790_000_000_123_456).description == "1790000000.123456")
    #expect(Timestamp(microseconds: 1_000_007).description == "1.000007")
    #expect(Timestamp(microseconds: -5).description == "0.000000")
  }

  @Test func `A duration beyond all measure stays at what an Int64 holds`() {
    #expect(Duration.seconds(Int64.max).nanoseconds == .max)
    #expect(Duration.seconds(Int64.min).nanoseconds == .min)
    #expect(Duration.milliseconds(1500).nanoseconds == 1_500_000_000)
    #expect(Duration.nanoseconds(-3).nanoseconds == -3)
  }
}
