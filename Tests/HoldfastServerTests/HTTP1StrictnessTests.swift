import HoldfastProtocol
import Testing

@testable import HoldfastServer

/// Each rule of PROTOCOL.md's section "HTTP", with a request that breaks only it.
@Suite struct HTTP1StrictnessTests {
  struct Case: CustomTestStringConvertible, Sendable {
    var name: String
    var bytes: [UInt8]
    var code: ProblemCode
    var testDescription: String { name }

    init(_ name: String, _ text: String, _ code: ProblemCode = .requestMalformed) {
      self.name = name
      bytes = Array(text.utf8)
      self.code = code
    }
  }

  static let refused: [Case] = [
    Case("bare LF after the request line", "GET / HTTP/1.1\nHost: a\r\n\r\n"),
    Case("bare LF after a field", "GET / HTTP/1.1\r\nHost: a\nB: c\r\n\r\n"),
    Case("bare LF as the empty line", "GET / HTTP/1.1\r\nHost: a\r\n\n"),
    Case("bare LF before a request", "\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"),
    Case("bare CR in the request line", "GET /\rb HTTP/1.1\r\nHost: a\r\n\r\n"),
    Case("bare CR in a field", "GET / HTTP/1.1\r\nHost: a\r\nB: c\rd\r\n\r\n"),
    Case("CR CR LF", "GET / HTTP/1.1\r\nHost: a\r\r\n\r\n"),
    Case("NUL in a field", "GET / HTTP/1.1\r\nHost: a\r\nB: \u{0}\r\n\r\n"),
    Case("NUL in a name", "GET / HTTP/1.1\r\nHost: a\r\nB\u{0}: c\r\n\r\n"),
    Case("NUL in the target", "GET /\u{0} HTTP/1.1\r\nHost: a\r\n\r\n"),
    Case("BEL in a field", "GET / HTTP/1.1\r\nHost: a\r\nB: \u{7}\r\n\r\n"),
    Case("DEL in a field", "GET / HTTP/1.1\r\nHost: a\r\nB: \u{7f}\r\n\r\n"),
    Case("vertical tab in a field", "GET / HTTP/1.1\r\nHost: a\r\nB: \u{b}\r\n\r\n"),
    Case("field folded with a space", "GET / HTTP/1.1\r\nHost: a\r\nB: c\r\n d\r\n\r\n"),
    Case("field folded with a tab", "GET / HTTP/1.1\r\nHost: a\r\nB: c\r\n\td\r\n\r\n"),
    Case("first field begins with a space", "GET / HTTP/1.1\r\n Host: a\r\n\r\n"),
    Case("blank before a colon", "GET / HTTP/1.1\r\nHost: a\r\nContent-Length : 3\r\n\r\nabc"),
    Case("tab before a colon", "GET / HTTP/1.1\r\nHost: a\r\nB\t: c\r\n\r\n"),
    Case("no colon", "GET / HTTP/1.1\r\nHost: a\r\nB\r\n\r\n"),
    Case("no name", "GET / HTTP/1.1\r\nHost: a\r\n: c\r\n\r\n"),
    Case("name with a letter beyond ASCII", "GET / HTTP/1.1\r\nHost: a\r\nÄ: c\r\n\r\n"),
    Case("no Host", "GET / HTTP/1.1\r\n\r\n", .hostInvalid),
    Case("second Host", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", .hostInvalid),
    Case("second Host in another case", "GET / HTTP/1.1\r\nHost: a\r\nhOST: b\r\n\r\n", .hostInvalid),
    Case("empty Host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", .hostInvalid),
    Case("blank Host", "GET / HTTP/1.1\r\nHost: \t \r\n\r\n", .hostInvalid),
    Case("Host with a path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", .hostInvalid),
    Case("Host with a user", "GET / HTTP/1.1\r\nHost: a@b\r\n\r\n", .hostInvalid),
    Case("Host with a blank", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", .hostInvalid),
    Case("Host with a comma", "GET / HTTP/1.1\r\nHost: a,b\r\n\r\n", .hostInvalid),
    Case("second Host in HTTP/1.0", "GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n", .hostInvalid),
    Case("two lengths", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd"),
    Case("two equal lengths", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\ncontent-length: 3\r\n\r\nabc"),
    Case(
      "length and coding",
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    Case(
      "coding and length",
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n"),
    Case(
      "unknown coding and length",
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc"),
    Case("coding in HTTP/1.0", "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    Case(
      "two codings",
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    Case(
      "unknown coding", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", .transferEncodingUnsupported),
    Case(
      "coding of coding", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
      .transferEncodingUnsupported),
    Case(
      "chunked twice", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
      .transferEncodingUnsupported),
    Case(
      "chunked with a vertical tab", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \u{b}chunked\r\n\r\n0\r\n\r\n"),
    Case(
      "xchunked", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
      .transferEncodingUnsupported),
    Case("empty coding", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n\r\n", .transferEncodingUnsupported),
    Case("identity", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\n", .transferEncodingUnsupported),
    Case("list of lengths", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3, 3\r\n\r\nabc"),
    Case("length with plus", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +3\r\n\r\nabc"),
    Case("length with minus", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -3\r\n\r\nabc"),
    Case("hexadecimal length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x3\r\n\r\nabc"),
    Case("empty length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n"),
    Case("length with a blank", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1 2\r\n\r\nabc"),
    Case("length with a tab behind", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3 \t\r\n\r\nabc"),
    Case("coding with a tab behind", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\t\r\n\r\n0\r\n\r\n"),
    Case(
      "length that overflows 64 bits", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551619\r\n\r\nabc"),
    Case(
      "length that overflows 63 bits", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9223372036854775808\r\n\r\nabc"),
    Case("huge length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 999999999999999999\r\n\r\nabc", .bodyTooLarge),
    Case("no target", "GET HTTP/1.1\r\nHost: a\r\n\r\n"),
    Case("empty target", "GET  HTTP/1.1\r\nHost: a\r\n\r\n"),
    Case("two blanks before the version", "GET /  HTTP/1.1\r\nHost: a\r\n\r\n"),
    Case("blank after the version", "GET / HTTP/1.1 \r\nHost: a\r\n\r\n"),
    Case("blank before the method", " GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
    Case("tab in place of a blank", "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n"),
    Case("no version", "GET /\r\nHost: a\r\n\r\n"),
    Case("version in lower case", "GET / http/1.1\r\nHost: a\r\n\r\n"),
    Case("version of one digit", "GET / HTTP/1\r\nHost: a\r\n\r\n"),
    Case("version of two digits", "GET / HTTP/1.10\r\nHost: a\r\n\r\n"),
    Case("HTTP/2.0", "GET / HTTP/2.0\r\nHost: a\r\n\r\n", .versionUnsupported),
    Case("HTTP/0.9", "GET / HTTP/0.9\r\nHost: a\r\n\r\n", .versionUnsupported),
    Case("HTTP/1.2", "GET / HTTP/1.2\r\nHost: a\r\n\r\n", .versionUnsupported),
    Case("CONNECT", "CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n"),
    Case("HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", .versionUnsupported),
    Case("fragment", "GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n"),
    Case("target beyond ASCII", "GET /ä HTTP/1.1\r\nHost: a\r\n\r\n"),
    Case("target without a slash", "GET a HTTP/1.1\r\nHost: a\r\n\r\n"),
    Case("target of another scheme", "GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n"),
    Case("URL without a host", "GET http:///a HTTP/1.1\r\nHost: a\r\n\r\n"),
    Case("URL with a user", "GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n", .hostInvalid),
    Case("GET *", "GET * HTTP/1.1\r\nHost: a\r\n\r\n"),
    Case("expectation of something else", "POST / HTTP/1.1\r\nHost: a\r\nExpect: 200-ok\r\n\r\n", .expectationFailed),
    Case("two empty lines before a request", "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"),
    Case("two Origins", "GET / HTTP/1.1\r\nHost: a\r\nOrigin: null\r\nOrigin: http://a\r\n\r\n"),
    Case("two Content-Types", "GET / HTTP/1.1\r\nHost: a\r\nContent-Type: a/b\r\nContent-Type: a/b\r\n\r\n"),
    Case("two client ids", "GET / HTTP/1.1\r\nHost: a\r\nX-Client-ID: a\r\nX-Client-ID: a\r\n\r\n"),
    Case("two idempotency keys", "GET / HTTP/1.1\r\nHost: a\r\nIdempotency-Key: a\r\nIdempotency-Key: a\r\n\r\n"),
  ]

  @Test(arguments: refused) func `What breaks a rule is refused, with what came before it and nothing after`(_ it: Case)
  {
    #expect(Reader.read([it.bytes]).map(\.code) == [it.code])
    let good = http("GET /good HTTP/1.1", "Host: a")
    let seen = Reader.read([good + it.bytes + good])
    #expect(seen.count == 2 && seen[0].code == nil && seen[1].code == it.code)
  }

  static let chunks: [Case] = [
    Case("size that overflows", "fffffffffffffffff\r\n"),
    Case("size of 16 digits", "0000000000000001\r\nx\r\n0\r\n\r\n"),
    Case("huge size", "7ffffffffffffff\r\n", .bodyTooLarge),
    Case("sizes whose sum is huge", "1\r\nx\r\nfffffffffffffff\r\n", .bodyTooLarge),
    Case("empty size", "\r\n"),
    Case("size with a sign", "+1\r\nx\r\n0\r\n\r\n"),
    Case("size with 0x", "0x1\r\nx\r\n0\r\n\r\n"),
    Case("size with a blank before", " 1\r\nx\r\n0\r\n\r\n"),
    Case("size with a blank behind", "1 \r\nx\r\n0\r\n\r\n"),
    Case("size with bare LF", "1\nx\r\n0\r\n\r\n"),
    Case("size with bare CR", "1\rx\r\n0\r\n\r\n"),
    Case("chunk longer than its size", "1\r\nxy\r\n0\r\n\r\n"),
    Case("chunk longer than its size by one", "1\r\nxy\n0\r\n\r\n"),
    Case("chunk shorter than its size", "3\r\nx\r\n0\r\n\r\n"),
    Case("chunk with bare LF", "1\r\nx\n0\r\n\r\n"),
    Case("extension with bare LF", "1;a\nx\r\n0\r\n\r\n"),
    Case("extension with a NUL", "1;a=\u{0}\r\nx\r\n0\r\n\r\n"),
    Case("extension in quotes", "1;a=\"\r\n\"\r\nx\r\n0\r\n\r\n"),
    Case("extension with a blank", "1; a\r\nx\r\n0\r\n\r\n"),
    Case("extension without a name", "1;=a\r\nx\r\n0\r\n\r\n"),
    Case("extension without a value", "1;a=\r\nx\r\n0\r\n\r\n"),
    Case("extension of nothing", "1;\r\nx\r\n0\r\n\r\n"),
    Case("extension with two values", "1;a=b=c\r\nx\r\n0\r\n\r\n"),
    Case("trailer with a length", "0\r\ncontent-LENGTH: 3\r\n\r\n"),
    Case("trailer with a coding", "0\r\na: b\r\nTransfer-Encoding: chunked\r\n\r\n"),
    Case("trailer that closes", "0\r\nConnection: close\r\n\r\n"),
    Case("trailer with a Host", "0\r\nHost: a\r\n\r\n"),
    Case("trailer that upgrades", "0\r\nUpgrade: a\r\n\r\n"),
    Case("trailer with bare LF", "0\r\na: b\n\r\n"),
    Case("trailer without a colon", "0\r\na\r\n\r\n"),
    Case("trailer that is folded", "0\r\na: b\r\n c\r\n\r\n"),
    Case("trailer with a NUL", "0\r\na: \u{0}\r\n\r\n"),
    Case("trailer with a blank before its colon", "0\r\na : b\r\n\r\n"),
    Case("end with bare LF", "0\r\n\n"),
    Case("end with bare CR", "0\r\n\rx"),
    Case("extensions of 5 KB", "1;" + String(repeating: "a", count: 5000) + "\r\nx\r\n0\r\n\r\n", .headTooLarge),
    Case("many small extensions", String(repeating: "1;abcdefg\r\nx\r\n", count: 600) + "0\r\n\r\n", .headTooLarge),
    Case("trailers of 5 KB", "0\r\na: " + String(repeating: "a", count: 5000) + "\r\n\r\n", .headTooLarge),
    Case("many small trailers", "0\r\n" + String(repeating: "ab:\r\n", count: 3000) + "\r\n", .headTooLarge),
  ]

  @Test(arguments: chunks) func `A chunked body that breaks a rule is refused`(_ it: Case) {
    let head = http("POST / HTTP/1.1", "Host: a", "Transfer-Encoding: chunked")
    #expect(Reader.read([head + it.bytes]).map(\.code) == [it.code])
    #expect(Reader.read((head + it.bytes).map { [$0] }).map(\.code) == [it.code])
  }

  @Test func `Good heads are read as they are meant`() throws {
    func head(_ bytes: [UInt8]) throws -> RequestHead {
      let seen = Reader.read([bytes])
      guard case .request(let head, _, _) = try #require(seen.first), seen.count == 1 else {
        Issue.record("\(seen)")
        return RequestHead()
      }
      return head
    }
    func part(_ bytes: [UInt8], _ slice: Slice) -> String { bytes[slice.range].map { $0 }.text }

    var bytes = http("GET http://Example.com:80/a/b?c=d?e HTTP/1.1", "host:a.b:80")
    var it = try head(bytes)
    #expect(part(bytes, it.target) == "http://Example.com:80/a/b?c=d?e")
    #expect(part(bytes, it.path) == "/a/b" && part(bytes, it.query) == "c=d?e" && part(bytes, it.host) == "a.b:80")

    bytes = http("GET HTTPS://[::1]:8443 HTTP/1.1", "Host: [::1]:8443")
    it = try head(bytes)
    #expect(part(bytes, it.path) == "" && it.query.isAbsent)

    bytes = http("OPTIONS * HTTP/1.1", "Host: a")
    #expect(try head(bytes).method == .options && part(bytes, head(bytes).path) == "*")

    #expect(try head(http("GET / HTTP/1.1", "Host: a")).isKeptAlive)
    #expect(try !head(http("GET / HTTP/1.1", "Host: a", "Connection: foo ,\tCLOSE , bar")).isKeptAlive)
    #expect(try head(http("GET / HTTP/1.1", "Host: a", "Connection: closed, keep-alive")).isKeptAlive)
    #expect(try !head(http("GET / HTTP/1.1", "Host: a", "Connection: close", "Connection: keep-alive")).isKeptAlive)
    #expect(try !head(http("GET / HTTP/1.0")).isKeptAlive, "HTTP/1.0 needs no Host")
    #expect(try !head(http("GET / HTTP/1.0", "Connection: keep-alive")).isKeptAlive)
    #expect(try head(http("POST / HTTP/1.1", "Host: a", "Content-Length: \t000 ")).contentLength == 0)
    #expect(try !head(http("POST / HTTP/1.0", "Expect: 100-continue")).expectsContinue, "RFC 9110, 10.1.1")

    bytes = http(
      "GET / HTTP/1.1", "Host: a", "X-Forwarded-For: a", "X-Forwarded-For: b", "Origin:", "x-Client-id:  c d\t")
    it = try head(bytes)
    #expect(part(bytes, it.forwardedFor) == "b" && !it.origin.isAbsent && it.origin.range.isEmpty)
    #expect(part(bytes, it.clientID) == "c d")
  }

  @Test func `A method that HTTP does not know is read as such and ends the connection`() {
    for method in ["BREW", "get", "GETS", "M-SEARCH"] {
      guard case .request(let head, _, _) = Reader.read([http("\(method) / HTTP/1.1", "Host: a")]).first else {
        Issue.record("\(method) is refused")
        continue
      }
      #expect(head.method == .other && !head.isKeptAlive)
    }
  }

  @Test func `Every method that is known is read`() {
    for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
      guard case .request(let head, _, _) = Reader.read([http("\(method) / HTTP/1.1", "Host: a")]).first else {
        Issue.record("\(method) is refused")
        continue
      }
      #expect("\(head.method)" == method.lowercased())
    }
  }

  @Test func `The request line has 8 KiB, the head 16 KiB and 100 fields, to the byte`() {
    let frame = "GET / HTTP/1.1".utf8.count
    func line(_ count: Int) -> String { "GET /\(String(repeating: "a", count: count - frame)) HTTP/1.1" }
    #expect(Reader.read([http(line(8192), "Host: a")]).map(\.code) == [nil])
    #expect(Reader.read([http(line(8193), "Host: a")]).map(\.code) == [.targetTooLong])
    #expect(Reader.read([http(line(9000), "Host: a")]).map(\.code) == [.targetTooLong])
    #expect(Reader.read([Array("GET /\(String(repeating: "a", count: 9000))".utf8)]).map(\.code) == [.targetTooLong])

    func head(_ count: Int) -> [UInt8] {
      let rest = http("GET / HTTP/1.1", "Host: a", "B: ").count
      return http("GET / HTTP/1.1", "Host: a", "B: \(String(repeating: "b", count: count - rest))")
    }
    #expect(Reader.read([head(16384)]).map(\.code) == [nil])
    #expect(Reader.read([head(16385)]).map(\.code) == [.headTooLarge])
    #expect(Reader.read([head(17000)]).map(\.code) == [.headTooLarge])
    #expect(Reader.read([Array(head(17000).dropLast(10))]).map(\.code) == [.headTooLarge])

    let fields = (1...100).map { $0 == 1 ? "Host: a\r\n" : "A: b\r\n" }.joined()
    #expect(Reader.read([Array("GET / HTTP/1.1\r\n\(fields)\r\n".utf8)]).map(\.code) == [nil])
    #expect(Reader.read([Array("GET / HTTP/1.1\r\n\(fields)A: b\r\n\r\n".utf8)]).map(\.code) == [.headTooLarge])
  }

  @Test func `A line without end is refused at the same length in pieces of any size`() {
    for size in [1, 7, 100, 4096, 9000] {
      var reader = Reader()
      var sent = 0
      while !reader.isRefused && sent < 20_000 {
        reader.feed(Array("GET /".utf8).prefix(sent == 0 ? 5 : 0) + Array(repeating: UInt8(ascii: "a"), count: size))
        sent += size
      }
      #expect(reader.seen.map(\.code) == [.targetTooLong])
      #expect(sent <= 8192 + size, "in pieces of \(size)")

      reader = Reader()
      reader.feed(Array("\r".utf8))
      reader.feed(Array("\n".utf8))
      sent = 0
      while !reader.isRefused && sent < 20_000 {
        reader.feed(Array(repeating: UInt8(ascii: "a"), count: size))
        sent += size
      }
      #expect(reader.seen.map(\.code) == [.targetTooLong])
      #expect(sent <= 8193 + size, "in pieces of \(size), behind an empty line")
    }
  }

  @Test func `The bound of a body is exact, with a length and in chunks`() {
    var limits = HTTP1Limits()
    limits.bodyBytesMax = 10
    func length(_ count: Int) -> [UInt8] {
      http(
        "POST / HTTP/1.1", "Host: a", "Content-Length: \(count)", body: String(repeating: "b", count: count))
    }
    func chunked(_ sizes: [Int]) -> [UInt8] {
      let body = sizes.map { "\(String($0, radix: 16))\r\n\(String(repeating: "b", count: $0))\r\n" }.joined()
      return http("POST / HTTP/1.1", "Host: a", "Transfer-Encoding: chunked", body: body + "0\r\n\r\n")
    }
    for bytes in [length(10), chunked([10]), chunked([3, 7]), chunked(Array(repeating: 1, count: 10))] {
      for pieces in [[bytes], bytes.map { [$0] }] {
        guard case .request(_, _, let body) = Reader.read(pieces, limits: limits).first else {
          Issue.record("a body of 10 bytes is refused")
          continue
        }
        #expect(body == Array(repeating: UInt8(ascii: "b"), count: 10))
      }
    }
    for bytes in [length(11), chunked([11]), chunked([4, 7]), chunked(Array(repeating: 1, count: 11))] {
      for pieces in [[bytes], bytes.map { [$0] }] {
        #expect(Reader.read(pieces, limits: limits).map(\.code) == [.bodyTooLarge])
      }
    }
    // Refused before a byte of it is sent.
    #expect(Reader.read([Array(length(11).dropLast(11))], limits: limits).map(\.code) == [.bodyTooLarge])
    let expects = http("POST / HTTP/1.1", "Host: a", "Expect: 100-continue", "Content-Length: 11")
    var reader = Reader(limits: limits)
    reader.feed(expects)
    #expect(reader.seen.map(\.code) == [.bodyTooLarge] && reader.continues == 0)
  }

  @Test func `Extensions and trailers are skipped and chunks joined`() {
    let bytes = http(
      "POST / HTTP/1.1", "Host: a", "Transfer-Encoding: CHUNKED",
      body:
        "3;a;b=c\r\nabc\r\n00A\r\n0123456789\r\n0;d\r\nContent-Digest: 7\r\nE:\r\n\r\nGET /b HTTP/1.1\r\nHost: a\r\n\r\n"
    )
    let seen = Reader.read([bytes])
    guard seen.count == 2, case .request(_, _, let body) = seen[0], case .request(_, let next, _) = seen[1] else {
      Issue.record("\(seen)")
      return
    }
    #expect(body.text == "abc0123456789" && next.hasPrefix("GET /b "))
  }

  @Test func `One empty line before each request is forgiven`() {
    let get = http("GET / HTTP/1.1", "Host: a")
    let empty = Array("\r\n".utf8)
    #expect(Reader.read([empty + get + empty + get]).map(\.code) == [nil, nil])
    #expect(Reader.read((empty + get + empty + get).map { [$0] }).map(\.code) == [nil, nil])
    #expect(Reader.read((empty + empty + get).map { [$0] }).map(\.code) == [.requestMalformed])
  }

  @Test func `Who expects to be told to go on is told once, and only when nothing of the body has come`() {
    let head = http("POST / HTTP/1.1", "Host: a", "Expect: 100-Continue", "Content-Length: 3")
    for pieces in [[head], head.map { [$0] }] {
      var reader = Reader()
      for piece in pieces { reader.feed(piece) }
      #expect(reader.continues == 1 && reader.seen.isEmpty)
      reader.feed(Array("ab".utf8))
      reader.feed(Array("c".utf8))
      #expect(reader.continues == 1 && reader.seen.count == 1)
    }
    var reader = Reader()
    reader.feed(head + Array("a".utf8))
    #expect(reader.continues == 0)
    reader = Reader()
    reader.feed(http("POST / HTTP/1.1", "Host: a", "Expect: 100-continue", "Content-Length: 0"))
    #expect(reader.continues == 0 && reader.seen.count == 1, "there is no body to wait for")
    reader = Reader()
    reader.feed(http("POST / HTTP/1.1", "Host: a", "Expect: 100-continue", "Transfer-Encoding: chunked"))
    #expect(reader.continues == 1)
  }

  /// Heads are looked at in words of eight bytes, the last of which may reach beyond the input; so each byte is tried at each
  /// place of a word, and with whatever length of text behind it.
  @Test func `Each byte is allowed or refused wherever it stands`() {
    let hosts = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._:[]".utf8)
    let blanks = Set(" \t".utf8)
    for byte in UInt8.min ... .max {
      for before in 0..<9 {
        for after in [0, 1, 7, 8] {
          let name = Array(repeating: UInt8(ascii: "a"), count: before) + [byte] + Array(repeating: 0x62, count: after)
          // A blank at an end is none of the value's, and nothing but blanks is no host.
          let isBlankAside = blanks.contains(byte) && before + after > 0 && (before == 0 || after == 0)
          let isHost = hosts.contains(byte) || isBlankAside
          let host = Array("GET / HTTP/1.1\r\nHost: ".utf8) + name + Array("\r\n\r\n".utf8)
          #expect((Reader.read([host]).first?.code == nil) == isHost, "\(host.text)")
          let isValue = byte >= 0x20 && byte != 0x7f || byte == 0x09
          let field = Array("GET / HTTP/1.1\r\nHost: a\r\nB: ".utf8) + name + Array("\r\n\r\n".utf8)
          #expect((Reader.read([field]).first?.code == nil) == isValue, "\(field.text)")
          let isTarget = byte > 0x20 && byte < 0x7f && byte != UInt8(ascii: "#")
          let target = Array("GET /".utf8) + name + Array(" HTTP/1.1\r\nHost: a\r\n\r\n".utf8)
          #expect((Reader.read([target]).first?.code == nil) == isTarget, "\(target.text)")
        }
      }
    }
  }
}
