@testable import HoldfastClient
import Testing

@Suite(.timeLimit(.minutes(10)))
struct SubscriptionTests {
  /// The data of the first `count` messages, and the gaps' reasons, in the order in which they came.
  private func follow(
    _ count: Int, of server: ScriptedServer, from start: SubscriptionStart, time: VirtualTime = VirtualTime(),
    channels: [String] = ["news"]
  ) async throws -> [String] {
    let client = try time.client(server)
    var events: [String] = []
    for try await event in client.subscribe(to: channels, from: start) {
      switch event {
      case .message(let message): events.append(String(decoding: message.data, as: UTF8.self))
      case .gap(let gap): events.append("gap:\(gap.channel):\(gap.reason):\(gap.missed ?? -1)")
      }
      if events.count == count { break }
    }
    return events
  }

  private func cursors(_ server: ScriptedServer) -> [String] {
    server.requests.map { request in
      let query = request.target.split(separator: "?").last ?? ""
      return query.split(separator: "&").first { $0.hasPrefix("cursor=") }.map { String($0.dropFirst(7)) } ?? "none"
    }
  }

  @Test func `Whatever happens to an answer, each message comes once and in order`() async throws {
    let first = page([(1, "1"), (2, "2")], cursor: "e-2-t")
    let second = page([(3, "3")], cursor: "e-3-t")
    let script: [ScriptedServer.Step] = [
      .close, .half(first), .answer(first), .half(second), .raw("garbage\r\n\r\n"),
      .answer("<html>busy</html>"), .answer("oops", status: 502), .answer(second),
      .answer(page([(4, "4")], cursor: "e-4-t")),
    ]
    try await ScriptedServer.run(script) { server in
      let events = try await follow(4, of: server, from: .earliest)
      #expect(events == ["1", "2", "3", "4"])
      #expect(
        cursors(server) == [
          "earliest", "earliest", "earliest", "e-2-t", "e-2-t", "e-2-t", "e-2-t", "e-2-t", "e-3-t",
        ])
    }
  }

  @Test func `Data comes byte for byte as it was published`() async throws {
    let data = [
      #"{ "b":1.0,"a":1e0, "b":"\u00e9\/\ud83d" }"#, "\"é🌍\"", "[ ]", "null", "-0", "123456789012345678901234567890",
    ]
    let list = data.enumerated().map { ($0.offset + 1, $0.element) }
    try await ScriptedServer.run([.answer(page(list, cursor: "e-6-t"))]) { server in
      let events = try await follow(6, of: server, from: .earliest)
      #expect(events == data)
    }
  }

  @Test func `A gap comes before the messages after it`() async throws {
    let gap = #"{"channel":"news","reason":"expired","missed":12}"#
    try await ScriptedServer.run([.answer(page([(13, "13")], cursor: "e-13-t", gap: gap))]) { server in
      let events = try await follow(2, of: server, from: .cursor("e-0-t"))
      #expect(events == ["gap:news:expired:12", "13"])
    }
  }

  @Test func `A start from now gets its cursor before it lets a poll be held`() async throws {
    let script: [ScriptedServer.Step] = [
      .answer(#"{"status":"timeout","messages":[],"count":0,"cursor":"e-7-t"}"#), .close,
      .answer(page([(8, "8")], cursor: "e-8-t")),
    ]
    try await ScriptedServer.run(script) { server in
      let events = try await follow(1, of: server, from: .now)
      #expect(events == ["8"])
      #expect(
        server.requests.map(\.target) == [
          "/api/poll/news?cursor=now&timeout=0", "/api/poll/news?cursor=e-7-t&timeout=30",
          "/api/poll/news?cursor=e-7-t&timeout=0",
        ])
    }
  }

  @Test func `A start since a time leaves out what is not later`() async throws {
    let script: [ScriptedServer.Step] = [
      .answer(page([(1, "1"), (2, "2")], cursor: "e-2-t", more: true)), .answer(page([(3, "3")], cursor: "e-3-t")),
    ]
    try await ScriptedServer.run(script) { server in
      let events = try await follow(1, of: server, from: .since(2.5))
      #expect(events == ["3"])
      #expect(cursors(server) == ["earliest", "e-2-t"])
    }
  }

  @Test func `Retry-After is waited for, and a good answer starts the waits anew`() async throws {
    let time = VirtualTime()
    let script: [ScriptedServer.Step] = [
      .answer("", status: 503, headers: ["Retry-After: 7"]), .close, .answer("", status: 429),
      .answer(page([(1, "1")], cursor: "e-1-t")), .close, .answer(page([(2, "2")], cursor: "e-2-t")),
    ]
    try await ScriptedServer.run(script) { server in
      let events = try await follow(2, of: server, from: .earliest, time: time)
      #expect(events == ["1", "2"])
      #expect(time.waits == [.seconds(7), .seconds(1), .seconds(2), .seconds(0.5)])
      #expect(Set(time.deadlines) == [.seconds(5), .seconds(30), .seconds(35)])
    }
  }

  @Test func `A refusal ends the sequence with what the server said`() async throws {
    let problem =
      #"{"status":400,"title":"Bad Request","code":"cursor_malformed","error":"Cursor is not valid","detail":"slot 1"}"#
    try await ScriptedServer.run([.answer(problem, status: 400)]) { server in
      let error = await #expect(throws: HoldfastClientError.self) {
        _ = try await follow(1, of: server, from: .cursor("x"))
      }
      #expect(error?.status == 400)
      #expect(error?.code.rawValue == "cursor_malformed")
      #expect(error.map { "\($0)" } == "Cursor is not valid: slot 1")
      #expect(server.requests.count == 1)
    }
  }

  @Test func `Cancelling the task ends the held request and then the sequence`() async throws {
    try await ScriptedServer.run([]) { server in
      let client = try VirtualTime().client(server)
      let task = Task {
        var count = 0
        for try await _ in client.subscribe(to: ["news"], from: .earliest) { count += 1 }
        return count
      }
      var events = server.events.makeAsyncIterator()
      guard case .request = await events.next() else {
        Issue.record("no request came")
        return
      }
      task.cancel()
      guard case .abandoned = await events.next() else {
        Issue.record("the request was not ended")
        return
      }
      #expect(try await task.value == 0)
    }
  }

  @Test func `The server is asked only when the consumer has taken all that came`() async throws {
    let script: [ScriptedServer.Step] = [
      .answer(page([(1, "1"), (2, "2")], cursor: "e-2-t", more: true)), .answer(page([(3, "3")], cursor: "e-3-t")),
    ]
    try await ScriptedServer.run(script) { server in
      let client = try VirtualTime().client(server)
      var iterator = client.subscribe(to: ["news"], from: .earliest).makeAsyncIterator()
      #expect(server.requests.isEmpty)
      _ = try await iterator.next()
      _ = try await iterator.next()
      #expect(server.requests.count == 1)
      _ = try await iterator.next()
      #expect(server.requests.count == 2)
    }
  }

  @Test func `A server that never answers is given up at the deadline and asked again`() async throws {
    try await ScriptedServer.run([.hold, .answer(page([(1, "1")], cursor: "e-1-t"))]) { server in
      let events = server.events
      let passes: @Sendable () async -> Void = {
        for await case .request in events { return }
        await VirtualTime.never()
      }
      let client = try VirtualTime().client(server, deadlinePasses: passes)
      let poll = await #expect(throws: HoldfastClientError.self) {
        _ = try await client.poll(["news"], cursor: "earliest")
      }
      #expect(poll?.code == .timeout)
      #expect(poll?.isTransient == true)
      let again = try VirtualTime().client(server)
      #expect(try await again.poll(["news"], cursor: "earliest").messages.map(\.id) == ["e-1-t"])
    }
  }
}
