/// Reads JSON from bytes, and can say where each value stands.
///
/// The `data` of a message belongs to its publisher and is kept byte for byte: `1.0`, `1e0` and two members of one name
/// stay what they are. A decoder that makes values of it loses that, so this reader gives back the range of a value it
/// was told to ``skip()``.
///
/// It guarantees: nothing in the input makes it trap, recurse or read past the end; what it skips is well-formed JSON.
/// It refuses nesting deeper than ``depthMax``.
struct JSONReader {
  /// Twice what a server takes, so that the two never disagree about a message by one level.
  static let depthMax = 1024

  /// What was not JSON, or not the value asked for.
  struct Malformed: Error, Equatable {
    /// The index of the first byte that does not fit.
    var offset: Int
  }

  let bytes: [UInt8]
  private(set) var offset = 0

  init(_ bytes: [UInt8]) {
    self.bytes = bytes
  }

  /// Reads an object and gives each member to `member`, which must read its value.
  mutating func object(_ member: (String, inout JSONReader) throws(Malformed) -> Void) throws(Malformed) {
    try expect(UInt8(ascii: "{"))
    if take(UInt8(ascii: "}")) { return }
    repeat {
      let name = try string()
      try expect(UInt8(ascii: ":"))
      try member(name, &self)
    } while take(UInt8(ascii: ","))
    try expect(UInt8(ascii: "}"))
  }

  /// Reads an array and calls `element` before each value, which it must read.
  mutating func array(_ element: (inout JSONReader) throws(Malformed) -> Void) throws(Malformed) {
    try expect(UInt8(ascii: "["))
    if take(UInt8(ascii: "]")) { return }
    repeat { try element(&self) } while take(UInt8(ascii: ","))
    try expect(UInt8(ascii: "]"))
  }

  /// Reads a string; what is not UTF-8 in it becomes U+FFFD.
  mutating func string() throws(Malformed) -> String {
    skipSpace()
    let range = try skipString()
    return Self.unescaped(bytes[range])
  }

  mutating func number() throws(Malformed) -> Double {
    let text = try numberText()
    guard let value = Double(text.text) else { throw Malformed(offset: text.start) }
    return value
  }

  mutating func integer() throws(Malformed) -> Int {
    let text = try numberText()
    guard let value = Int(text.text) else { throw Malformed(offset: text.start) }
    return value
  }

  mutating func bool() throws(Malformed) -> Bool {
    skipSpace()
    if peek == UInt8(ascii: "t") {
      try skipWord("true")
      return true
    }
    try skipWord("false")
    return false
  }

  /// Reads a value that may be `null`.
  mutating func optional<Value>(
    _ value: (inout JSONReader) throws(Malformed) -> Value
  ) throws(Malformed) -> Value? {
    skipSpace()
    guard peek == UInt8(ascii: "n") else { return try value(&self) }
    try skipWord("null")
    return nil
  }

  /// The range of the value that `read` reads.
  mutating func range(of read: (inout JSONReader) throws(Malformed) -> Void) throws(Malformed) -> Range<Int> {
    skipSpace()
    let start = offset
    try read(&self)
    return start..<offset
  }

  /// Makes sure that nothing but white space follows.
  mutating func end() throws(Malformed) {
    skipSpace()
    guard offset == bytes.count else { throw Malformed(offset: offset) }
  }

  /// Passes any one value and gives its range, without the white space around it.
  ///
  /// The nesting is a list of the closing brackets still to come, so deep input costs bounded memory and no stack.
  @discardableResult
  mutating func skip() throws(Malformed) -> Range<Int> {
    skipSpace()
    let start = offset
    var closers: [UInt8] = []
    values: while true {
      skipSpace()
      if let closer = try skipScalarOrOpen() {
        if !take(closer) {
          guard closers.count < Self.depthMax else { throw Malformed(offset: offset) }
          closers.append(closer)
          if closer == UInt8(ascii: "}") { try skipName() }
          continue values
        }
      }
      while let closer = closers.last {
        if take(closer) {
          closers.removeLast()
        } else {
          try expect(UInt8(ascii: ","))
          if closer == UInt8(ascii: "}") { try skipName() }
          continue values
        }
      }
      return start..<offset
    }
  }

  /// Passes a scalar, or the bracket that opens an object or array; then it gives the bracket that will close it.
  private mutating func skipScalarOrOpen() throws(Malformed) -> UInt8? {
    switch peek {
    case UInt8(ascii: "{"):
      offset += 1
      return UInt8(ascii: "}")
    case UInt8(ascii: "["):
      offset += 1
      return UInt8(ascii: "]")
    case UInt8(ascii: "\""): _ = try skipString()
    case UInt8(ascii: "t"): try skipWord("true")
    case UInt8(ascii: "f"): try skipWord("false")
    case UInt8(ascii: "n"): try skipWord("null")
    default: _ = try numberText()
    }
    return nil
  }

  private mutating func skipName() throws(Malformed) {
    skipSpace()
    _ = try skipString()
    try expect(UInt8(ascii: ":"))
  }
}

// MARK: Bytes

extension JSONReader {
  private var peek: UInt8? { offset < bytes.count ? bytes[offset] : nil }

  private mutating func skipSpace() {
    while let byte = peek, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { offset += 1 }
  }

  /// Passes `byte` if it comes next, after white space.
  private mutating func take(_ byte: UInt8) -> Bool {
    skipSpace()
    guard peek == byte else { return false }
    offset += 1
    return true
  }

  private mutating func expect(_ byte: UInt8) throws(Malformed) {
    guard take(byte) else { throw Malformed(offset: offset) }
  }

  private mutating func skipWord(_ word: StaticString) throws(Malformed) {
    for expected in word.withUTF8Buffer(Array.init) {
      guard peek == expected else { throw Malformed(offset: offset) }
      offset += 1
    }
  }

  private mutating func numberText() throws(Malformed) -> (text: String, start: Int) {
    skipSpace()
    let start = offset
    if peek == UInt8(ascii: "-") { offset += 1 }
    if peek == UInt8(ascii: "0") { offset += 1 } else { try skipDigits() }
    if peek == UInt8(ascii: ".") {
      offset += 1
      try skipDigits()
    }
    if peek == UInt8(ascii: "e") || peek == UInt8(ascii: "E") {
      offset += 1
      if peek == UInt8(ascii: "+") || peek == UInt8(ascii: "-") { offset += 1 }
      try skipDigits()
    }
    return (String(decoding: bytes[start..<offset], as: UTF8.self), start)
  }

  private mutating func skipDigits() throws(Malformed) {
    let start = offset
    while let byte = peek, byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") { offset += 1 }
    guard offset > start else { throw Malformed(offset: offset) }
  }

  /// Passes a string and gives the range between its quotes.
  private mutating func skipString() throws(Malformed) -> Range<Int> {
    guard peek == UInt8(ascii: "\"") else { throw Malformed(offset: offset) }
    offset += 1
    let start = offset
    while let byte = peek, byte >= 0x20 {
      offset += 1
      switch byte {
      case UInt8(ascii: "\""): return start..<(offset - 1)
      case UInt8(ascii: "\\"): try skipEscape()
      default: break
      }
    }
    throw Malformed(offset: offset)
  }

  private mutating func skipEscape() throws(Malformed) {
    guard let byte = peek else { throw Malformed(offset: offset) }
    if byte == UInt8(ascii: "u") {
      offset += 1
      for _ in 0..<4 {
        guard let digit = peek, Self.hexValue(digit) != nil else { throw Malformed(offset: offset) }
        offset += 1
      }
    } else {
      guard Self.shortEscapes[byte] != nil else { throw Malformed(offset: offset) }
      offset += 1
    }
  }
}
