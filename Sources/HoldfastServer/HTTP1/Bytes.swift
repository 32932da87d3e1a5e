enum Byte {
  static let tab: UInt8 = 9
  static let lf: UInt8 = 10
  static let cr: UInt8 = 13
  static let space: UInt8 = 32
}

extension UInt8 {
  var isDigit: Bool { self >= UInt8(ascii: "0") && self <= UInt8(ascii: "9") }

  /// Whether it may stand in a field's name or a method (RFC 9110, 5.6.2).
  var isToken: Bool {
    switch self {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "!"), UInt8(ascii: "#"), UInt8(ascii: "$"),
      UInt8(ascii: "%"), UInt8(ascii: "&"), UInt8(ascii: "'"), UInt8(ascii: "*"), UInt8(ascii: "+"),
      UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "^"), UInt8(ascii: "_"), UInt8(ascii: "`"),
      UInt8(ascii: "|"), UInt8(ascii: "~"):
      true
    default: false
    }
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
  func matches(_ text: StaticString, at range: Range<Int>) -> Bool {
    matches(text, at: range) { $0 }
  }

  /// The same for a lower-case `text`, letters being equal in both cases.
  func matchesIgnoringCase(_ text: StaticString, at range: Range<Int>) -> Bool {
    matches(text, at: range) { $0 >= UInt8(ascii: "A") && $0 <= UInt8(ascii: "Z") ? $0 | 0x20 : $0 }
  }

  @inline(__always)
  private func matches(_ text: StaticString, at range: Range<Int>, _ fold: (UInt8) -> UInt8) -> Bool {
    if range.count != text.utf8CodeUnitCount || range.upperBound > count { return false }
    return text.withUTF8Buffer { text in
      var offset = 0
      for index in range {
        if unsafe fold(self[index]) != text[offset] { return false }
        offset += 1
      }
      return true
    }
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
