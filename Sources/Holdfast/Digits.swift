/// Numbers written as text, eight characters at a time: a word of 64 bits has one digit in each of its bytes, the first in
/// the lowest, and one store appends them all.
extension OutputSpan<UInt8> {
  /// Appends a number in decimal, where at least 20 bytes are free.
  @inlinable package mutating func appendDecimal(_ number: UInt64) {
    if number >= 100_000_000 {
      let (high, low) = number.quotientAndRemainder(dividingBy: 100_000_000)
      appendDecimal(high)
      append(word: Digits.eight(low) | Digits.zeros, count: 8)
    } else {
      let digits = Digits.eight(number)
      let leading = Swift.min(digits.trailingZeroBitCount / 8, 7)
      append(word: (digits | Digits.zeros) >> UInt64(leading * 8), count: 8 - leading)
    }
  }

  /// Appends six digits, where at least 8 bytes are free.
  @inlinable package mutating func appendSixDigits(_ number: UInt64) {
    append(word: (Digits.eight(number) | Digits.zeros) >> 16, count: 6)
  }

  /// Appends a number to the base 36, where at least 16 bytes are free.
  mutating func appendBase36(_ number: UInt64) {
    let eight: UInt64 = 36 * 36 * 36 * 36 * 36 * 36 * 36 * 36
    if number < eight { return appendShortBase36(number) }
    let (high, low) = number.quotientAndRemainder(dividingBy: eight)
    appendShortBase36(high)
    let (word, count) = Digits.base36(low)
    append(word: Digits.characters(word << UInt64(64 - 8 * count)), count: 8)
  }

  private mutating func appendShortBase36(_ number: UInt64) {
    let (word, count) = Digits.base36(number)
    append(word: Digits.characters(word), count: count)
  }

  /// Appends eight hexadecimal digits.
  mutating func appendHex(_ number: UInt32) {
    var word = UInt64(number)
    word = (word | word << 16) & 0x0000_ffff_0000_ffff
    word = (word | word << 8) & 0x00ff_00ff_00ff_00ff
    word = (word | word << 4) & 0x0f0f_0f0f_0f0f_0f0f
    append(word: Digits.characters(word.byteSwapped), count: 8)
  }

  /// Appends the lowest `count` bytes of a word, where eight bytes are free.
  @inlinable @inline(__always)
  package mutating func append(word: UInt64, count added: Int) {
    unsafe withUnsafeMutableBufferPointer { buffer, count in
      precondition(buffer.count - count >= 8)
      unsafe UnsafeMutableRawPointer(buffer.baseAddress! + count).storeBytes(of: word.littleEndian, as: UInt64.self)
      count += added
    }
  }
}

/// The digits of a number below 10⁸, or 36⁸, as the bytes of a word.
@usableFromInline package enum Digits {
  @usableFromInline package static var zeros: UInt64 { 0x3030_3030_3030_3030 }

  /// Eight decimal digits: halves of four, of two, of one, each pair of halves divided in one multiplication.
  @inlinable package static func eight(_ number: UInt64) -> UInt64 {
    let (high, low) = number.quotientAndRemainder(dividingBy: 10_000)
    var word = high | low << 32
    let hundreds = (word &* 10_486) >> 20 & 0x0000_007f_0000_007f
    word = hundreds | (word &- hundreds &* 100) << 16
    let tens = (word &* 103) >> 10 & 0x000f_000f_000f_000f
    return tens | (word &- tens &* 10) << 8
  }

  /// As few digits as the number has, or one.
  static func base36(_ number: UInt64) -> (word: UInt64, count: Int) {
    var (word, rest): (UInt64, UInt64) = (0, number)
    var count = 0
    repeat {
      let quotient = rest / 36
      word = word << 8 | (rest &- quotient &* 36)
      rest = quotient
      count += 1
    } while rest > 0 && count < 8
    return (word, count)
  }

  /// The characters for digits up to 35.
  static func characters(_ digits: UInt64) -> UInt64 {
    let letters = (digits &+ 0x7676_7676_7676_7676) >> 7 & 0x0101_0101_0101_0101
    return digits &+ zeros &+ letters &* 39
  }
}
