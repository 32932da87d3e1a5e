import Holdfast
import HoldfastProtocol
import Testing

@testable import HoldfastServer

@Suite struct DrainTests {
  @Test func `All held polls are answered exactly once within the window, spread over it, with their own cursors`() {
    let bench = Bench(holds: .none)
    let publisher = bench.open()
    var cursors: [Int32: String] = [:]
    for index in 0..<100 {
      bench.publish(publisher, "c\(index % 7)", "\(index)")
      let token = bench.open()
      bench.poll(token, "c\(index % 7)?cursor=now&timeout=0")
      cursors[token] = bench.answer(token)?.cursor
    }
    for token in cursors.keys { bench.poll(token, "c\((Int(token) - 1) % 7)?cursor=\(cursors[token]!)&timeout=60") }
    // Some of them have something to tell at once.
    let held = cursors.keys.filter { bench.state($0) == .held }
    let idle = cursors.keys.filter { bench.state($0) == .open }
    #expect(held.count >= 7 && !idle.isEmpty)
    for token in idle {
      let cursor = bench.answer(token)?.cursor ?? ""
      bench.poll(token, "c\((Int(token) - 1) % 7)?cursor=\(cursor)&timeout=60")
      cursors[token] = cursor
    }
    #expect(bench.loop.hubLoop.heldCount == 100)

    bench.loop.beginDrain(window: .seconds(1))
    var counts: [Int] = []
    for _ in 0..<10 {
      let before = bench.loop.hubLoop.heldCount
      bench.pass(0.1)
      counts.append(before - bench.loop.hubLoop.heldCount)
    }
    #expect(bench.loop.hubLoop.heldCount == 0 && counts == Array(repeating: 10, count: 10), "\(counts)")
    for (token, cursor) in cursors {
      let answer = bench.answer(token)
      #expect(answer?.kind == "timeout" && answer?.cursor == cursor && answer?.fields["connection"] == "close")
      #expect(bench.loop.driver[token].isShutDown)
    }
  }

  @Test func `While it drains nothing is published or held, and other answers close`() {
    let bench = Bench()
    let polling = bench.open()
    let publishing = bench.open()
    let batching = bench.open()
    let asking = bench.open()
    bench.loop.beginDrain(window: .seconds(1))
    bench.publish(publishing, "a", "1")
    let refusal = bench.answer(publishing)
    #expect(
      refusal?.status == 503 && refusal?.json["code"] as? String == "draining" && refusal?.fields["retry-after"] != nil)
    bench.send(batching, Bench.post("/api/publish", "[]"))
    #expect(bench.answer(batching)?.status == 503)
    #expect(bench.hub.channels().isEmpty)
    bench.poll(polling, "a?timeout=60")
    #expect(bench.answer(polling)?.kind == "timeout" && bench.state(polling) == .finishing)
    bench.send(asking, Bench.get("/readyz"))
    let ready = bench.answer(asking)
    #expect(ready?.status == 503 && ready?.kind == "draining" && ready?.fields["connection"] == "close")
  }

  @Test func `Idle connections are closed at the window's end, one in the middle of a request is heard out`() {
    let bench = Bench()
    let idle = bench.open()
    let busy = bench.open()
    let slow = bench.open()
    let request = Bench.get("/healthz")
    bench.send(busy, Array(request.dropLast(2)))
    bench.loop.driver[slow].window = 5
    bench.send(slow, request)
    bench.loop.beginDrain(window: .seconds(1))
    bench.pass(0.9)
    bench.pass(0.3)
    #expect(bench.loop.driver[idle].isShutDown && bench.state(idle) == .finishing)
    #expect(bench.state(busy) == .open && bench.state(slow) == .sending)
    bench.send(busy, Array(request.suffix(2)))
    #expect(bench.answer(busy)?.fields["connection"] == "close")
    bench.read(slow)
    #expect(bench.answer(slow)?.status == 200)
    bench.pass(0.2)
    #expect(bench.loop.driver[slow].isShutDown)
    bench.pass(3)
    #expect(bench.loop.openCount == 0)
  }

  @Test
  func `A poll behind a poll that the drain answered is not held, and what waits there is not lost without a word`() {
    let bench = Bench()
    let token = bench.open()
    bench.poll(token, "a?timeout=60")
    bench.poll(token, "b?timeout=60")
    bench.loop.beginDrain(window: .seconds(1))
    bench.pass(1.2)
    let answers = bench.answers(token)
    #expect(answers.last?.fields["connection"] == "close" && bench.loop.hubLoop.heldCount == 0)
  }

  @Test func `A message that comes in the window is told, and a row held anew is not forgotten`() {
    let bench = Bench(holds: .none)
    let tokens = (0..<50).map { _ in bench.open() }
    for token in tokens { bench.poll(token, "a?timeout=60") }
    bench.loop.beginDrain(window: .seconds(2))
    bench.pass(1)
    #expect(bench.loop.hubLoop.heldCount > 0)
    // From another loop, say: this one publishes no more.
    var other = HubLoop(hub: bench.hub) {}
    _ = try? other.publish(Draft(Payload(json: "7")), to: .a, at: bench.moment)
    bench.loop.collect(at: bench.moment)
    #expect(bench.loop.hubLoop.heldCount == 0)
    let answers = tokens.compactMap { bench.answer($0) }
    #expect(answers.count == 50 && answers.contains { $0.data == ["7"] } && answers.contains { $0.kind == "timeout" })
    bench.pass(1.2)
    bench.pass(2.5)
    #expect(bench.loop.openCount == 0)
  }

  @Test func `An end at once closes whatever there is and gives every place back`() {
    let bench = Bench()
    let tokens = (0..<4).map { _ in bench.open() }
    bench.poll(tokens[0], "a")
    bench.send(tokens[1], Array("GET".utf8))
    bench.loop.driver[tokens[2]].window = 1
    bench.send(tokens[2], Bench.get("/healthz"))
    bench.loop.closeAll()
    #expect(bench.loop.openCount == 0 && bench.loop.hubLoop.heldCount == 0 && bench.hub.channels().isEmpty)
    #expect(tokens.allSatisfy { bench.loop.driver[$0].isClosed })
  }
}
