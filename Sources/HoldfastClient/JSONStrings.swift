extension JSONReader {
  /// What may follow a backslash, other than `u`, and the byte it stands for.
  static let shortEscapes: [UInt8: UInt8] = [
    UInt8(ascii: "\""): UInt8(ascii: "\""), UInt8(ascii: "\\"): UInt8(ascii: "\\"),
    UInt8(ascii: "/"): UInt8(ascii: "/"),
    UInt8(ascii: "b"): 0x08, UInt8(ascii: "f"): 0x0C, UInt8(ascii: "n"): 0x0A, UInt8(ascii: "r"): 0x0D,
    UInt8(ascii: "t"): 0x09,
  ]

  static func hexValue(_ byte: UInt8) -> UInt16? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt16(byte - UInt8(ascii: "0"))
    case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt16(byte - UInt8(ascii: "a") + 10)
    case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt16(byte - UInt8(ascii: "A") + 10)
    default: nil
    }
  }

  /// The text of what stands between the quotes of a well-formed JSON string.
  ///
  /// Escaped UTF-16 is gathered until other text follows, so that a surrogate pair becomes one scalar and a lone
  /// surrogate U+FFFD.
  static func unescaped(_ content: ArraySlice<UInt8>) -> String {
    guard content.contains(UInt8(ascii: "\\")) else { return String(decoding: content, as: UTF8.self) }
    var utf8: [UInt8] = []
    var utf16: [UInt16] = []
    var rest = content
    while let byte = rest.popFirst() {
      if byte == UInt8(ascii: "\\"), let escape = rest.popFirst() {
        if escape == UInt8(ascii: "u") {
          utf16.append(rest.prefix(4).reduce(0) { $0 << 4 | (hexValue($1) ?? 0) })
          rest = rest.dropFirst(4)
          continue
        }
        flush(&utf16, to: &utf8)
        utf8.append(shortEscapes[escape] ?? escape)
      } else {
        flush(&utf16, to: &utf8)
        utf8.append(byte)
      }
    }
    flush(&utf16, to: &utf8)
    return String(decoding: utf8, as: UTF8.self)
  }

  private static func flush(_ utf16: inout [UInt16], to utf8: inout [UInt8]) {
    guard !utf16.isEmpty else { return }
    utf8.append(contentsOf: String(decoding: utf16, as: UTF16.self).utf8)
    utf16.removeAll()
  }
}
