import Holdfast

/// Writing JSON and HTTP text straight into bytes: what has a known most length into an output span, the rest into an
/// array.
extension OutputSpan<UInt8> {
  @inline(__always)
  mutating func write(_ text: StaticString) { text.withUTF8Buffer { unsafe write($0) } }

  mutating func write(text: String) {
    var text = text
    text.withUTF8 { unsafe write($0) }
  }

  @inline(__always)
  private mutating func write(_ text: UnsafeBufferPointer<UInt8>) {
    unsafe withUnsafeMutableBufferPointer { buffer, count in
      precondition(text.count <= buffer.count - count)
      if let source = text.baseAddress {
        unsafe (buffer.baseAddress! + count).initialize(from: source, count: text.count)
      }
      count += text.count
    }
  }

  mutating func write(_ number: UInt64) { appendDecimal(number) }

  /// Seconds with six decimals.
  mutating func write(_ timestamp: Timestamp) {
    let (seconds, fraction) = UInt64(timestamp.microseconds).quotientAndRemainder(dividingBy: 1_000_000)
    appendDecimal(seconds)
    append(UInt8(ascii: "."))
    appendSixDigits(fraction)
  }
}

extension [UInt8] {
  @inline(__always)
  mutating func write(_ text: StaticString) {
    append(addingCapacity: text.utf8CodeUnitCount) { (bytes: inout OutputSpan<UInt8>) in bytes.write(text) }
  }

  mutating func write(text: String) {
    append(addingCapacity: text.utf8.count) { (bytes: inout OutputSpan<UInt8>) in bytes.write(text: text) }
  }

  mutating func write(_ number: UInt) { write(UInt64(number)) }

  mutating func write(_ number: UInt64) {
    append(addingCapacity: 20) { (bytes: inout OutputSpan<UInt8>) in bytes.write(number) }
  }

  mutating func write(_ timestamp: Timestamp) {
    append(addingCapacity: 29) { (bytes: inout OutputSpan<UInt8>) in bytes.write(timestamp) }
  }

  /// A string in quotes, with what JSON does not allow in one escaped.
  mutating func writeString(_ text: String) { writeString(text.utf8) }

  /// The same for bytes that are UTF-8.
  mutating func writeString(_ text: some Sequence<UInt8>) {
    append(UInt8(ascii: "\""))
    for byte in text {
      switch byte {
      case UInt8(ascii: "\""): write("\\\"")
      case UInt8(ascii: "\\"): write("\\\\")
      case 0x0a: write("\\n")
      case 0x0d: write("\\r")
      case 0x09: write("\\t")
      case 0..<0x20, 0x7f:
        write("\\u00")
        append(UInt8(ascii: "0") + (byte >> 4))
        append(byte & 15 < 10 ? UInt8(ascii: "0") + (byte & 15) : UInt8(ascii: "a") + (byte & 15) - 10)
      default: append(byte)
      }
    }
    append(UInt8(ascii: "\""))
  }

  /// Base64 (RFC 4648, with padding) in quotes.
  mutating func writeBase64(_ bytes: [UInt8]) {
    let alphabet = [UInt8]("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    reserveCapacity(count + (bytes.count + 2) / 3 * 4 + 2)
    append(UInt8(ascii: "\""))
    var index = 0
    while index < bytes.count {
      let left = bytes.count - index
      let group =
        UInt32(bytes[index]) << 16 | (left > 1 ? UInt32(bytes[index + 1]) << 8 : 0)
        | (left > 2 ? UInt32(bytes[index + 2]) : 0)
      append(alphabet[Int(group >> 18)])
      append(alphabet[Int(group >> 12 & 63)])
      append(left > 1 ? alphabet[Int(group >> 6 & 63)] : UInt8(ascii: "="))
      append(left > 2 ? alphabet[Int(group & 63)] : UInt8(ascii: "="))
      index += 3
    }
    append(UInt8(ascii: "\""))
  }
}
