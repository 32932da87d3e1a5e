enum Byte {
  static let tab: UInt8 = 9
  static let lf: UInt8 = 10
  static let cr: UInt8 = 13
  static let space: UInt8 = 32
}

extension UInt8 {
  var isDigit: Bool { self >= UInt8(ascii: "0") && self <= UInt8(ascii: "9") }

  /// Whether it may stand in a field's name or a method (RFC 9110, 5.6.2).
  @inline(__always)
  var isToken: Bool { isIn(0x03ff_6cfa_0000_0000, 0x57ff_ffff_c7ff_fffe) }

  /// Whether it may stand in a host: a letter, a digit, one of `-._:[]`.
  @inline(__always)
  var isHost: Bool { isIn(0x07ff_6000_0000_0000, 0x07ff_fffe_afff_fffe) }

  /// Whether it is in a set of ASCII characters, given as a bit for each of the first and the second 64.
  @inline(__always)
  private func isIn(_ first: UInt64, _ second: UInt64) -> Bool {
    self < 128 && (self < 64 ? first : second) &>> UInt64(self & 63) & 1 == 1
  }

  var hexValue: UInt8? {
    switch self {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): self - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): self - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): self - UInt8(ascii: "A") + 10
    default: nil
    }
  }
}

extension Span<UInt8> {
  /// Whether the bytes in `range` are exactly `text`.
  @inline(__always)
  func matches(_ text: StaticString, at range: Range<Int>) -> Bool {
    matches(text, at: range, folding: 0)
  }

  /// The same for a lower-case `text` of letters, digits and `-:/`, letters being equal in both cases. The bytes must be
  /// none of control characters, which the folding could take for others.
  @inline(__always)
  func matchesIgnoringCase(_ text: StaticString, at range: Range<Int>) -> Bool {
    matches(text, at: range, folding: 0x2020_2020_2020_2020)
  }

  /// By words of eight bytes, or of four, of which the last two overlap. For a text that is known where this is inlined its
  /// words are constants.
  @inline(__always)
  private func matches(_ text: StaticString, at range: Range<Int>, folding bits: UInt64) -> Bool {
    let length = text.utf8CodeUnitCount
    if range.count != length || range.upperBound > count { return false }
    return unsafe withUnsafeBytes { bytes in
      let given = unsafe UnsafeRawBufferPointer(rebasing: bytes[range])
      let wanted = unsafe UnsafeRawBufferPointer(start: text.utf8Start, count: length)
      func differs<Word: FixedWidthInteger>(at offset: Int, _: Word.Type) -> Bool {
        let word = unsafe given.loadUnaligned(fromByteOffset: offset, as: Word.self)
        return unsafe word | Word(truncatingIfNeeded: bits)
          != wanted.loadUnaligned(fromByteOffset: offset, as: Word.self)
      }
      switch length {
      case 8...:
        for offset in stride(from: 0, to: length - 8, by: 8) where differs(at: offset, UInt64.self) { return false }
        return !differs(at: length - 8, UInt64.self)
      case 4..<8: return !differs(at: 0, UInt32.self) && !differs(at: length - 4, UInt32.self)
      default:
        for offset in 0..<length where differs(at: offset, UInt8.self) { return false }
        return true
      }
    }
  }

  /// The offset of the first control character from `start` on, tabs aside; nil where there is none.
  func firstControl(from start: Int) -> Int? {
    var start = start
    while let index = first(in: start..<count, { $0.below(0x20) | $0.equal(0x7f) }) {
      if self[index] != Byte.tab { return index }
      start = index + 1
    }
    return nil
  }

  /// Whether a comma-separated list holds a lower-case `word`.
  func listContains(_ word: StaticString, in range: Range<Int>) -> Bool {
    var start = range.lowerBound
    while start <= range.upperBound {
      var end = start
      while end < range.upperBound, self[end] != UInt8(ascii: ",") { end += 1 }
      if matchesIgnoringCase(word, at: trimmed(start..<end)) { return true }
      start = end + 1
    }
    return false
  }

  /// Without blanks at either end.
  func trimmed(_ range: Range<Int>) -> Range<Int> {
    var start = range.lowerBound
    var end = range.upperBound
    while start < end, self[start] == Byte.space || self[start] == Byte.tab { start += 1 }
    while end > start, self[end - 1] == Byte.space || self[end - 1] == Byte.tab { end -= 1 }
    return start..<end
  }

  /// Where the authority of an `http` or `https` URL begins.
  func afterScheme(_ range: Range<Int>) -> Int? {
    for scheme: StaticString in ["http://", "https://"] {
      let length = scheme.utf8CodeUnitCount
      if range.count > length, matchesIgnoringCase(scheme, at: range.prefix(length)) {
        return range.lowerBound + length
      }
    }
    return nil
  }

  func string(_ range: Range<Int>) -> String {
    unsafe extracting(range).withUnsafeBufferPointer { unsafe String(decoding: $0, as: UTF8.self) }
  }

  func array(_ range: Range<Int>) -> [UInt8] {
    unsafe extracting(range).withUnsafeBufferPointer { unsafe Array($0) }
  }
}
