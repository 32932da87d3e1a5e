import Holdfast
import HoldfastProtocol
import Testing

@testable import HoldfastServer

@Suite struct PipeliningTests {
  @Test func `What comes behind a held poll waits and is answered in order`() {
    let bench = Bench()
    let token = bench.open()
    bench.send(
      token,
      Bench.get("/api/poll/a?timeout=5") + Bench.get("/healthz") + Bench.get("/api/poll/b?timeout=5")
        + Bench.get("/readyz"))
    bench.pass(4.8)
    #expect(bench.answers(token).isEmpty && bench.state(token) == .held)
    bench.publish(bench.open(), "a", "1")
    #expect(bench.answers(token).map(\.kind) == ["messages", "ok"] && bench.state(token) == .held)
    bench.pass(4.8)
    #expect(bench.state(token) == .held, "the second poll's time begins when it is held")
    bench.pass(0.5)
    #expect(bench.answers(token).map(\.kind) == ["timeout", "ready"] && bench.state(token) == .open)
  }

  @Test func `16 requests wait behind a held poll and the 17th makes it be answered early`() {
    let bench = Bench()
    let token = bench.open()
    bench.poll(token, "a")
    for _ in 0..<16 {
      bench.send(token, Bench.get("/healthz"))
      #expect(bench.state(token) == .held && bench.loop.driver[token].sent.isEmpty)
    }
    bench.send(token, Bench.get("/readyz"))
    #expect(bench.state(token) == .open)
    #expect(bench.answers(token).map(\.kind) == ["timeout"] + Array(repeating: "ok", count: 16) + ["ready"])
    #expect(bench.loop.hubLoop.heldCount == 0 && bench.loop.rows[Int(token)].queue == nil)
  }

  @Test func `64 KiB wait behind a held poll, whole requests or a part, and more make it be answered early`() {
    let body = "\"" + String(repeating: "x", count: 20_000) + "\""
    for isPart in [false, true] {
      let bench = Bench()
      let token = bench.open()
      bench.poll(token, "a?timeout=60")
      for _ in 0..<3 { bench.send(token, Bench.post("/api/publish/b", body)) }
      #expect(bench.state(token) == .held)
      let last = Bench.post("/api/publish/b", body)
      bench.send(token, isPart ? Array(last.dropLast(10_000)) : last)
      #expect(bench.state(token) == .open)
      if isPart { bench.send(token, Array(last.suffix(10_000))) }
      #expect(bench.answers(token).map(\.kind) == ["timeout"] + Array(repeating: "published", count: 4))
    }
    let bench = Bench()
    let token = bench.open()
    bench.poll(token, "a?timeout=60")
    let last = Bench.post("/api/publish/b", "\"" + String(repeating: "x", count: 100_000) + "\"")
    bench.send(token, Array(last.prefix(60_000)))
    #expect(bench.state(token) == .held)
    bench.send(token, Array(last[60_000..<70_000]))
    #expect(bench.state(token) == .open && bench.answers(token).map(\.kind) == ["timeout"])
    bench.send(token, Array(last[70_000...]))
    #expect(bench.answers(token).map(\.kind) == ["published"])
  }

  @Test func `A hundred pipelined polls and publishes are all answered in order with nothing lost`() {
    var random = SeededGenerator(testSeed)
    for round in 0..<20 {
      let bench = Bench(holds: .none)
      let token = bench.open()
      let other = bench.open()
      var stream: [UInt8] = []
      var kinds: [String] = []
      for index in 0..<100 {
        switch random.below(3) {
        case 0:
          stream += Bench.get("/api/poll/a?timeout=3")
          kinds.append("poll")
        case 1:
          stream += Bench.post("/api/publish/p", "\(index)")
          kinds.append("published")
        default:
          stream += Bench.get("/api/poll/p?cursor=earliest&timeout=0&limit=1000")
          kinds.append("read")
        }
      }
      for piece in stream.cut(at: (0..<10).map { _ in random.below(stream.count) }) {
        bench.send(token, piece)
        if random.below(2) == 0 { bench.publish(other, "a", "0") }
        if random.below(3) == 0 { bench.pass(Double(random.below(40)) / 10) }
      }
      bench.pass(310)
      let answers = bench.answers(token)
      #expect(answers.count == 100, "round \(round), seed \(testSeed)")
      var published = 0
      for (answer, kind) in zip(answers, kinds) {
        switch kind {
        case "poll": #expect(["timeout", "messages"].contains(answer.kind))
        case "published":
          published += 1
          #expect(answer.kind == "published")
        default: #expect(answer.data.count == published, "all that was published before, and nothing more")
        }
      }
    }
  }

  @Test func `What is malformed behind a held poll is refused after the poll's answer`() {
    let bench = Bench()
    let token = bench.open()
    bench.poll(token, "a?timeout=5")
    bench.send(token, Bench.get("/healthz") + Array("GET / HTTP/1.1\n\r\n".utf8) + Bench.get("/readyz"))
    bench.send(token, Bench.post("/api/publish/b", "1"))
    #expect(bench.state(token) == .held)
    bench.pass(5.2)
    #expect(bench.answers(token).map(\.status) == [200, 200, 400])
    #expect(bench.state(token) == .finishing && bench.hub.channels().isEmpty, "nothing behind it is done")
  }

  @Test func `A queue behind an answer that is not taken is answered in order, however long`() {
    let bench = Bench()
    let token = bench.open()
    bench.loop.driver[token].window = 0
    // As much as one read from a socket brings.
    var stream = Bench.get("/healthz")
    let poll = Array("GET /api/poll/a?timeout=0 HTTP/1.1\r\nHost:a\r\n\r\n".utf8)
    var count = 0
    while stream.count + poll.count <= 64 << 10 {
      stream += poll
      count += 1
    }
    bench.send(token, stream)
    #expect(bench.state(token) == .sending)
    bench.read(token)
    #expect(bench.answers(token).count == count + 1 && bench.state(token) == .open)
  }

  @Test func `Each early answer frees one place, and polls behind polls are held in turn`() {
    let bench = Bench(holds: HoldLimits(perClientMax: 1))
    let token = bench.open()
    for _ in 0..<40 { bench.poll(token, "a?timeout=60") }
    #expect(bench.answers(token).count == 40 - 17, "one is held and 16 wait")
    #expect(bench.loop.hubLoop.heldCount == 1)
    bench.loop.closed(token)
    #expect(bench.loop.hubLoop.heldCount == 0)
  }

  @Test
  func `A part of a request behind a held poll has its own time, which ends with the poll's answer at the earliest`() {
    let bench = Bench()
    let token = bench.open()
    bench.poll(token, "a?timeout=30")
    bench.send(token, Array("GET /healthz HTTP/1.1\r\nHost".utf8))
    bench.pass(29.8)
    #expect(bench.state(token) == .held, "a poll is not ended by what comes behind it")
    bench.send(token, Array(": a\r\n\r\n".utf8))
    bench.pass(0.5)
    #expect(bench.answers(token).map(\.kind) == ["timeout", "ok"])
  }
}
