@testable import HoldfastClient
import Testing

@Suite(.timeLimit(.minutes(10)))
struct PublishTests {
  @Test func `A lost answer is asked for again with the same idempotency key`() async throws {
    let script: [ScriptedServer.Step] = [
      .close, .half(published), .answer("", status: 503, headers: ["Retry-After: 2"]),
      .answer(published, headers: ["Idempotency-Replayed: true"]),
    ]
    let time = VirtualTime()
    try await ScriptedServer.run(script) { server in
      let client = try time.client(server)
      let receipt = try await client.publish(["a": 1], to: "news", ttl: .milliseconds(1500))
      #expect(receipt.messageID == "e-1-t")
      #expect(receipt.subscribers == 3)
      #expect(receipt.isReplay)
      #expect(Set(server.requests.map { $0.fields["idempotency-key"] }).count == 1)
      #expect(Set(server.requests.map(\.target)) == ["/api/publish/news?ttl=1.500000"])
      #expect(server.requests.map(\.body) == Array(repeating: #"{"a":1}"#, count: 4))
      #expect(time.waits == [.seconds(0.5), .seconds(1), .seconds(2)])
    }
  }

  @Test func `Two messages have two keys, and all requests one client id`() async throws {
    try await ScriptedServer.run([.answer(published), .answer(published)]) { server in
      let client = try VirtualTime().client(server)
      try await client.publish(1, to: "news")
      try await client.publish(1, to: "news")
      #expect(Set(server.requests.map { $0.fields["idempotency-key"] }).count == 2)
      #expect(server.requests.map { $0.fields["x-client-id"] } == [client.clientID, client.clientID])
    }
  }

  @Test func `A refusal is thrown at once`() async throws {
    let problem = #"{"status":409,"code":"idempotency_conflict","error":"Key was used","detail":"another body"}"#
    try await ScriptedServer.run([.answer(problem, status: 409)]) { server in
      let client = try VirtualTime().client(server)
      let error = await #expect(throws: HoldfastClientError.self) {
        try await client.publish(body: Array("1".utf8), to: "news", idempotencyKey: "k")
      }
      #expect(error?.code.rawValue == "idempotency_conflict")
      #expect(server.requests.map { $0.fields["idempotency-key"] } == ["k"])
    }
  }

  @Test func `A publish that is cancelled ends its request, and the next one has its turn`() async throws {
    try await ScriptedServer.run([.hold, .answer(published)]) { server in
      let client = try VirtualTime().client(server)
      let first = Task { try await client.publish(1, to: "news") }
      var events = server.events.makeAsyncIterator()
      _ = await events.next()
      let second = Task { try await client.publish(2, to: "news") }
      first.cancel()
      await #expect(throws: HoldfastClientError.cancelled) { try await first.value }
      #expect(try await second.value.messageID == "e-1-t")
      #expect(server.requests.map(\.body) == ["1", "2"])
    }
  }

  @Test func `What cannot stand in a header is refused before it is sent`() async throws {
    let client = try HoldfastClient(server: "127.0.0.1:1")
    let error = await #expect(throws: HoldfastClientError.self) {
      try await client.publish(1, to: "news", idempotencyKey: "a\r\nb: c")
    }
    #expect(error?.code == .valueInvalid)
  }
}
