import NIOCore
import NIOEmbedded
import NIOHTTP1
import Testing

@testable import HoldfastServer

/// Whatever our reader accepts, NIO's (llhttp) must read the same way: else one of the two takes a part of one client's
/// request for another request, and that is request smuggling.
///
/// What is not compared, and why that is safe:
/// - What comes behind a request with `Upgrade`: llhttp stops there, since other bytes than HTTP may follow. We never
///   answer 101, so nothing else can follow. (`CONNECT`, for which llhttp does the same, is refused here.)
/// - A method that HTTP does not know: it is refused with 405, and the connection ends.
/// - What comes behind a request that ends the connection: both stop there.
/// - Whether HTTP/1.0 is kept alive, or `Connection: close` with a tab behind it, which llhttp overlooks: we close, which
///   takes no bytes for anything.
@Suite struct HTTP1FuzzTests {
  static let requests = 1_000_000
  static let workers = 4

  @Test func `What we accept of a million mutated requests NIO reads the same way`() async {
    let seed = testSeed
    await withTaskGroup(of: Comparison.Outcome.self) { group in
      for worker in 0..<Self.workers {
        group.addTask {
          var comparison = Comparison(seed: seed &+ UInt64(worker))
          comparison.run(Self.requests / Self.workers)
          return comparison.outcome
        }
      }
      var accepted = 0
      var refused = 0
      for await outcome in group {
        if let difference = outcome.difference { Issue.record("\(difference)") }
        accepted += outcome.accepted
        refused += outcome.refused
      }
      // Else the mutations are too tame, or too wild, to find anything.
      #expect(accepted > Self.requests / 5, "\(accepted) accepted, \(refused) refused")
      #expect(refused > Self.requests / 5, "\(accepted) accepted, \(refused) refused")
      print("\(accepted) accepted and compared, \(refused) refused")
    }
  }

  @Test func `Garbage never crashes the reader, in pieces or whole`() {
    var random = SeededGenerator(testSeed)
    let words = [
      "GET ", "POST / HTTP/1.1\r\n", "Host: a\r\n", "\r\n", "Content-Length: ", "1", "ffff", "\r\n\r\n",
      "Transfer-Encoding: chunked\r\n", ":", " ", "\n", "\r", "\0", ";", "0\r\n\r\n", "Expect: 100-continue\r\n", "é",
    ]
    for _ in 0..<50_000 {
      var bytes: [UInt8] = []
      for _ in 0..<random.below(30) {
        if random.below(2) == 0 {
          bytes.append(UInt8(truncatingIfNeeded: random.next()))
        } else {
          bytes += Array(words[random.below(words.count)].utf8)
        }
      }
      let whole = Reader.read([bytes])
      let pieces = Reader.read(bytes.cut(at: [random.below(bytes.count + 1), random.below(bytes.count + 1)]))
      // A line that has not ended may be refused early when it comes at once, and only then.
      let count = min(whole.count, pieces.count)
      #expect(Array(whole.prefix(count)) == Array(pieces.prefix(count)))
    }
  }
}

/// One worker's part of the fuzz.
private struct Comparison {
  struct Outcome: Sendable {
    var accepted = 0
    var refused = 0
    /// The first difference.
    var difference: String?
  }

  private let seed: UInt64
  private var random: SeededGenerator
  private var peer = Peer()
  private let limits = HTTP1Limits()
  private(set) var outcome = Outcome()

  init(seed: UInt64) {
    self.seed = seed
    random = SeededGenerator(seed)
  }

  mutating func run(_ count: Int) {
    for round in 0..<count {
      let stream = mutated()
      if let wrong = compare(stream) {
        outcome.difference = """
          \(wrong)
          in \(stream.text.debugDescription)
          HOLDFAST_TEST_SEED=\(testSeed), worker seed \(seed), round \(round)
          """
        return
      }
    }
  }

  // MARK: Comparing

  private mutating func compare(_ stream: [UInt8]) -> String? {
    var connection = HTTP1Connection(at: 0, limits: limits)
    var ours: [HTTP1Connection.Request] = []
    var offset = 0
    var end = 0
    reading: while true {
      switch connection.next(stream.span, &offset, at: 0, limits: limits) {
      case .needsMore: break reading
      case .refused, .preface:
        outcome.refused += 1
        break reading
      case .sendContinue: continue
      case .request(let request) where request.head.method == .other:
        outcome.refused += 1
        break reading
      case .request(let request):
        ours.append(request)
        end = offset
        if !request.head.isKeptAlive || Self.hasUpgrade(request, stream) { break reading }
      }
    }
    if ours.isEmpty { return nil }
    outcome.accepted += 1
    peer.feed(stream[..<end])
    defer {
      let last = ours[ours.count - 1]
      if !last.head.isKeptAlive || Self.hasUpgrade(last, stream) || peer.error != nil { peer = Peer() }
      peer.requests.removeAll(keepingCapacity: true)
    }
    if let error = peer.error { return "NIO refuses what we accept: \(error)" }
    if peer.requests.count != ours.count {
      return "we read \(ours.count) requests, NIO \(peer.requests.count)"
    }
    for (request, theirs) in zip(ours, peer.requests) {
      let bytes = request.bytes ?? stream
      if let wrong = Self.difference(request, bytes, theirs) { return wrong }
    }
    return nil
  }

  private static func difference(
    _ request: HTTP1Connection.Request, _ bytes: [UInt8], _ theirs: Peer.Request
  ) -> String? {
    let base = request.start
    func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }
    // NIO makes texts of the bytes, and so repairs what is not UTF-8.
    func isSame(_ theirs: String, _ range: Range<Int>) -> Bool {
      theirs.utf8.count == range.count && theirs.utf8.elementsEqual(bytes[range]) || theirs == text(range)
    }
    if !theirs.isComplete { return "NIO waits for more of a request that we read whole" }
    if "\(request.head.method)".uppercased() != theirs.head.method.rawValue { return "method \(theirs.head.method)" }
    if theirs.head.uri != text(request.head.target.range.shifted(by: base)) { return "target \(theirs.head.uri)" }
    // The head's lines, split by the plainest rule there is.
    var start = base
    var line = -1
    var index = 0
    var length: Int?
    var coding = false
    var host = false
    let headers = theirs.head.headers
    var names = headers.makeIterator()
    while start < base + request.head.length - 2 {
      var end = start
      while bytes[end] != 13 { end += 1 }
      line += 1
      if line > 0 {
        var colon = start
        while bytes[colon] != 58 { colon += 1 }
        let value = bytes.span.trimmed(colon + 1..<end)
        guard let (theirName, theirValue) = names.next() else { return "NIO has only \(index) fields" }
        index += 1
        if !isSame(theirName, start..<colon) { return "field \(theirName)" }
        // llhttp leaves the blanks behind a value to whoever reads it.
        if !isSame(theirValue, value) && !isSame(theirValue, value.lowerBound..<end) {
          return "\(theirName): \(theirValue.debugDescription)"
        }
        switch theirName.utf8.count {
        case 4 where theirName.lowercased() == "host":
          host = true
          if request.head.host.range.shifted(by: base) != value { return "Host" }
        case 14 where theirName.lowercased() == "content-length":
          length = Int(theirValue.filter { $0 != " " && $0 != "\t" })
        case 17 where theirName.lowercased() == "transfer-encoding": coding = true
        default: break
        }
      }
      start = end + 2
    }
    if names.next() != nil { return "NIO has more than \(index) fields" }
    if host == request.head.host.isAbsent { return "Host" }
    if length != request.head.contentLength { return "Content-Length" }
    if coding != request.head.isChunked { return "Transfer-Encoding" }
    if theirs.body != Array(bytes[request.bodyRange]) { return "body of \(theirs.body.count) bytes" }
    if request.head.isKeptAlive && !theirs.head.isKeepAlive { return "NIO closes, we do not" }
    if !request.head.isKeptAlive && theirs.head.isKeepAlive && theirs.head.version == .http1_1 {
      let isTab = headers["connection"].contains { $0.utf8.contains(9) }
      if !isTab { return "we close, NIO does not" }
    }
    return nil
  }

  private static func hasUpgrade(_ request: HTTP1Connection.Request, _ stream: [UInt8]) -> Bool {
    // Every field of the name ends with these letters and a colon.
    let bytes = request.bytes ?? stream
    var index = request.start
    let end = request.start + request.head.length - 9
    while index < end {
      if bytes[index] == 10 && bytes[index + 8] == 58
        && bytes.span.matchesIgnoringCase("upgrade", at: index + 1..<index + 8)
      {
        return true
      }
      index += 1
    }
    return false
  }

  // MARK: Mutating

  private static let templates: [[UInt8]] = [
    http("GET / HTTP/1.1", "Host: a"),
    http("GET /api/poll/a?cursor=now HTTP/1.1", "Host: localhost:80", "Accept: */*"),
    http("POST /p HTTP/1.1", "Host: a", "Content-Length: 5", body: "hello"),
    http("POST /p HTTP/1.1", "Content-Length: 26", "Host: a", body: "GET /x HTTP/1.1\r\nHost: b\r\n\r\n".prefix26),
    http("POST /p HTTP/1.1", "Host: a", "Content-Length: 0"),
    http("POST /p HTTP/1.1", "Host: a", "Transfer-Encoding: chunked", body: "5\r\nhello\r\n0\r\n\r\n"),
    http(
      "POST /p HTTP/1.1", "Host: a", "transfer-encoding:chunked",
      body: "1;x=y\r\nh\r\nA\r\n0123456789\r\n0\r\nT: u\r\n\r\n"),
    http("PUT /p HTTP/1.1", "Host: a", "Expect: 100-continue", "Content-Length: 2", body: "ab"),
    http("GET / HTTP/1.0", "Connection: keep-alive"),
    http("OPTIONS * HTTP/1.1", "Host: a", "Origin: http://b", "Connection: close"),
    http("GET http://a/b?c HTTP/1.1", "Host: a", "X-Client-ID: q"),
    http("DELETE /d HTTP/1.1", "Host: [::1]:8", "Connection: Upgrade", "Upgrade: h2c"),
    http("HEAD /h HTTP/1.1", "Host: a", "TE: trailers", "Connection: TE, keep-alive"),
  ]

  private static let bits: [[UInt8]] = [
    "\r", "\n", "\r\n", "\0", " ", ":", ",", "\t", "0", "1", ";", "\r\n\r\n", "\r\n ", "Content-Length: 3\r\n", "close",
    "Transfer-Encoding: chunked\r\n", "Connection: close\r\n", "chunked", "\u{b}", "\u{7f}", "é", "#", "+", "-", "_",
    "Host: b\r\n", "0\r\n\r\n", "=", "\"", "%", "HTTP/1.0", "//", "?", "@", "[", "Upgrade: x\r\n",
    "Connection: upgrade\r\n",
  ].map { Array($0.utf8) }

  private mutating func mutated() -> [UInt8] {
    var stream = Self.templates[random.below(Self.templates.count)]
    while random.below(4) == 0 { stream += Self.templates[random.below(Self.templates.count)] }
    for _ in 0...random.below(3) { mutate(&stream) }
    return stream
  }

  private mutating func mutate(_ stream: inout [UInt8]) {
    if stream.isEmpty { return }
    let place = random.below(stream.count)
    switch random.below(12) {
    case 0: stream[place] ^= 1 << UInt8(random.below(8))
    case 1: stream[place] = UInt8(truncatingIfNeeded: random.next())
    case 2, 3: stream.insert(contentsOf: Self.bits[random.below(Self.bits.count)], at: place)
    case 4: stream.remove(at: place)
    case 5:
      // A line twice, or gone.
      let line = lineRange(stream, place)
      if random.below(2) == 0 {
        stream.insert(contentsOf: stream[line], at: line.lowerBound)
      } else {
        stream.removeSubrange(line)
      }
    case 6:
      // Two lines change places.
      let first = lineRange(stream, place)
      let second = lineRange(stream, min(first.upperBound, stream.count - 1))
      if second.lowerBound >= first.upperBound {
        let moved = Array(stream[first])
        stream.insert(contentsOf: moved, at: second.upperBound)
        stream.removeSubrange(first)
      }
    case 7:
      // Two lines become one.
      let line = lineRange(stream, place)
      if line.count > 2 {
        stream.replaceSubrange(line.upperBound - 2..<line.upperBound, with: random.below(2) == 0 ? [32] : [44])
      }
    case 8:
      // Another length.
      if let digit = stream.firstIndex(where: { $0.isDigit && random.below(3) == 0 }) {
        stream[digit] = UInt8(ascii: "0") + UInt8(random.below(10))
      }
    case 9:
      // The beginning of one request and the end of another.
      let other = Self.templates[random.below(Self.templates.count)]
      stream.replaceSubrange(place..., with: other[random.below(other.count)...])
    case 10: stream += Self.templates[random.below(Self.templates.count)]
    default:
      // Letters in another case.
      for index in lineRange(stream, place) where stream[index] | 0x20 >= 97 && stream[index] | 0x20 <= 122 {
        stream[index] ^= 0x20
      }
    }
  }

  private func lineRange(_ stream: [UInt8], _ place: Int) -> Range<Int> {
    var start = place
    while start > 0, stream[start - 1] != 10 { start -= 1 }
    var end = place
    while end < stream.count, stream[end] != 10 { end += 1 }
    return start..<min(end + 1, stream.count)
  }
}

extension String {
  fileprivate var prefix26: String { String(decoding: utf8.prefix(26), as: UTF8.self) }
}

/// NIO's decoder. It goes on from stream to stream, so that one that left it out of step is noticed by the next.
private final class Peer {
  struct Request {
    var head: HTTPRequestHead
    var body: [UInt8] = []
    var isComplete = false
  }

  private final class Collector: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    unowned let peer: Peer

    init(_ peer: Peer) { self.peer = peer }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      switch unwrapInboundIn(data) {
      case .head(let head): peer.requests.append(Request(head: head))
      case .body(let buffer): peer.requests[peer.requests.count - 1].body += buffer.readableBytesView
      case .end: peer.requests[peer.requests.count - 1].isComplete = true
      }
    }
  }

  var requests: [Request] = []
  var error: (any Error)?
  private let channel = EmbeddedChannel()

  init() {
    try? channel.pipeline.syncOperations.addHandlers(ByteToMessageHandler(HTTPRequestDecoder()), Collector(self))
  }

  deinit { _ = try? channel.finish(acceptAlreadyClosed: true) }

  func feed(_ bytes: ArraySlice<UInt8>) {
    do { try channel.writeInbound(ByteBuffer(bytes: bytes)) } catch { self.error = error }
  }
}
