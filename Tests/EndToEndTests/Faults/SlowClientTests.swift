import Glibc
import Testing

extension FaultTests {
  @Suite("Slow clients")
  struct SlowClients {
    @Test("A head that does not end in time is answered 408")
    func slowHead() async throws {
      try await withServer("--head-timeout", "1") { server in
        let connection = try server.connect()
        let start = ContinuousClock.now
        try connection.send("GET /healthz HTTP/1.1\r\nHost: a\r\nX-Slow: ")
        try connection.answer().expectTimeout()
        try expect(start.duration(to: .now) < .seconds(4), "408 came after \(start.duration(to: .now))")
        try connection.expectClose()
      }
    }

    @Test("What came in time is answered, even if the server was stopped meanwhile")
    func pause() async throws {
      try await withServer("--head-timeout", "1", "--connections-per-address-max", "0") { server in
        // More than one turn of a loop looks at.
        let clients = try (0..<700).map { _ in try server.connect() }
        for client in clients { try client.send("GET /healthz HTT") }
        server.process.signal(SIGSTOP)
        for client in clients { try client.send("P/1.1\r\nHost: a\r\n\r\n") }
        usleep(2_500_000)
        server.process.signal(SIGCONT)
        for client in clients { try expect(client.answer().status, is: 200, "the status") }
      }
    }

    @Test("A head that comes a byte now and then does not gain time by it")
    func drippingHead() async throws {
      try await withServer("--head-timeout", "1") { server in
        let connection = try server.connect()
        let start = ContinuousClock.now
        try connection.send("GET /healthz HTTP/1.1\r\n")
        // Each silence of 100 ms is a wait for the answer, which ends when it comes.
        while (try? connection.expectSilence(for: .milliseconds(100))) != nil, start.duration(to: .now) < .seconds(8) {
          try connection.send("X")
        }
        try connection.answer().expectTimeout()
        try expect(start.duration(to: .now) < .seconds(4), "408 came after \(start.duration(to: .now))")
      }
    }

    @Test("A body that does not end in time is answered 408 and publishes nothing")
    func slowBody() async throws {
      try await withServer("--body-timeout", "1") { server in
        let connection = try server.connect()
        try connection.send("POST /api/publish/news HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n[1,")
        try connection.answer().expectTimeout()
        try connection.expectClose()
        try expect(server.ask("GET /api/history/news").json()["count"]?.integer, is: 0, "messages")
      }
    }

    @Test("A connection without a request is closed after the idle timeout", arguments: [false, true])
    func idle(afterARequest: Bool) async throws {
      try await withServer("--idle-timeout", "1") { server in
        let connection = try server.connect()
        if afterARequest { try expect(connection.ask("GET /healthz").status, is: 200, "the status") }
        let start = ContinuousClock.now
        try connection.expectClose(within: .seconds(5))
        try expect(start.duration(to: .now) > .milliseconds(800), "closed after \(start.duration(to: .now))")
      }
    }

    @Test("A held poll is not idle")
    func heldIsNotIdle() async throws {
      try await withServer("--idle-timeout", "1", "--head-timeout", "1") { server in
        let connection = try server.hold("news")
        try server.expectHeld("news", 1)
        try connection.expectSilence(for: .milliseconds(2500))
        try server.publish("news", "1")
        try expect(connection.answer().status, is: 200, "the status")
      }
    }

    @Test("A client that does not take its answers is closed after the send timeout")
    func neverReads() async throws {
      try await withServer("--send-timeout", "1") { server in
        let big = "\"" + String(repeating: "x", count: 255_000) + "\""
        // One connection, which stays open, so that none of the publisher's is counted as the reader's.
        let publisher = try server.connect()
        for _ in 0..<4 { _ = try publisher.ask("POST /api/publish/big", body: big) }
        let before = try server.openSockets()
        let connection = try server.connect(receiveBufferBytes: 4096)
        let polls = String(repeating: request("GET /api/poll/big?cursor=earliest&timeout=0"), count: 16)
        try connection.send(Array(polls.utf8))
        // First it is there, then it is gone: otherwise a server that never took it would pass.
        try eventually("the connection is open") {
          try server.openSockets()
        } until: {
          $0 > before
        }
        try eventually("the connection is closed") {
          try server.openSockets()
        } until: {
          $0 <= before
        }
        withExtendedLifetime((connection, publisher)) {}
      }
    }

    @Test("A reader that never reads does not disturb others")
    func othersGoOn() async throws {
      try await withServer { server in
        let big = "\"" + String(repeating: "x", count: 255_000) + "\""
        for _ in 0..<4 { try server.publish("big", big) }
        let stuck = try (0..<6).map { _ in try server.connect(receiveBufferBytes: 4096) }
        let polls = String(repeating: request("GET /api/poll/big?cursor=earliest&timeout=0"), count: 16)
        for connection in stuck { try connection.send(Array(polls.utf8)) }
        for number in 0..<50 {
          let held = try server.hold("news", client: "other")
          try server.expectHeld("news", 1)
          let start = ContinuousClock.now
          try server.publish("news", "\(number)")
          let answer = try held.answer()
          try expect(answer.json()["messages"]?.array?.first?["data"]?.integer, is: number, "the message")
          try expect(start.duration(to: .now) < .seconds(1), "delivered after \(start.duration(to: .now))")
        }
        withExtendedLifetime(stuck) {}
      }
    }
  }
}

extension Answer {
  fileprivate func expectTimeout() throws {
    try expect(status, is: 408, "the status of \(self)")
    try expect(json()["code"]?.string, is: "request_timeout", "the code of \(self)")
  }
}
