import Foundation
import Holdfast
import HoldfastProtocol
import Logging
import Testing

@testable import HoldfastServer

@Suite struct APITests {
  private func refusal<T>(_ body: () throws -> T) -> ProblemCode? {
    do {
      _ = try body()
      return nil
    } catch { return (error as? Problem)?.code }
  }

  // MARK: Routes

  private func route(_ path: String, prefix: String = "/api") -> String? {
    let bytes = Array("xx\(path)".utf8)
    guard let route = Route.match(bytes.span, 2..<bytes.count, prefix: Array(prefix.utf8)) else { return nil }
    return switch route {
    case .poll(let range): "poll \(bytes[range].map { $0 }.text)"
    case .publish(let range): "publish \(bytes[range].map { $0 }.text)"
    case .publishBatch: "batch"
    case .history(let range): "history \(bytes[range].map { $0 }.text)"
    case .channels: "channels"
    case .channel(let range): "channel \(bytes[range].map { $0 }.text)"
    case .health: "health"
    case .ready: "ready"
    case .page(let page): "page \(page)"
    }
  }

  @Test func `Each path of the protocol has its route, under any prefix`() {
    for prefix in ["/api", "", "/a/b"] {
      #expect(route("\(prefix)/poll/a,b%2c", prefix: prefix) == "poll a,b%2c")
      #expect(route("\(prefix)/publish/a", prefix: prefix) == "publish a")
      #expect(route("\(prefix)/publish", prefix: prefix) == "batch")
      #expect(route("\(prefix)/history/a", prefix: prefix) == "history a")
      #expect(route("\(prefix)/channels", prefix: prefix) == "channels")
      #expect(route("\(prefix)/channels/a", prefix: prefix) == "channel a")
      #expect(route("\(prefix)/poll/", prefix: prefix) == "poll ")
      #expect(route("/healthz", prefix: prefix) == "health" && route("/readyz", prefix: prefix) == "ready")
      #expect(route("/client.js", prefix: prefix) == "page module")
      #expect(route("/client.d.ts", prefix: prefix) == "page types")
      #expect(route("/example", prefix: prefix) == "page example")
    }
    for path in [
      "", "/", "/api", "/api/", "/api/poll", "/apipoll/a", "/api/poll/a/b", "/api/Poll/a", "/poll/a", "/api/polls/a",
      "/api/publish/a/", "/api/history", "/healthz/", "/api/healthz", "*", "/api/channels/a/b", "//api/poll/a",
      "/api/polla",
    ] {
      #expect(route(path) == nil, "\(path)")
    }
  }

  // MARK: Query

  /// A query together with the bytes that it points into.
  private struct ReadQuery {
    let bytes: [UInt8]
    let query: Query

    subscript(name: Query.Name) -> String? { query.text(name, bytes.span) }
    func limit() throws(Problem) -> Int { try query.limit(bytes.span) }
    func since() throws(Problem) -> Timestamp? { try query.since(bytes.span) }
    func timeout(_ settings: LoopSettings) throws(Problem) -> Duration {
      try query.timeout(bytes.span, default: settings.pollTimeout, max: settings.pollTimeoutMax)
    }
  }

  private func query(_ text: String) throws(Problem) -> ReadQuery {
    let bytes = Array("??\(text)".utf8)
    return ReadQuery(bytes: bytes, query: try Query(bytes.span, 2..<bytes.count, base: 0))
  }

  @Test func `Parameters are read, decoded, and refused when given twice`() throws {
    let it = try query(
      "cursor=a%2eb&&timeout=3&limit=5&since=1&ttl=2&after=q&prefix=%41&unknown=1&unknown=2&=x&CURSOR=y&cursors=z")
    #expect(it[.cursor] == "a.b" && it[.timeout] == "3" && it[.limit] == "5" && it[.since] == "1" && it[.ttl] == "2")
    #expect(it[.after] == "q" && it[.prefix] == "A")
    #expect(
      try query("cursor")[.cursor] == "" && query("cursor=")[.cursor] == "" && query("cursor=a=b")[.cursor] == "a=b")
    #expect(try query("")[.cursor] == nil && query("%63ursor=a")[.cursor] == "a")
    for name in ["cursor", "timeout", "limit", "since", "ttl", "after", "prefix"] {
      #expect(refusal { try query("\(name)=1&\(name)=1") } == .parameterDuplicate)
    }
    #expect(
      try query("cursor=%zz")[.cursor] == "%zz" && query("cursor=%4")[.cursor] == "%4"
        && query("cursor=%")[.cursor] == "%")
    #expect(try query("cursor=a+b")[.cursor] == "a+b")
  }

  @Test func `A limit is a whole number from 1 to 1000`() throws {
    #expect(
      try query("limit=1").limit() == 1 && query("limit=1000").limit() == 1000
        && query("").limit() == 100)
    for text in ["0", "1001", "-1", "+1", "1.0", "", "a", "99999999999999999999", "1e2", "%31%00"] {
      #expect(refusal { try query("limit=\(text)").limit() } == .limitInvalid, "\(text)")
    }
  }

  @Test func `A timeout is lowered to the cap and must be a decimal number that is not negative`() throws {
    var configuration = ServerConfiguration()
    let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    let settings = LoopSettings(configuration, logger: logger)
    func timeout(_ text: String) throws -> Duration { try query("timeout=\(text)").timeout(settings) }
    #expect(try query("").timeout(settings) == .seconds(30))
    #expect(try timeout("0") == .zero && timeout("-0") == .zero && timeout("1.5") == .seconds(1.5))
    #expect(try timeout("60") == .seconds(60) && timeout("61") == .seconds(60) && timeout("1e999") == .seconds(60))
    #expect(try timeout("1e18") == .seconds(60) && timeout("1e1") == .seconds(10))
    for text in ["-1", "nan", "inf", "0x10", "", "a", "1s", "-1e999", "1,5", "%20%31", "infinity", "1e", "--1"] {
      #expect(refusal { try timeout(text) } == .timeoutInvalid, "\(text)")
    }
    configuration.pollTimeoutMax = .seconds(5)
    #expect(try query("").timeout(LoopSettings(configuration, logger: logger)) == .seconds(5))
  }

  @Test func `A timestamp given back is the same to the microsecond`() throws {
    var random = SeededGenerator(testSeed)
    for _ in 0..<5000 {
      let micros = Int64(random.next() % 4_294_967_296_000_000)
      var text: [UInt8] = []
      text.write(Timestamp(microseconds: micros))
      #expect(try query("since=\(text.text)").since()?.microseconds == micros)
      #expect(text.text == Timestamp(microseconds: micros).description)
    }
    #expect(try query("since=1e30").since()?.microseconds == .max)
    for text in ["-1", "nan", "", "now"] {
      #expect(refusal { try query("since=\(text)").since() } == .sinceInvalid)
    }
    #expect(try Query.ttl(nil) == nil && Query.ttl("0.5") == .seconds(0.5) && Query.ttl("1e300") == .seconds(1e9))
    for text in ["0", "-1", "-0", "nan", "inf", ""] { #expect(refusal { try Query.ttl(text) } == .ttlInvalid) }
  }

  // MARK: Percent-encoding

  private func decoded(_ text: String) -> String? {
    let bytes = Array(text.utf8)
    return bytes.span.percentDecoded(0..<bytes.count)
  }

  @Test func `Percent-encoding is decoded as Foundation decodes it`() {
    #expect(decoded("a%41%7e%2F") == "aA~/" && decoded("") == "" && decoded("%c3%A4") == "ä")
    for text in ["%", "%4", "%4g", "%g4", "a%", "%%41", "%-1", "%+1"] { #expect(decoded(text) == nil, "\(text)") }
    #expect(decoded("%ff") == "\u{fffd}", "what is not UTF-8 is no name of anything")
    var random = SeededGenerator(testSeed)
    let parts = ["%41", "%2f", "%C3%A4", "%e2%82%ac", "a", "+", "~", "%25", "%", "%4", "%zz"]
    for _ in 0..<5000 {
      let text = (0..<random.below(6)).map { _ in parts[random.below(parts.count)] }.joined()
      guard let theirs = text.removingPercentEncoding else {
        #expect(decoded(text)?.contains("\u{fffd}") ?? true, "\(text)")
        continue
      }
      #expect(decoded(text) == theirs, "\(text)")
    }
  }

  @Test func `Channels are told by commas, named once and at most 64`() throws {
    func channels(_ text: String) throws(Problem) -> [String] {
      let bytes = Array(text.utf8)
      return try bytes.span.channels(0..<bytes.count).map(\.text)
    }
    #expect(
      try channels("a") == ["a"] && channels("b,a") == ["b", "a"] && channels("a%2Cb") == ["a", "b"]
        && channels("%61") == ["a"])
    let names = (0..<64).map { "c\($0)" }
    #expect(try channels(names.joined(separator: ",")) == names)
    #expect(refusal { try channels((names + ["x"]).joined(separator: ",")) } == .channelsTooMany)
    #expect(refusal { try channels("a,b,a") } == .channelDuplicate)
    for text in ["", ",", "a,", ",a", "a,,b", "a%", "a%2fb", "a%00", "a%20", "%ff", String(repeating: "a", count: 129)]
    {
      #expect(refusal { try channels(text) } == .channelInvalid, "\(text)")
    }
  }

  // MARK: Requests

  private func head(_ fields: [String]) throws -> (RequestHead, [UInt8]) {
    let bytes = Array(("GET / HTTP/1.1\r\n" + fields.map { $0 + "\r\n" }.joined() + "\r\n").utf8)
    return (try #require(try RequestHeadParser.parse(bytes.span, from: 0, limits: HTTP1Limits())), bytes)
  }

  @Test func `The server's own origin passes, whatever its case and default port`() throws {
    let policy = OriginPolicy([], trustedProxies: [])
    for (host, origin) in [
      ("a", "http://a"), ("a:80", "http://a"), ("a", "http://a:80"), ("a:443", "https://a"), ("a", "https://a:443"),
      ("A.b", "HTTP://a.B"),
      ("a:8080", "http://a:8080"), ("a:8080", "https://a:8080"), ("[::1]", "http://[::1]"),
      ("[::1]:80", "http://[::1]"),
      ("[::1]:8080", "http://[::1]:8080"), ("127.0.0.1:8080", "http://127.0.0.1:8080"),
    ] {
      let (head, bytes) = try head(["Host: \(host)", "Origin: \(origin)"])
      #expect(try policy.check(head, bytes.span, base: 0, peer: Address(value: 0)) == .own, "\(host) \(origin)")
    }
    for (host, origin) in [
      ("a", "http://b"), ("a", "http://a.b"), ("a", "null"), ("a", ""), ("a", "a"), ("a", "http://"), ("a", "http:/a"),
      ("a", "ftp://a"),
      ("a", "http://a:8080"), ("a:8080", "http://a"), ("a", "https://a:80"), ("a:80", "https://a"), ("a", "http://a/"),
      ("a", "*"),
      ("a", "http://a http://b"), ("a", "http://b://a"), ("a", "http://x@a"), ("[::1]", "http://[::2]"),
      ("a", "http://a."), ("a", "file://a"),
    ] {
      let (head, bytes) = try head(["Host: \(host)", "Origin: \(origin)"])
      #expect(
        refusal { try policy.check(head, bytes.span, base: 0, peer: Address(value: 0)) } == .originForbidden,
        "\(host) \(origin)")
    }
    let (none, bytes) = try head(["Host: a"])
    #expect(try policy.check(none, bytes.span, base: 0, peer: Address(value: 0)) == .own)
  }

  @Test func `From this machine a name is the server's own only through a trusted proxy`() throws {
    let local = try #require(Address("127.0.0.1"))
    let proxied = OriginPolicy([], trustedProxies: ["127.0.0.0/8"].compactMap { AddressRange($0) })
    for host in ["evil.example", "evil.example:8080", "127.0.0.1.evil.example"] {
      let (head, bytes) = try head(["Host: \(host)", "Origin: http://\(host)"])
      for peer in [local, Address(value: 1)] {
        #expect(
          refusal { try OriginPolicy([], trustedProxies: []).check(head, bytes.span, base: 0, peer: peer) }
            == .originForbidden, "\(host)")
      }
      #expect(try proxied.check(head, bytes.span, base: 0, peer: local) == .own)
    }
    for host in ["localhost", "localhost:8080", "a.localhost", "127.0.0.1:8080", "[::1]:8080", "[::1]", "192.0.2.1"] {
      let (head, bytes) = try head(["Host: \(host)", "Origin: http://\(host)"])
      #expect(try OriginPolicy([], trustedProxies: []).check(head, bytes.span, base: 0, peer: local) == .own, "\(host)")
    }
  }

  @Test func `Listed origins pass and are named in the answer; a star lets all pass`() throws {
    let listed = OriginPolicy(["https://App.example", "http://x:8080", "null"], trustedProxies: [])
    for origin in ["https://app.EXAMPLE", "http://x:8080", "null"] {
      let (head, bytes) = try head(["Host: a", "Origin: \(origin)"])
      let grant = try listed.check(head, bytes.span, base: 0, peer: Address(value: 0))
      #expect(listed.text(grant) == origin.lowercased())
    }
    for origin in ["https://app.example:444", "http://app.example", "http://x", "https://evil.app.example"] {
      let (head, bytes) = try head(["Host: a", "Origin: \(origin)"])
      #expect(
        refusal { try listed.check(head, bytes.span, base: 0, peer: Address(value: 0)) } == .originForbidden,
        "\(origin)")
    }
    let (head, bytes) = try head(["Host: a", "Origin: http://anything"])
    let all = OriginPolicy(["*"], trustedProxies: [])
    #expect(all.text(try all.check(head, bytes.span, base: 0, peer: Address(value: 0))) == "*")
  }

  @Test func `The client's address is the first from the right that no trusted proxy wrote`() throws {
    let policy = HolderPolicy(trustedProxies: ["10.0.0.0/8", "::1", "2001:db8::/32"].compactMap { AddressRange($0) })
    #expect(policy.trustedProxies.count == 3)
    func client(_ peer: String, _ forwarded: String...) throws -> UInt128 {
      let (head, bytes) = try head(["Host: a"] + forwarded.map { "X-Forwarded-For: \($0)" })
      return try policy.holder(head, bytes.span, base: 0, peer: #require(Address(peer))).address
    }
    func value(_ text: String) throws -> UInt128 { try #require(Address(text)).value }

    #expect(try client("192.0.2.1") == value("192.0.2.1"))
    #expect(try client("192.0.2.1", "198.51.100.7") == value("192.0.2.1"), "from no trusted proxy")
    #expect(try client("10.1.2.3", "198.51.100.7") == value("198.51.100.7"))
    #expect(try client("10.1.2.3", "1.1.1.1, 198.51.100.7") == value("198.51.100.7"), "what stands left is forged")
    #expect(try client("10.1.2.3", "1.1.1.1 ,198.51.100.7,\t10.9.9.9 ") == value("198.51.100.7"))
    #expect(try client("10.1.2.3", "1.1.1.1", "198.51.100.7") == value("198.51.100.7"), "the nearest proxy's line")
    #expect(try client("10.1.2.3") == value("10.1.2.3"))
    #expect(try client("10.1.2.3", "") == value("10.1.2.3"))
    #expect(try client("10.1.2.3", "198.51.100.7, garbage") == value("10.1.2.3"))
    #expect(try client("10.1.2.3", "garbage, 198.51.100.7") == value("198.51.100.7"))
    #expect(try client("10.1.2.3", "198.51.100.7, garbage, 10.0.0.1") == value("10.0.0.1"))
    #expect(try client("::1", "2001:db9::5") == value("2001:db9::5"))
    #expect(try client("::1", "198.51.100.7, 2001:db8::5") == value("198.51.100.7"))
    #expect(try client("::1", "[2001:db9::5]") == value("2001:db9::5"))
    #expect(try client("10.1.2.3", "198.51.100.7:4711") == value("198.51.100.7"), "with a port")
    #expect(try client("10.1.2.3", "[2001:db9::5]:4711") == value("2001:db9::5"))
    #expect(try client("10.1.2.3", "10.0.0.1, 10.0.0.2") == value("10.0.0.1"), "all of them are trusted")
  }

  @Test func `A client is its X-Client-ID, printable and up to 128 characters`() throws {
    let policy = HolderPolicy(trustedProxies: [])
    func client(_ id: String?) throws -> UInt128? {
      let (head, bytes) = try head(["Host: a"] + (id.map { ["X-Client-ID: \($0)"] } ?? []))
      return try policy.holder(head, bytes.span, base: 0, peer: Address(value: 1)).client
    }
    #expect(try client(nil) == nil)
    #expect(try client("a") == client("a") && client("a") != client("b") && client("ab") != client("ba"))
    #expect(try client(String(repeating: "a", count: 128)) != nil)
    for id in ["", "a b", "a\tb", "ä", String(repeating: "a", count: 129)] {
      #expect(refusal { try client(id) } == .clientIDInvalid, "\(id)")
    }
  }

  // MARK: Addresses

  @Test func `Addresses are read as people write them, IPv4 as a part of IPv6`() throws {
    #expect(Address("192.0.2.1")?.value == 0xffff_c000_0201)
    #expect(Address("::ffff:192.0.2.1") == Address("192.0.2.1") && Address("192.0.2.1")?.isIPv4 == true)
    #expect(Address("::1")?.value == 1 && Address("[::1]")?.value == 1 && Address("::1")?.isIPv4 == false)
    #expect(Address("2001:db8::ff00:42:8329")?.value == 0x20010db8_00000000_0000ff00_00428329)
    for text in [
      "", "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4", "::1::", "g::", "1.2.3.4:80", "[::1]:80", " ::1", "localhost",
      "fe80::1%eth0", "[]", "[",
    ] {
      #expect(Address(text) == nil, "\(text)")
    }
  }

  @Test func `Ranges hold the addresses with their beginning`() throws {
    func holds(_ range: String, _ address: String) throws -> Bool {
      try #require(AddressRange(range)).contains(#require(Address(address)))
    }
    #expect(try holds("10.0.0.0/8", "10.255.255.255") && !holds("10.0.0.0/8", "11.0.0.0"))
    #expect(try holds("10.1.2.3/8", "10.9.9.9"))
    #expect(
      try holds("192.0.2.1", "192.0.2.1") && !holds("192.0.2.1", "192.0.2.2") && holds("192.0.2.1/32", "192.0.2.1"))
    #expect(try holds("0.0.0.0/0", "255.255.255.255") && !holds("0.0.0.0/0", "::1"))
    #expect(try holds("::/0", "1.2.3.4") && holds("::/0", "::1"))
    #expect(try holds("2001:db8::/33", "2001:db8:7fff::1") && !holds("2001:db8::/33", "2001:db8:8000::"))
    #expect(try holds("::1/128", "::1") && !holds("::1", "::2"))
    for text in ["", "/", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "::/129", "10.0.0.0/8/8", "10.0.0.0/a", "a/8"] {
      #expect(AddressRange(text) == nil, "\(text)")
    }
  }

  // MARK: Dates and types

  @Test func `Dates are written as Foundation writes them, to the year 9999`() {
    let formatter = DateFormatter()
    formatter.locale = Locale(identifier: "en_US_POSIX")
    formatter.timeZone = TimeZone(secondsFromGMT: 0)
    formatter.calendar = Calendar(identifier: .gregorian)
    formatter.dateFormat = "EEE, dd MMM yyyy HH:mm:ss 'GMT'"
    var random = SeededGenerator(testSeed)
    var times: [Int64] = [
      0, 1, 59, 60, 3599, 3600, 86399, 86400, 784_111_777, 951_782_400, 951_868_799, 951_868_800, 4_107_542_400,
      253_402_300_799,
    ]
    for year in 1970..<2110 { times.append(Int64(year - 1970) * 31_556_952) }
    for _ in 0..<3000 { times.append(Int64(random.next() % 253_402_300_800)) }
    for time in times {
      #expect(HTTPDate.text(time).text == formatter.string(from: Date(timeIntervalSince1970: Double(time))))
    }
    #expect(HTTPDate.text(784_111_777).text == "Sun, 06 Nov 1994 08:49:37 GMT")
  }

  @Test func `A clock before 1970 crashes nothing`() {
    #expect(HTTPDate.text(-1).text == "Thu, 01 Jan 1970 00:00:00 GMT")
  }

  @Test func `A body becomes a message by its media type`() throws {
    for type in [
      "", "application/json", "Application/JSON ; charset=utf-8", "application/x-www-form-urlencoded",
      "application/vnd.a+json",
    ] {
      #expect(MediaType(type).kind == .json, "\(type)")
    }
    for type in [
      "text/json", "text/plain", "application/jsonx", "image/a+json", "application/xml", "json", ";application/json",
    ] {
      #expect(MediaType(type).kind != .json || type.hasPrefix(";"), "\(type)")
    }
    for type in ["application/x-ndjson", "APPLICATION/NDJSON;a=b", "application/jsonl"] {
      #expect(MediaType(type).kind == .ndjson)
    }

    #expect(try MediaType("").payload(Array(" {\"a\" :1}\n".utf8)) == Payload(json: " {\"a\" :1}\n"))
    #expect(try MediaType("text/plain; charset=utf-8").payload(Array("a\"ä\n".utf8)) == Payload(json: "\"a\\\"ä\\n\""))
    #expect(try MediaType("text/plain").payload([]) == Payload(json: "\"\""))
    #expect(try MediaType("image/PNG; a=b").payload([1, 255]) == Payload([1, 255], contentType: "image/PNG; a=b"))
    #expect(refusal { try MediaType("").payload([]) } == .jsonMalformed)
    #expect(refusal { try MediaType("").payload(Array("{".utf8)) } == .jsonMalformed)
    #expect(
      refusal { try MediaType("application/json").payload(Array(repeating: UInt8(ascii: "["), count: 600)) }
        == .jsonTooDeep)
    do throws(Problem) {
      _ = try MediaType("text/plain").payload([65, 0xff])
      Issue.record("accepted")
    } catch { #expect(error.code == .textMalformed && error.offset == 1) }
  }

  @Test func `Every problem is written as valid JSON with its status`() throws {
    for code in ProblemCode.allCases {
      let reply = Problem(code, "a \"detail\"\n", offset: 3, retryAfter: 2, allow: "GET").reply
      let object = try #require(try JSONSerialization.jsonObject(with: Data(reply.body)) as? [String: Any])
      #expect(
        object["code"] as? String == code.rawValue && object["status"] as? Int == code.status
          && object["offset"] as? Int == 3)
      #expect(object["title"] as? String != "Unknown", "\(code.status) has no reason phrase")
      var head: [UInt8] = []
      head.writeHead(
        status: reply.status, contentType: reply.contentType, bodyCount: reply.body.count,
        common: Array("Common: 1\r\n".utf8), fields: reply.fields, origin: nil, closes: true)
      let text = head.text
      #expect(
        text.hasPrefix("HTTP/1.1 \(code.status) ") && text.contains("\r\nRetry-After: 2\r\n")
          && text.contains("\r\nAllow: GET\r\n"))
      #expect(text.contains("\r\nConnection: close\r\n") && text.contains("\r\nCommon: 1\r\n"))
    }
  }
}
