import HoldfastProtocol

/// Why bytes are not one JSON value.
struct JSONError: Error, Equatable, Sendable {
  /// Of the first wrong byte.
  var offset: Int
  var detail: String
  var isTooDeep = false
}

/// Walks over JSON text (RFC 8259) without building anything: it tells where a value ends, or which byte is wrong. Text
/// that passes is kept byte for byte, so what a client gets is what the publisher sent.
///
/// Nesting takes a bit a level, not a stack frame, so depth cannot overflow anything.
struct JSONScanner {
  private let bytes: [UInt8]
  private(set) var offset: Int

  static let depthMax = WireLimit.jsonDepthMax

  init(_ bytes: [UInt8], at offset: Int = 0) {
    self.bytes = bytes
    self.offset = offset
  }

  /// Checks that the whole is one value, with white space around it or none.
  static func validate(_ bytes: [UInt8]) throws(JSONError) {
    var scanner = JSONScanner(bytes)
    _ = try scanner.value()
    try scanner.end()
  }

  /// What lies between the quotes of a valid string, with its escapes undone; nil where they make no text (half of a
  /// surrogate pair).
  static func text(_ bytes: [UInt8]) -> String? {
    if !bytes.contains(UInt8(ascii: "\\")) { return String(decoding: bytes, as: UTF8.self) }
    var units: [UInt16] = []
    var rest = bytes[...]
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "\\"), let escape = rest.popFirst() else {
        let length = byte < 0x80 ? 0 : byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3
        units += String(decoding: [byte] + rest.prefix(length), as: UTF8.self).utf16
        rest = rest.dropFirst(length)
        continue
      }
      switch escape {
      case UInt8(ascii: "b"): units.append(8)
      case UInt8(ascii: "f"): units.append(12)
      case UInt8(ascii: "n"): units.append(10)
      case UInt8(ascii: "r"): units.append(13)
      case UInt8(ascii: "t"): units.append(9)
      case UInt8(ascii: "u"):
        units.append(rest.prefix(4).reduce(0) { $0 << 4 | UInt16($1.hexValue ?? 0) })
        rest = rest.dropFirst(4)
      default: units.append(UInt16(escape))
      }
    }
    return String(validating: units, as: UTF16.self)
  }

  var isAtEnd: Bool { offset == bytes.count }

  func peek() -> UInt8? { offset < bytes.count ? bytes[offset] : nil }

  mutating func skipSpace() {
    while offset < bytes.count {
      switch bytes[offset] {
      case 0x20, 0x09, 0x0a, 0x0d: offset += 1
      default: return
      }
    }
  }

  /// Nothing but white space may follow.
  mutating func end() throws(JSONError) {
    skipSpace()
    if !isAtEnd { throw JSONError(offset: offset, detail: "expected nothing after the value, found \(found)") }
  }

  mutating func take(_ byte: UInt8, _ expected: StaticString) throws(JSONError) {
    if peek() != byte { throw wrong(expected) }
    offset += 1
  }

  /// Skips one value with the white space before it.
  /// - Returns: Where the value lies.
  mutating func value() throws(JSONError) -> Range<Int> {
    skipSpace()
    let start = offset
    var levels = Levels()
    while true {
      // Here a value begins.
      skipSpace()
      switch peek() {
      case UInt8(ascii: "{"):
        try checkDepth(levels.count)
        offset += 1
        skipSpace()
        if peek() == UInt8(ascii: "}") {
          offset += 1
        } else {
          levels.push(isObject: true)
          try memberName()
          continue
        }
      case UInt8(ascii: "["):
        try checkDepth(levels.count)
        offset += 1
        skipSpace()
        if peek() == UInt8(ascii: "]") {
          offset += 1
        } else {
          levels.push(isObject: false)
          continue
        }
      default: try scalar()
      }
      // Here a value has ended: go on in what holds it.
      while let inObject = levels.last {
        skipSpace()
        if peek() == UInt8(ascii: ",") {
          offset += 1
          if inObject {
            skipSpace()
            try memberName()
          }
          break
        }
        try take(
          inObject ? UInt8(ascii: "}") : UInt8(ascii: "]"), inObject ? "',' or '}'" : "',' or ']'")
        levels.pop()
      }
      if levels.count == 0 { return start..<offset }
    }
  }

  /// What a value stands in: a bit a level.
  private struct Levels {
    private(set) var count = 0
    private var objects = InlineArray<8, UInt64>(repeating: 0)

    var last: Bool? { count == 0 ? nil : objects[(count - 1) / 64] >> UInt64((count - 1) % 64) & 1 == 1 }

    /// There are fewer than ``JSONScanner/depthMax``, which is 8 times 64.
    mutating func push(isObject: Bool) {
      let bit: UInt64 = 1 << UInt64(count % 64)
      if isObject { objects[count / 64] |= bit } else { objects[count / 64] &= ~bit }
      count += 1
    }

    mutating func pop() { count -= 1 }
  }

  /// Another object or array may begin within so many.
  private func checkDepth(_ depth: Int) throws(JSONError) {
    if depth == JSONScanner.depthMax {
      throw JSONError(
        offset: offset, detail: "values are nested more than \(JSONScanner.depthMax) deep", isTooDeep: true)
    }
  }

  private mutating func memberName() throws(JSONError) {
    if peek() != UInt8(ascii: "\"") { throw wrong("a member's name in quotes") }
    _ = try string()
    skipSpace()
    try take(UInt8(ascii: ":"), "':' after a member's name")
  }

  private mutating func scalar() throws(JSONError) {
    guard let first = peek() else { throw wrong("a value") }
    switch first {
    case UInt8(ascii: "\""): _ = try string()
    case UInt8(ascii: "t"): try word("true")
    case UInt8(ascii: "f"): try word("false")
    case UInt8(ascii: "n"): try word("null")
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): try number()
    default: throw wrong("a value")
    }
  }

  private mutating func word(_ text: StaticString) throws(JSONError) {
    for index in 0..<text.utf8CodeUnitCount {
      if peek() != text.withUTF8Buffer({ unsafe $0[index] }) { throw wrong(text) }
      offset += 1
    }
  }

  private mutating func number() throws(JSONError) {
    if peek() == UInt8(ascii: "-") { offset += 1 }
    if peek() == UInt8(ascii: "0") { offset += 1 } else { try digits() }
    if peek() == UInt8(ascii: ".") {
      offset += 1
      try digits()
    }
    if peek() == UInt8(ascii: "e") || peek() == UInt8(ascii: "E") {
      offset += 1
      if peek() == UInt8(ascii: "+") || peek() == UInt8(ascii: "-") { offset += 1 }
      try digits()
    }
  }

  private mutating func digits() throws(JSONError) {
    if peek()?.isDigit != true { throw wrong("a digit") }
    while peek()?.isDigit == true { offset += 1 }
  }

  /// Skips a string, whose quote is next.
  /// - Returns: What lies between the quotes, escapes and all.
  mutating func string() throws(JSONError) -> Range<Int> {
    try take(UInt8(ascii: "\""), "a string")
    let start = offset
    while let byte = peekBehindPlain() {
      switch byte {
      case UInt8(ascii: "\""):
        offset += 1
        return start..<offset - 1
      case UInt8(ascii: "\\"): try escape()
      case 0..<0x20: throw JSONError(offset: offset, detail: "a control character in a string must be escaped")
      default:
        guard let length = bytes.span.lengthOfUTF8(at: offset) else {
          throw JSONError(offset: offset, detail: "a string has bytes that are not UTF-8")
        }
        offset += length
      }
    }
    throw JSONError(offset: offset, detail: "the text ends within a string")
  }

  /// Skips what in a string needs no second look.
  private mutating func peekBehindPlain() -> UInt8? {
    let next = bytes.span.first(in: offset..<bytes.count) {
      $0.below(0x20) | $0.above(0x7f) | $0.equal(UInt8(ascii: "\"")) | $0.equal(UInt8(ascii: "\\"))
    }
    offset = next ?? bytes.count
    return next.map { bytes[$0] }
  }

  private mutating func escape() throws(JSONError) {
    offset += 1
    switch peek() {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
      UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
      offset += 1
    case UInt8(ascii: "u"):
      offset += 1
      for _ in 0..<4 {
        if peek()?.hexValue == nil { throw wrong("four hexadecimal digits after \\u") }
        offset += 1
      }
    default: throw wrong("an escape that JSON knows after \\")
    }
  }

  private func wrong(_ expected: StaticString) -> JSONError {
    JSONError(offset: offset, detail: "expected \(expected), found \(found)")
  }

  /// What is next, for people.
  private var found: String {
    guard let byte = peek() else { return "the end" }
    return byte > 0x20 && byte < 0x7f ? "'\(Character(UnicodeScalar(byte)))'" : "byte \(byte)"
  }
}

extension Span<UInt8> {
  /// The length of the one well-formed UTF-8 sequence at `offset`; nil where there is none.
  func lengthOfUTF8(at offset: Int) -> Int? {
    func continues(_ index: Int, _ range: ClosedRange<UInt8> = 0x80...0xbf) -> Bool {
      offset + index < count && range.contains(self[offset + index])
    }
    switch self[offset] {
    case 0x00...0x7f: return 1
    case 0xc2...0xdf: return continues(1) ? 2 : nil
    case 0xe0: return continues(1, 0xa0...0xbf) && continues(2) ? 3 : nil
    case 0xed: return continues(1, 0x80...0x9f) && continues(2) ? 3 : nil
    case 0xe1...0xef: return continues(1) && continues(2) ? 3 : nil
    case 0xf0: return continues(1, 0x90...0xbf) && continues(2) && continues(3) ? 4 : nil
    case 0xf4: return continues(1, 0x80...0x8f) && continues(2) && continues(3) ? 4 : nil
    case 0xf1...0xf3: return continues(1) && continues(2) && continues(3) ? 4 : nil
    default: return nil
    }
  }

  /// The offset of the first byte that is not UTF-8; nil where all is.
  func firstInvalidUTF8() -> Int? {
    var offset = 0
    while offset < count {
      guard let length = lengthOfUTF8(at: offset) else { return offset }
      offset += length
    }
    return nil
  }
}
