extension Bench {
  /// One HTTP answer, as places in the bytes it was read from: only what a load generator has to know.
  struct HTTPAnswer {
    var status = 0
    var body = 0..<0
    var closes = false
    var etag = 0..<0
    var lastModified = 0..<0

    enum Reading {
      case incomplete
      case malformed(String)
      case complete(HTTPAnswer)
    }

    /// Reads the answer that `bytes` begin with.
    static func read(_ bytes: UnsafeRawBufferPointer) -> Reading {
      guard let headEnd = bytes.find("\r\n\r\n", from: 0) else {
        return bytes.count > 65_536 ? .malformed("an answer's head is longer than 64 KiB") : .incomplete
      }
      var answer = HTTPAnswer()
      guard headEnd >= 12, bytes.starts(with: "HTTP/1.".utf8), let status = bytes.decimal(in: 9..<12) else {
        return .malformed("an answer does not begin as HTTP/1")
      }
      answer.status = status
      var length = status == 204 || status == 304 ? 0 : -1
      var line = (bytes.find("\r\n", from: 0) ?? headEnd) + 2
      while line < headEnd {
        let end = bytes.find("\r\n", from: line) ?? headEnd
        switch bytes[line] | 0x20 {
        case UInt8(ascii: "c"):
          if let value = bytes.value(of: "content-length", in: line..<end) {
            guard let number = bytes.decimal(in: value) else { return .malformed("a Content-Length is no number") }
            length = number
          } else if let value = bytes.value(of: "connection", in: line..<end) {
            answer.closes = bytes[value].count == 5 && bytes[value.lowerBound] | 0x20 == UInt8(ascii: "c")
          }
        case UInt8(ascii: "e"):
          if let value = bytes.value(of: "etag", in: line..<end) { answer.etag = value }
        case UInt8(ascii: "l"):
          if let value = bytes.value(of: "last-modified", in: line..<end) { answer.lastModified = value }
        case UInt8(ascii: "t"):
          if bytes.value(of: "transfer-encoding", in: line..<end) != nil {
            return .malformed("an answer has a Transfer-Encoding, which bench does not read")
          }
        default: break
        }
        line = end + 2
      }
      guard length >= 0 else { return .malformed("an answer has no Content-Length") }
      let start = headEnd + 4
      guard bytes.count >= start + length else { return .incomplete }
      guard bytes.count == start + length else { return .malformed("bytes follow an answer unasked") }
      answer.body = start..<(start + length)
      return .complete(answer)
    }
  }
}

extension UnsafeRawBufferPointer {
  /// The field's value, where the line in `range` is of the field `name` (in lower case).
  fileprivate func value(of name: StaticString, in range: Range<Int>) -> Range<Int>? {
    let length = name.utf8CodeUnitCount
    guard range.count > length, self[range.lowerBound + length] == UInt8(ascii: ":") else { return nil }
    for offset in 0..<length where self[range.lowerBound + offset] | 0x20 != name.utf8Start[offset] { return nil }
    var start = range.lowerBound + length + 1
    while start < range.upperBound, self[start] == UInt8(ascii: " ") { start += 1 }
    return start..<range.upperBound
  }

  /// The decimal number that `range` holds and nothing else.
  fileprivate func decimal(in range: Range<Int>) -> Int? {
    guard !range.isEmpty, range.count <= 10 else { return nil }
    var number = 0
    for byte in self[range] {
      guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return nil }
      number = number * 10 + Int(byte - UInt8(ascii: "0"))
    }
    return number
  }
}
