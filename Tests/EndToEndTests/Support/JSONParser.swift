/// Reads JSON by RFC 8259, strictly: a server whose answers another parser would refuse fails its tests here.
struct JSONParser {
  private let bytes: [UInt8]
  private var index = 0
  private var depth = 0

  init(bytes: [UInt8]) { self.bytes = bytes }

  mutating func document() throws -> JSON {
    guard String(validating: bytes, as: UTF8.self) != nil else { throw wrong("text that is UTF-8") }
    let value = try self.value()
    skipSpace()
    guard index == bytes.count else { throw wrong("the end") }
    return value
  }

  private func wrong(_ expected: String) -> Failure {
    let near = String(decoding: bytes[max(0, index - 40)..<min(bytes.count, index + 40)], as: UTF8.self)
    return Failure("not JSON: expected \(expected) at byte \(index), near \(near.debugDescription)")
  }

  private var next: UInt8? { index < bytes.count ? bytes[index] : nil }

  private mutating func skipSpace() {
    while let byte = next, byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D { index += 1 }
  }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    skipSpace()
    guard next == UInt8(ascii: character) else { return false }
    index += 1
    return true
  }

  private mutating func value() throws -> JSON {
    skipSpace()
    depth += 1
    defer { depth -= 1 }
    guard depth < 1000 else { throw wrong("fewer than 1000 levels") }
    switch next {
    case UInt8(ascii: "{"): return try object()
    case UInt8(ascii: "["): return try array()
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"): return try word("true", .bool(true))
    case UInt8(ascii: "f"): return try word("false", .bool(false))
    case UInt8(ascii: "n"): return try word("null", .null)
    case .some, .none: return try number()
    }
  }

  private mutating func word(_ text: String, _ value: JSON) throws -> JSON {
    guard bytes[index...].starts(with: text.utf8) else { throw wrong(text) }
    index += text.utf8.count
    return value
  }

  private mutating func object() throws -> JSON {
    index += 1
    var members: [JSON.Member] = []
    if take("}") { return .object([]) }
    repeat {
      skipSpace()
      let name = try string()
      guard take(":") else { throw wrong("':'") }
      members.append(JSON.Member(name: name, value: try value()))
    } while take(",")
    guard take("}") else { throw wrong("'}'") }
    return .object(members)
  }

  private mutating func array() throws -> JSON {
    index += 1
    var values: [JSON] = []
    if take("]") { return .array([]) }
    repeat { values.append(try value()) } while take(",")
    guard take("]") else { throw wrong("']'") }
    return .array(values)
  }

  private mutating func number() throws -> JSON {
    let start = index
    if next == UInt8(ascii: "-") { index += 1 }
    if next == UInt8(ascii: "0") { index += 1 } else { try digits() }
    if next == UInt8(ascii: ".") {
      index += 1
      try digits()
    }
    if next == UInt8(ascii: "e") || next == UInt8(ascii: "E") {
      index += 1
      if next == UInt8(ascii: "+") || next == UInt8(ascii: "-") { index += 1 }
      try digits()
    }
    return .number(String(decoding: bytes[start..<index], as: UTF8.self))
  }

  private mutating func digits() throws {
    guard let byte = next, isDigit(byte) else { throw wrong("a value") }
    while let byte = next, isDigit(byte) { index += 1 }
  }

  private mutating func string() throws -> String {
    guard next == UInt8(ascii: "\"") else { throw wrong("a string") }
    index += 1
    var units: [UInt8] = []
    while let byte = next {
      index += 1
      switch byte {
      case UInt8(ascii: "\""): return String(decoding: units, as: UTF8.self)
      case UInt8(ascii: "\\"): units += String(try escape()).utf8
      case 0..<0x20: throw wrong("no raw control character")
      default: units.append(byte)
      }
    }
    throw wrong("the string's end")
  }

  private mutating func escape() throws -> Unicode.Scalar {
    guard let byte = next else { throw wrong("an escape") }
    index += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "f"): return "\u{c}"
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "u"):
      let first = try hexadecimal()
      if let scalar = Unicode.Scalar(first) { return scalar }
      let mark = index
      if take("\\"), take("u") {
        let second = try hexadecimal()
        let joined = 0x10000 + (first &- 0xD800) << 10 + (second &- 0xDC00)
        if first < 0xDC00, (0xDC00...0xDFFF).contains(second), let scalar = Unicode.Scalar(joined) { return scalar }
      }
      index = mark
      return "\u{FFFD}"
    default: throw wrong("an escape")
    }
  }

  private mutating func hexadecimal() throws -> UInt32 {
    guard index + 4 <= bytes.count,
      let value = UInt32(String(decoding: bytes[index..<index + 4], as: UTF8.self), radix: 16)
    else { throw wrong("four hexadecimal digits") }
    index += 4
    return value
  }
}

private func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
