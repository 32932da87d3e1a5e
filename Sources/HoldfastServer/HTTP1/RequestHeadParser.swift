import HoldfastProtocol

/// Reads a request head, strictly: what is not plainly right is refused, because a proxy before us might read it
/// otherwise, and then one client's bytes become another's request. Refused are bare LF and CR, NUL and other controls,
/// folded lines, blanks before a colon, a missing or second `Host`, two lengths, a length with a transfer coding.
struct RequestHeadParser {
  private var head = RequestHead()
  private var isHTTP10 = false
  private var hasTransferEncoding = false
  private var saysClose = false
  private var saysUpgrade = false
  private var hasUpgrade = false
  private let limits: HTTP1Limits

  /// - Returns: nil while the head is incomplete.
  static func parse(
    _ bytes: borrowing Span<UInt8>, from start: Int, limits: HTTP1Limits
  ) throws(HTTP1Refusal) -> RequestHead? {
    var parser = RequestHeadParser(limits: limits)
    return try parser.parse(bytes, from: start)
  }

  private init(limits: HTTP1Limits) { self.limits = limits }

  private mutating func parse(
    _ bytes: borrowing Span<UInt8>, from start: Int
  ) throws(HTTP1Refusal) -> RequestHead? {
    guard let lineEnd = try endOfLine(bytes, from: start) else {
      if bytes.count - start > limits.requestLineBytesMax { throw tooLongTarget }
      return nil
    }
    if lineEnd - start > limits.requestLineBytesMax { throw tooLongTarget }
    try requestLine(bytes, start..<lineEnd, base: start)
    var line = lineEnd + 2
    var fields = 0
    while true {
      guard let end = try endOfLine(bytes, from: line) else {
        if bytes.count - start > limits.headBytesMax { throw tooLargeHead }
        return nil
      }
      if end + 2 - start > limits.headBytesMax { throw tooLargeHead }
      if end == line {
        head.length = end + 2 - start
        return try finished()
      }
      fields += 1
      if fields > limits.fieldsMax {
        throw HTTP1Refusal(code: .headTooLarge, detail: "a request has at most \(limits.fieldsMax) header fields")
      }
      try field(bytes, line..<end, base: start)
      line = end + 2
    }
  }

  private var tooLongTarget: HTTP1Refusal {
    HTTP1Refusal(code: .targetTooLong, detail: "the request line has at most \(limits.requestLineBytesMax) bytes")
  }

  private var tooLargeHead: HTTP1Refusal {
    HTTP1Refusal(code: .headTooLarge, detail: "a request head has at most \(limits.headBytesMax) bytes")
  }

  private func malformed(_ detail: String) -> HTTP1Refusal { HTTP1Refusal(code: .requestMalformed, detail: detail) }

  /// The offset of the CR that ends a line.
  private func endOfLine(_ bytes: borrowing Span<UInt8>, from start: Int) throws(HTTP1Refusal) -> Int? {
    guard let index = bytes.firstControl(from: start) else { return nil }
    if bytes[index] == Byte.cr {
      if index + 1 == bytes.count { return nil }
      if bytes[index + 1] != Byte.lf { throw malformed("a CR in the head is followed by no LF") }
      return index
    }
    if bytes[index] == Byte.lf { throw malformed("a line of the head ends with LF instead of CR LF") }
    throw malformed("the head has a control character")
  }

  // MARK: Request line

  private mutating func requestLine(
    _ bytes: borrowing Span<UInt8>, _ line: Range<Int>, base: Int
  ) throws(HTTP1Refusal) {
    var space = line.lowerBound
    while space < line.upperBound, bytes[space].isToken { space += 1 }
    if space == line.lowerBound || space < line.upperBound && bytes[space] != Byte.space {
      throw malformed("the request line does not begin with a method")
    }
    head.method = Self.method(bytes, line.lowerBound..<space)
    let target = space + 1
    var end = target
    var question: Int?
    while true {
      let stop = bytes.first(in: min(end, line.upperBound)..<line.upperBound) {
        $0.below(0x21) | $0.above(0x7e) | $0.equal(UInt8(ascii: "#")) | $0.equal(UInt8(ascii: "?"))
      }
      guard let stop else { throw malformed("the request line is not 'METHOD TARGET HTTP/1.1'") }
      end = stop
      if bytes[end] == Byte.space { break }
      if bytes[end] != UInt8(ascii: "?") {
        throw malformed("the target has a character that must be percent-encoded")
      }
      if question == nil { question = end }
      end += 1
    }
    head.target = Slice(target - base..<end - base)
    try version(bytes, end + 1..<line.upperBound, of: line)
    var path = target
    if bytes[target] != UInt8(ascii: "/") {
      if bytes.matches("*", at: target..<end), head.method == .options {
        head.path = head.target
        return
      }
      guard let authority = bytes.afterScheme(target..<end) else {
        throw malformed("the target is neither a path nor an http URL")
      }
      path = authority
      while path < end, bytes[path] != UInt8(ascii: "/"), bytes[path] != UInt8(ascii: "?") { path += 1 }
      if path == authority { throw malformed("the target's URL names no host") }
      try checkHost(bytes, authority..<path)
    }
    head.path = Slice(path - base..<(question ?? end) - base)
    if let question { head.query = Slice(question + 1 - base..<end - base) }
  }

  private mutating func version(
    _ bytes: borrowing Span<UInt8>, _ range: Range<Int>, of line: Range<Int>
  ) throws(HTTP1Refusal) {
    if bytes.matches("HTTP/1.1", at: range) { return }
    if bytes.matches("HTTP/1.0", at: range) {
      isHTTP10 = true
      return
    }
    let isVersion =
      range.count == 8 && bytes.matches("HTTP/", at: range.prefix(5)) && bytes[range.lowerBound + 5].isDigit
      && bytes[range.lowerBound + 6] == UInt8(ascii: ".") && bytes[range.lowerBound + 7].isDigit
    if isVersion {
      throw HTTP1Refusal(
        code: .versionUnsupported, detail: "this server speaks HTTP/1.1 and HTTP/1.0",
        isPreface: bytes.matches("PRI * HTTP/2.0", at: line))
    }
    throw malformed("the request line does not end with 'HTTP/1.1'")
  }

  private static func method(_ bytes: borrowing Span<UInt8>, _ range: Range<Int>) -> RequestHead.Method {
    switch range.count {
    case 3 where bytes.matches("GET", at: range): .get
    case 3 where bytes.matches("PUT", at: range): .put
    case 4 where bytes.matches("POST", at: range): .post
    case 4 where bytes.matches("HEAD", at: range): .head
    case 5 where bytes.matches("PATCH", at: range): .patch
    case 6 where bytes.matches("DELETE", at: range): .delete
    case 7 where bytes.matches("OPTIONS", at: range): .options
    default: .other
    }
  }

  // MARK: Fields

  private mutating func field(
    _ bytes: borrowing Span<UInt8>, _ line: Range<Int>, base: Int
  ) throws(HTTP1Refusal) {
    if bytes[line.lowerBound] == Byte.space || bytes[line.lowerBound] == Byte.tab {
      throw malformed("a header field is folded over two lines")
    }
    guard let colon = bytes.first(in: line, { $0.equal(UInt8(ascii: ":")) }), colon > line.lowerBound else {
      throw malformed("a header field is not 'Name: value'")
    }
    var start = colon + 1
    var end = line.upperBound
    while start < end, bytes[start] == Byte.space || bytes[start] == Byte.tab { start += 1 }
    while end > start, bytes[end - 1] == Byte.space || bytes[end - 1] == Byte.tab { end -= 1 }
    let name = line.lowerBound..<colon
    let value = start..<end
    let slice = Slice(start - base..<end - base)
    switch name.count {
    case 4 where bytes.matchesIgnoringCase("host", at: name):
      if !head.host.isAbsent { throw HTTP1Refusal(code: .hostInvalid, detail: "Host is given twice") }
      try checkHost(bytes, value)
      head.host = slice
    case 6 where bytes.matchesIgnoringCase("origin", at: name): try Self.set(&head.origin, slice, "Origin")
    case 6 where bytes.matchesIgnoringCase("expect", at: name):
      if !bytes.matchesIgnoringCase("100-continue", at: value) {
        throw HTTP1Refusal(code: .expectationFailed, detail: "the only expectation met here is 100-continue")
      }
      head.expectsContinue = true
    case 7 where bytes.matchesIgnoringCase("upgrade", at: name): hasUpgrade = true
    case 10 where bytes.matchesIgnoringCase("connection", at: name):
      if bytes.listContains("close", in: value) { saysClose = true }
      if bytes.listContains("upgrade", in: value) { saysUpgrade = true }
    case 11 where bytes.matchesIgnoringCase("x-client-id", at: name):
      try Self.set(&head.clientID, slice, "X-Client-ID")
    case 12 where bytes.matchesIgnoringCase("content-type", at: name):
      try Self.set(&head.contentType, slice, "Content-Type")
    case 13 where bytes.matchesIgnoringCase("if-none-match", at: name): head.noneMatch = slice
    case 14 where bytes.matchesIgnoringCase("content-length", at: name):
      try checkBlanks(bytes, end..<line.upperBound)
      try contentLength(bytes, value)
    case 15 where bytes.matchesIgnoringCase("idempotency-key", at: name):
      try Self.set(&head.idempotencyKey, slice, "Idempotency-Key")
    case 15 where bytes.matchesIgnoringCase("x-forwarded-for", at: name): head.forwardedFor = slice
    case 16 where bytes.matchesIgnoringCase("content-encoding", at: name):
      // A list may stand in several fields, and may name the coding that is none.
      if !value.isEmpty && !bytes.matchesIgnoringCase("identity", at: value) { head.isEncoded = true }
    case 17 where bytes.matchesIgnoringCase("transfer-encoding", at: name):
      if hasTransferEncoding { throw malformed("Transfer-Encoding is given twice") }
      hasTransferEncoding = true
      try checkBlanks(bytes, end..<line.upperBound)
      head.isChunked = bytes.matchesIgnoringCase("chunked", at: value)
    default:
      for index in name where !bytes[index].isToken { throw malformed("a header field is not 'Name: value'") }
    }
  }

  private static func set(_ field: inout Slice, _ slice: Slice, _ name: String) throws(HTTP1Refusal) {
    if !field.isAbsent { throw HTTP1Refusal(code: .requestMalformed, detail: "\(name) is given twice") }
    field = slice
  }

  /// A tab behind a field that frames the message is allowed by RFC 9110, but llhttp refuses it: so does this.
  private func checkBlanks(_ bytes: borrowing Span<UInt8>, _ range: Range<Int>) throws(HTTP1Refusal) {
    for index in range where bytes[index] == Byte.tab { throw malformed("a tab follows a length or a coding") }
  }

  private mutating func contentLength(_ bytes: borrowing Span<UInt8>, _ value: Range<Int>) throws(HTTP1Refusal) {
    if head.contentLength != nil { throw malformed("Content-Length is given twice") }
    if value.isEmpty || value.count > 18 { throw malformed("Content-Length is not a number of bytes") }
    var length = 0
    for index in value {
      if !bytes[index].isDigit { throw malformed("Content-Length is not a number of bytes") }
      length = length * 10 + Int(bytes[index] - UInt8(ascii: "0"))
    }
    head.contentLength = length
  }

  /// A host is a name or an address, with a port or without.
  private func checkHost(_ bytes: borrowing Span<UInt8>, _ value: Range<Int>) throws(HTTP1Refusal) {
    // Words of digits, lower-case letters, `-.:` are passed over; whatever else stops the search is looked at by itself.
    var start = value.lowerBound
    while let index = bytes.first(
      in: start..<value.upperBound,
      { $0.below(0x2d) | $0.equal(0x2f) | $0.between(0x3a, 0x61) | $0.above(0x7a) })
    {
      start = index + 1
      if bytes[index].isHost { continue }
      throw HTTP1Refusal(code: .hostInvalid, detail: "Host is not a name or an address with or without a port")
    }
    if value.isEmpty { throw HTTP1Refusal(code: .hostInvalid, detail: "Host is empty") }
  }

  private mutating func finished() throws(HTTP1Refusal) -> RequestHead {
    if head.host.isAbsent && !isHTTP10 {
      throw HTTP1Refusal(code: .hostInvalid, detail: "an HTTP/1.1 request has a Host field")
    }
    if hasTransferEncoding {
      if head.contentLength != nil { throw malformed("Content-Length and Transfer-Encoding are both given") }
      if isHTTP10 { throw malformed("HTTP/1.0 has no Transfer-Encoding") }
      if !head.isChunked {
        throw HTTP1Refusal(code: .transferEncodingUnsupported, detail: "the only transfer coding known here is chunked")
      }
    }
    // RFC 9110, 10.1.1: HTTP/1.0 does not know interim answers.
    if isHTTP10 { head.expectsContinue = false }
    head.isKeptAlive = !isHTTP10 && !saysClose && head.method != .other
    let hasBody = head.isChunked || head.contentLength ?? 0 > 0
    head.asksForUpgrade = saysUpgrade && hasUpgrade && head.isKeptAlive && !hasBody
    return head
  }
}
