import Testing

@testable import Holdfast

@Suite struct DigitsTests {
  /// Around every power of the radix, the ends, and numbers of every length in bits.
  private static func numbers(radix: UInt64) -> [UInt64] {
    var numbers: [UInt64] = [0, .max, .max - 1]
    var power: UInt64 = 1
    while true {
      numbers += [power - 1, power, power + 1]
      let (next, overflow) = power.multipliedReportingOverflow(by: radix)
      if overflow { break }
      power = next
    }
    var random = SystemRandomNumberGenerator()
    for bits in 1...64 {
      for _ in 0..<100 { numbers.append(random.next() >> UInt64(64 - bits)) }
    }
    return numbers
  }

  private func text(_ write: (inout OutputSpan<UInt8>) -> Void) -> String {
    let bytes = [UInt8](capacity: 28) { write(&$0) }
    return String(decoding: bytes, as: UTF8.self)
  }

  @Test func `A number is written as the standard library writes it`() {
    for number in Self.numbers(radix: 10) { #expect(text { $0.appendDecimal(number) } == String(number)) }
    for number in Self.numbers(radix: 36) {
      #expect(text { $0.appendBase36(number) } == String(number, radix: 36))
    }
  }

  @Test func `Six digits, and eight of a tag, are written with the zeros before them`() {
    for number in Self.numbers(radix: 10) where number < 1_000_000 {
      #expect(text { $0.appendSixDigits(number) } == String(String(1_000_000 + number).dropFirst()))
    }
    for number in Self.numbers(radix: 16) where number <= UInt32.max {
      #expect(text { $0.appendHex(UInt32(number)) } == String(String((1 << 32) + number, radix: 16).dropFirst()))
    }
  }

  @Test func `The longest position fits its bound, at the very end of an array`() {
    let position = Position(epoch: Epoch(rawValue: .max), sequence: .max, tag: .max)
    var text: [UInt8] = []
    position.write(to: &text)
    #expect(text.count == Position.textBytesMax && Position(String(decoding: text, as: UTF8.self)) == position)
  }
}
