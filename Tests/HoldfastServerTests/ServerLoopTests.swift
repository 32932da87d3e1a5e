import Foundation
import Holdfast
import HoldfastProtocol
import Testing

@testable import HoldfastServer

/// What a server does with its connections, in virtual time.
@Suite struct ServerLoopTests {
  // MARK: Lists

  private static let list = Bench.get("/api/channels?limit=1")

  /// A server that may look at ten channels a tick, and has eleven.
  private func benchOfLists() -> Bench {
    let bench = Bench(listedPerTick: 10)
    let publisher = bench.open()
    for number in 0..<11 { bench.publish(publisher, "news-\(number)", "1") }
    return bench
  }

  @Test func `Lists of many channels take a share of each tick, in order, and keep nobody else waiting`() {
    let bench = benchOfLists()
    let (many, one, other) = (bench.open(), bench.open(), bench.open())
    bench.send(many, Self.list + Self.list + Self.list + Bench.get("/healthz"))
    bench.send(one, Self.list)
    bench.send(other, Bench.get("/healthz"))
    #expect(bench.answers(other).count == 1)
    // Whose answers come in which tick.
    var seen: [[Int]] = []
    var answers: [Response] = []
    for _ in 0..<5 {
      answers += bench.answers(many)
      seen.append([answers.count, bench.answers(one).count])
      bench.pass(0.1)
    }
    #expect(seen == [[1, 0], [2, 0], [2, 1], [4, 0], [4, 0]])
    #expect(answers.map { $0.json["channels"] != nil } == [true, true, true, false])
    #expect(bench.state(many) == .open && bench.state(one) == .open)
    #expect(bench.loop.driver[many].isReading && bench.loop.driver[one].isReading)
  }

  @Test func `Who waits for a list and goes away leaves nothing to who has its token next`() {
    let bench = benchOfLists()
    let token = bench.open()
    bench.send(token, Self.list + Self.list)
    #expect(bench.state(token) == .postponed)
    bench.loop.closed(token)
    _ = bench.open(token)
    bench.pass(1)
    #expect(bench.state(token) == .open && bench.answers(token).isEmpty)
  }

  @Test func `Who waits for a list and ends its side is given that, and the end`() {
    let bench = benchOfLists()
    let token = bench.open()
    bench.send(token, Self.list + Self.list)
    bench.loop.ended(token)
    #expect(bench.state(token) == .postponed)
    bench.pass(1)
    #expect(bench.state(token) == .free && bench.answers(token).count == 2)
  }

  // MARK: Polls

  @Test func `A held poll is answered at once when a message comes`() throws {
    let bench = Bench()
    let poller = bench.open()
    let publisher = bench.open()
    bench.poll(poller, "news")
    #expect(bench.state(poller) == .held && bench.loop.driver[poller].sent.isEmpty)
    bench.publish(publisher, "other", "0")
    #expect(bench.state(poller) == .held, "a message never crosses to another channel")
    bench.publish(publisher, "news", #"{"a":1}"#)
    let answer = try #require(bench.answer(poller))
    #expect(answer.status == 200 && answer.kind == "messages" && answer.data == [#"{"a":1}"#])
    #expect(answer.fields["cache-control"] == "no-store" && answer.fields["content-type"] == "application/json")
    #expect(answer.fields["connection"] == nil && bench.state(poller) == .open)
    let receipt = bench.answers(publisher).last
    #expect(receipt?.kind == "published" && receipt?.json["subscribers"] as? Int == 1)

    bench.poll(poller, "news?cursor=\(answer.cursor)")
    let news = try ChannelName("news")
    #expect(bench.state(poller) == .held && bench.hub.channel(news)?.held == 1)
    bench.publish(publisher, "news", "2")
    #expect(bench.answer(poller)?.data == ["2"])
  }

  @Test(arguments: [0.1, 0.95, 1, 5.5, 30, 60]) func `A poll times out within a tick or two of its time, not before`(
    _ timeout: Double
  ) throws {
    let bench = Bench()
    for offset in [0.0, 0.03, 0.099] {
      bench.now += offset
      let token = bench.open()
      bench.poll(token, "news?timeout=\(timeout)")
      let start = bench.now
      while bench.state(token) == .held {
        #expect(bench.now - start <= timeout + 0.3)
        if bench.now - start > timeout + 1 { return }
        bench.pass(0.1)
      }
      #expect(bench.now - start >= timeout)
      let answer = try #require(bench.answer(token))
      #expect(answer.kind == "timeout" && answer.status == 200 && !answer.cursor.isEmpty)
    }
    #expect(bench.loop.hubLoop.heldCount == 0)
  }

  @Test func `A timeout of 0 is answered at once and holds nothing`() {
    let bench = Bench(holds: HoldLimits(perClientMax: 0, perAddressMax: 0, perChannelMax: 0, totalMax: 0))
    let token = bench.open()
    bench.poll(token, "news?timeout=0")
    #expect(bench.answer(token)?.kind == "timeout")
  }

  @Test func `A time-out is the same when the clock is set back an hour, or ahead`() {
    for shift in [-3600.0, 3600] {
      let bench = Bench()
      let token = bench.open()
      bench.poll(token, "news?timeout=10")
      bench.pass(5)
      bench.unixShift = shift
      bench.pass(4.8)
      #expect(bench.state(token) == .held)
      bench.pass(0.5)
      #expect(bench.answer(token)?.kind == "timeout")
      bench.pass(74)
      #expect(bench.state(token) == .open)
      bench.pass(2)
      #expect(bench.state(token) == .free, "idle time goes by the same clock")
    }
  }

  @Test func `The simple form answers one message, or the timestamp it was given`() throws {
    let bench = Bench()
    let poller = bench.open()
    let publisher = bench.open()
    bench.poll(poller, "news?since=5000000000.25&timeout=1")
    bench.pass(1.2)
    #expect(bench.answer(poller)?.body.text == #"{"status":"timeout","timestamp":5000000000.250000}"#)
    bench.poll(poller, "news?since=0")
    bench.publish(publisher, "news", "1")
    bench.publish(publisher, "news", "2")
    let answer = try #require(bench.answer(poller))
    #expect(answer.kind == "message" && answer.json["data"] as? Int == 1)
    let timestamp = try #require(answer.body.text.firstMatch(of: /"timestamp":([0-9.]+)/)?.1)
    bench.poll(poller, "news?since=\(timestamp)")
    #expect(bench.answer(poller)?.json["data"] as? Int == 2)
  }

  // MARK: Keep-alive

  @Test func `A connection is kept, or closed after the answer as it asks`() throws {
    for (request, isClosed) in [
      ("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n", false),
      ("GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", true),
      ("GET /healthz HTTP/1.0\r\n\r\n", true), ("GET /healthz HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", true),
      ("GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n", false),
      ("GET /nothing HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", true),
    ] {
      let bench = Bench()
      let token = bench.open()
      bench.send(token, Array(request.utf8) + Bench.get("/healthz"))
      let answers = bench.answers(token)
      #expect(answers.count == (isClosed ? 1 : 2), "nothing is answered behind the last request")
      #expect(answers.first?.fields["connection"] == (isClosed ? "close" : nil))
      #expect(bench.loop.driver[token].isShutDown == isClosed)
    }
  }

  @Test func `A poll that closes does so whether it times out or gets a message`() {
    let bench = Bench()
    let first = bench.open()
    let second = bench.open()
    bench.send(first, Array("GET /api/poll/a?timeout=1 HTTP/1.0\r\n\r\n".utf8))
    bench.poll(second, "b", "Connection: close")
    bench.pass(1.3)
    #expect(bench.answer(first)?.fields["connection"] == "close" && bench.loop.driver[first].isShutDown)
    bench.publish(bench.open(), "b", "1")
    #expect(bench.answer(second)?.fields["connection"] == "close" && bench.loop.driver[second].isShutDown)
  }

  @Test func `An idle connection is closed after 75 seconds, and an answer begins them anew`() {
    let bench = Bench()
    let token = bench.open()
    bench.pass(70)
    bench.send(token, Bench.get("/healthz"))
    bench.pass(74.8)
    #expect(bench.state(token) == .open)
    bench.pass(0.4)
    #expect(bench.state(token) == .free && bench.loop.driver[token].isClosed && bench.loop.openCount == 0)
  }

  @Test func `A request that comes too slowly is told so, however many bytes come`() {
    for (request, seconds) in [
      (Bench.get("/healthz"), 10.0), (Bench.post("/api/publish/a", String(repeating: "1", count: 400)), 30),
    ] {
      let bench = Bench()
      let token = bench.open()
      // The body's time begins with the head.
      let start = seconds == 10 ? [] : Array(request.dropLast(400))
      var rest = Array(request.dropFirst(start.count))
      if !start.isEmpty { bench.send(token, start) }
      bench.send(token, [rest.removeFirst()])
      for _ in 0..<Int(seconds * 10 - 2) where bench.state(token) == .open {
        bench.pass(0.1)
        if rest.count > 1 { bench.send(token, [rest.removeFirst()]) }
      }
      #expect(bench.state(token) == .open)
      bench.pass(0.4)
      let answer = bench.answer(token)
      #expect(answer?.status == 408 && answer?.fields["connection"] == "close" && bench.loop.driver[token].isShutDown)
    }
  }

  @Test func `A refusal is answered, closes, and what follows it is dropped until the client is gone`() {
    let bench = Bench()
    let token = bench.open()
    bench.send(
      token, Bench.get("/healthz") + Array("GET / HTTP/1.1\nHost: a\r\n\r\n".utf8) + Bench.post("/api/publish/a", "1"))
    let answers = bench.answers(token)
    #expect(answers.map(\.status) == [200, 400] && answers.last?.json["code"] as? String == "request_malformed")
    #expect(
      answers.last?.fields["connection"] == "close"
        && answers.last?.fields["content-type"] == "application/problem+json")
    #expect(
      bench.state(token) == .finishing && bench.loop.driver[token].isShutDown && !bench.loop.driver[token].isClosed)
    bench.send(token, Bench.post("/api/publish/a", "1"))
    #expect(bench.answers(token).isEmpty && bench.hub.channels().isEmpty)
    bench.pass(1.8)
    #expect(!bench.loop.driver[token].isClosed)
    bench.pass(0.3)
    #expect(bench.loop.driver[token].isClosed && bench.state(token) == .free)
  }

  @Test func `Who expects to be told to go on is told, unless the body would be refused`() {
    let bench = Bench { $0.bodyBytesMax = 10 }
    let token = bench.open()
    bench.send(
      token, Array("POST /api/publish/a HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n".utf8))
    #expect(bench.answer(token)?.status == 100)
    bench.send(token, Array("123".utf8))
    #expect(bench.answer(token)?.kind == "published")
    bench.send(
      token, Array("POST /api/publish/a HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 11\r\n\r\n".utf8)
    )
    #expect(bench.answer(token)?.status == 413)
  }

  @Test func `An answer to HEAD has the fields of GET and no body`() throws {
    let bench = Bench()
    let token = bench.open()
    bench.publish(token, "a", "1")
    _ = bench.answers(token)
    for path in [
      "/healthz", "/readyz", "/api/channels", "/api/channels/a", "/api/history/a", "/nothing", "/api/channels/none",
      "/api/history/a?limit=x",
    ] {
      bench.send(token, Bench.get(path))
      let get = try #require(bench.answer(token))
      bench.send(token, Array("HEAD \(path) HTTP/1.1\r\nHost: a\r\n\r\n".utf8))
      let head = try #require(bench.answers(token, isHead: true).first)
      #expect(
        head.status == get.status && head.fields == get.fields && head.body.isEmpty && !get.body.isEmpty, "\(path)")
    }
    bench.send(token, Array("HEAD /api/poll/a HTTP/1.1\r\nHost: a\r\n\r\n".utf8))
    let head = try #require(bench.answers(token, isHead: true).first)
    #expect(head.status == 405 && head.fields["allow"] == "GET, OPTIONS")
    bench.send(token, Array("OPTIONS /api/poll/a HTTP/1.1\r\nHost: a\r\n\r\n".utf8))
    let options = try #require(bench.answer(token))
    #expect(
      options.status == 204 && options.fields["content-length"] == nil && options.fields["allow"] == "GET, OPTIONS")
  }

  // MARK: Shared bytes

  @Test func `Equal answers share their bytes, but never those of another shape`() throws {
    let bench = Bench(holds: .none) { $0.corsOrigins = ["http://x", "http://y"] }
    let requests: [[UInt8]] = [
      Bench.get("/api/poll/a"), Bench.get("/api/poll/a"), Bench.get("/api/poll/a", ["Origin: http://x"]),
      Bench.get("/api/poll/a", ["Origin: http://y"]), Bench.get("/api/poll/a", ["Connection: close"]),
      Bench.get("/api/poll/a"),
      Bench.get("/api/poll/a?since=1790000001"), Bench.get("/api/poll/a?since=1790000001"),
      Bench.get("/api/poll/a?since=1790000002"),
      Bench.get("/api/poll/a?limit=1"), Bench.get("/api/poll/a", ["Origin: http://x", "Connection: close"]),
      Bench.get("/api/poll/a,b"),
    ]
    let tokens = requests.map { _ in bench.open() }
    for (token, request) in zip(tokens, requests) { bench.send(token, request) }
    bench.now = 5
    bench.publish(bench.open(), "a", "1")
    let answers = try tokens.map { try #require(bench.answer($0)) }
    for (index, answer) in answers.enumerated() {
      let request = requests[index].text
      let origin = request.firstMatch(of: /Origin: (.*)\r\n/)?.1
      #expect(answer.fields["access-control-allow-origin"] == origin.map { String($0) }, "\(request)")
      #expect(answer.fields["vary"] == (origin == nil ? nil : "Origin"))
      #expect((answer.fields["connection"] == "close") == request.contains("close"), "\(request)")
      #expect(answer.kind == (request.contains("since") ? "message" : "messages"), "\(request)")
      #expect(answer.cursor.contains(".") == request.contains("a,b"))
    }
    func base(_ token: Int32) -> UnsafeRawPointer? {
      bench.loop.driver[token].buffers.last?.withUnsafeBytes { $0.baseAddress }
    }
    #expect(base(tokens[0]) == base(tokens[1]), "one encoding for both")
    #expect(base(tokens[0]) != base(tokens[4]))
  }

  @Test func `Simple polls that time out together each get their own timestamp`() {
    let bench = Bench(holds: .none)
    bench.publish(bench.open(), "a", "1")
    let tokens = (1...3).map { _ in bench.open() }
    for (index, token) in tokens.enumerated() { bench.poll(token, "a?since=500000000\(index)&timeout=1") }
    #expect(bench.hub.delete(ChannelName.a))
    bench.loop.collect(at: bench.moment)
    bench.pass(1.3)
    for (index, token) in tokens.enumerated() {
      #expect(bench.answer(token)?.body.text.contains("500000000\(index).000000") == true)
    }
  }

  // MARK: Limits

  @Test func `Of requests that come in part no more is kept than may be, and each way in which one ends makes room`()
    throws
  {
    let bench = Bench { $0.partialBytesMax = 100_000 }
    let part =
      Array("POST /api/publish/a HTTP/1.1\r\nHost: a\r\nContent-Length: 60000\r\n\r\n\"".utf8)
      + Array(repeating: UInt8(ascii: "x"), count: 50_000)
    let rest = Array(repeating: UInt8(ascii: "x"), count: 60_000 - 50_002) + Array("\"".utf8)
    for round in 0..<5 {
      let (one, two) = (bench.open(), bench.open())
      bench.send(one, part)
      bench.send(two, part)
      let refusal = try #require(bench.answer(two), "round \(round)")
      #expect(refusal.status == 429 && refusal.json["code"] as? String == "server_at_capacity")
      #expect(bench.state(two) == .finishing && bench.state(one) == .open)
      bench.loop.closed(two)
      if round % 2 == 0 {
        bench.send(one, rest)
        #expect(bench.answer(one)?.kind == "published", "who was there goes on")
      }
      bench.loop.closed(one)
    }
  }

  @Test func `Over a limit a poll is refused with its reason and leaves no count behind`() throws {
    for (limits, reason, fields) in [
      (HoldLimits(perClientMax: 1), "Too many connections from client", ["X-Client-ID: c"]),
      (HoldLimits(perAddressMax: 1), "Too many connections from address", []),
      (HoldLimits(perChannelMax: 1), "Channel at capacity", []), (HoldLimits(totalMax: 1), "Server at capacity", []),
    ] {
      let bench = Bench(holds: limits)
      let first = bench.open()
      let second = bench.open()
      bench.send(first, Bench.get("/api/poll/a", fields))
      for _ in 0..<5 {
        bench.send(second, Bench.get("/api/poll/b,a", fields))
        let answer = try #require(bench.answer(second))
        #expect(answer.status == 429 && answer.json["error"] as? String == reason)
        #expect((1...5).contains(Int(answer.fields["retry-after"] ?? "") ?? 0))
        #expect(bench.state(second) == .open && answer.fields["connection"] == nil)
      }
      let b = try ChannelName("b")
      #expect(bench.hub.channel(b) == nil && bench.hub.channel(.a)?.held == 1)
      bench.loop.closed(first)
      bench.send(second, Bench.get("/api/poll/b,a", fields))
      #expect(bench.state(second) == .held)
    }
  }

  @Test func `A connection that closes while its poll is held gives its place back`() {
    let bench = Bench(holds: HoldLimits(perClientMax: 1, perAddressMax: 1, perChannelMax: 1, totalMax: 1))
    for _ in 0..<100 {
      let token = bench.open(3)
      bench.poll(token, "a")
      #expect(bench.state(token) == .held)
      bench.loop.closed(token)
      #expect(bench.loop.hubLoop.heldCount == 0 && bench.hub.channel(.a) == nil)
    }
    #expect(bench.loop.openCount == 0)
  }

  @Test func `A token that is used again never gets its predecessor's answer or deadline`() {
    let bench = Bench()
    let token = bench.open()
    bench.poll(token, "a?timeout=5", "Origin: http://a")
    bench.send(token, Bench.get("/healthz"))
    bench.send(token, Array("GET /par".utf8))
    bench.loop.closed(token)
    #expect(bench.loop.rows[Int(token)].queue == nil && bench.loop.rows[Int(token)].http.bytesKept == 0)
    let again = bench.open(token)
    bench.publish(bench.open(), "a", "1")
    bench.pass(6)
    #expect(bench.loop.driver[again].sent.isEmpty && bench.state(again) == .open)
    bench.poll(again, "b?timeout=50")
    bench.pass(20)
    #expect(bench.state(again) == .held)
    bench.publish(bench.open(), "b", "2")
    #expect(bench.answer(again)?.data == ["2"])
    bench.loop.closed(again)
    bench.loop.closed(again)
    #expect(bench.loop.openCount == 2)
  }

  // MARK: Slow readers

  @Test func `Who does not take an answer is not read from, and goes on where it was when it does`() {
    let bench = Bench()
    let token = bench.open()
    bench.loop.driver[token].window = 50
    bench.send(token, Bench.get("/healthz") + Bench.get("/readyz") + Bench.post("/api/publish/a", "1"))
    #expect(bench.state(token) == .sending && !bench.loop.driver[token].isReading)
    #expect(bench.hub.channels().isEmpty, "what it asked for waits with it")
    bench.pass(20)
    bench.read(token)
    #expect(bench.state(token) == .open && bench.loop.driver[token].isReading)
    #expect(bench.answers(token).map(\.kind) == ["ok", "ready", "published"])
  }

  @Test func `Who does not take an answer for 30 seconds is closed, and one with a held poll gets it late but whole`() {
    let bench = Bench()
    let slow = bench.open()
    let publisher = bench.open()
    bench.poll(slow, "a")
    bench.loop.driver[slow].window = 10
    bench.publish(publisher, "a", "1")
    #expect(bench.state(slow) == .sending)
    bench.pass(29.8)
    #expect(bench.state(slow) == .sending)
    bench.read(slow)
    #expect(bench.answer(slow)?.data == ["1"])
    bench.loop.driver[slow].window = 10
    bench.send(slow, Bench.get("/healthz"))
    bench.pass(30.3)
    #expect(bench.state(slow) == .free && bench.loop.driver[slow].isClosed)
  }

  @Test func `The last answer is taken whole before the connection's end is told`() {
    let bench = Bench()
    let token = bench.open()
    bench.loop.driver[token].window = 10
    bench.send(token, Bench.get("/healthz", ["Connection: close"]) + Bench.get("/readyz"))
    #expect(bench.state(token) == .sending && !bench.loop.driver[token].isShutDown)
    bench.read(token)
    #expect(bench.answers(token).map(\.kind) == ["ok"])
    #expect(
      bench.loop.driver[token].isShutDown && bench.loop.driver[token].isReading && bench.state(token) == .finishing)
  }

  @Test func `Who has ended his side gets the answers that were begun or need no wait, and then is closed`() {
    let bench = Bench()
    let idle = bench.open()
    bench.send(idle, Bench.get("/healthz") + Array("GET /".utf8))
    bench.loop.ended(idle)
    #expect(bench.answers(idle).count == 1 && bench.loop.driver[idle].isClosed)
    let held = bench.open()
    bench.poll(held, "a")
    bench.send(held, Bench.get("/healthz"))
    bench.loop.ended(held)
    #expect(bench.answers(held).isEmpty && bench.loop.driver[held].isClosed && bench.loop.hubLoop.heldCount == 0)
    for (behind, kinds) in [
      ([Bench.get("/readyz")], ["ok", "ready"]), ([Bench.get("/api/poll/a"), Bench.get("/readyz")], ["ok"]),
      ([Array("GET /".utf8)], ["ok"]), ([Bench.get("/readyz", ["Connection: close"])], ["ok", "ready"]),
    ] {
      let token = bench.open()
      bench.loop.driver[token].window = 10
      bench.send(token, Bench.get("/healthz"))
      // As NIO gives what it has when the end has come.
      for piece in behind { bench.send(token, piece) }
      bench.loop.ended(token)
      #expect(bench.state(token) == .sending && !bench.loop.driver[token].isClosed)
      bench.read(token)
      #expect(bench.answers(token).map(\.kind) == kinds)
      #expect(bench.loop.driver[token].isClosed && bench.state(token) == .free && bench.loop.hubLoop.heldCount == 0)
    }
    let slow = bench.open()
    bench.loop.driver[slow].window = 10
    bench.send(slow, Bench.get("/healthz"))
    bench.loop.ended(slow)
    bench.pass(30.3)
    #expect(bench.loop.driver[slow].isClosed, "he has no more time than others")
  }

  @Test func `Of what comes behind an answer from one who has ended his side no more is kept than may wait`() {
    let bench = Bench()
    for piece in [Bench.get("/readyz"), Bench.post("/api/publish/a", String(repeating: "1", count: 1000))] {
      let token = bench.open()
      bench.loop.driver[token].window = 0
      bench.send(token, Bench.get("/healthz"))
      for _ in 0..<100 { bench.send(token, piece) }
      // What is cut off in the middle must not be read on as if nothing were missing.
      let kept = bench.loop.rows[Int(token)].queue?.count ?? 0
      #expect(kept == RequestQueue.countMax + 1)
      bench.loop.ended(token)
      bench.read(token)
      #expect(bench.answers(token).count == 1 + kept && bench.loop.driver[token].isClosed)
    }
  }

  @Test func `What a slow client's word to go on leaves unsent is no answer that ended`() {
    let bench = Bench()
    let token = bench.open()
    bench.loop.driver[token].window = 0
    bench.send(
      token, Array("POST /api/publish/a HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n".utf8))
    bench.send(token, Array("1".utf8))
    #expect(bench.state(token) == .sending)
    bench.read(token)
    #expect(bench.state(token) == .open)
    #expect(bench.answers(token).map(\.status) == [100, 200])
  }
}

extension ChannelName {
  static var a: ChannelName { (try? ChannelName("a"))! }
}
