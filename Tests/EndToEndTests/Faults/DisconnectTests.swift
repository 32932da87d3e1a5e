import Testing

extension FaultTests {
  @Suite("Clients that go away")
  struct Disconnects {
    @Test(
      "A client that goes away while it is held frees its waiter and its place within a second",
      arguments: [false, true])
    func goesAway(byReset: Bool) async throws {
      try await withServer("--connections-per-client-max", "6") { server in
        let held = try (0..<6).map { _ in try server.hold("news", client: "one") }
        try server.expectHeld("news", 6)
        try server.hold("news", client: "one").answer()
          .expectRefusal("client_at_capacity", "Too many connections from client")
        for connection in held.prefix(3) { if byReset { try connection.reset() } else { connection.close() } }
        try server.expectHeld("news", 3, within: .seconds(1))
        let again = try (0..<3).map { _ in try server.hold("news", client: "one") }
        try server.expectHeld("news", 6)
        try server.publish("news", "1")
        for connection in held.dropFirst(3) + again { try expect(connection.answer().status, is: 200, "the status") }
      }
    }

    @Test("Clients that come and go a thousand times leave no descriptor behind")
    func manyComeAndGo() async throws {
      try await withServer("--connections-per-client-max", "0", "--connections-per-address-max", "0") { server in
        _ = try server.held("news")
        let before = try server.openSockets()
        for round in 0..<5 {
          let held = try (0..<200).map { _ in try server.hold("news") }
          try server.expectHeld("news", 200)
          for (index, connection) in held.enumerated() {
            if (index + round) % 2 == 0 { connection.close() } else { try connection.reset() }
          }
          try server.expectHeld("news", 0)
        }
        try eventually("descriptors given back") {
          try server.openSockets()
        } until: {
          $0 <= before + 2
        }
      }
    }

    @Test("A client that goes away in the middle of a publish publishes nothing")
    func midPublish() async throws {
      try await withServer { server in
        let connection = try server.connect()
        try connection.send("POST /api/publish/news HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n[1,2")
        connection.close()
        try expect(server.ask("GET /api/history/news").json()["count"]?.integer, is: 0, "messages")
      }
    }
  }
}
