import Testing

extension FaultTests {
  @Suite("Limits on held polls")
  struct Limits {
    @Test("Of 200 simultaneous polls of one client exactly 6 are held and 194 refused")
    func simultaneous() async throws {
      try await withServer { server in
        let connections = try (0..<200).map { _ in try server.connect() }
        let bytes = request("GET /api/poll/news?timeout=60", headers: [("X-Client-ID", "one")])
        for connection in connections { try connection.send(bytes) }
        try server.expectHeld("news", 6)
        try server.publish("news", "1")
        var statuses: [Int: Int] = [:]
        for connection in connections {
          let answer = try connection.answer()
          statuses[answer.status, default: 0] += 1
          if answer.status == 429 {
            try answer.expectRefusal("client_at_capacity", "Too many connections from client")
          }
        }
        try expect(statuses, is: [200: 6, 429: 194], "the answers")
      }
    }

    @Test("The limit of a client is a setting, and 0 is no limit", arguments: [(2, 2), (0, 20)])
    func perClient(setting: Int, held: Int) async throws {
      try await withServer("--connections-per-client-max", "\(setting)") { server in
        let connections = try (0..<held).map { _ in try server.hold("news", client: "one") }
        try server.expectHeld("news", held)
        if setting > 0 {
          let refused = try server.hold("news", client: "one").answer()
          try refused.expectRefusal("client_at_capacity", "Too many connections from client")
        }
        withExtendedLifetime(connections) {}
      }
    }

    @Test("A client without a name is its address")
    func nameless() async throws {
      try await withServer("--connections-per-client-max", "2") { server in
        let first = try (0..<2).map { _ in try server.hold("news", from: "127.0.0.2") }
        try server.expectHeld("news", 2)
        let refused = try server.hold("news", from: "127.0.0.2").answer()
        try refused.expectRefusal("client_at_capacity", "Too many connections from client")
        let other = try server.hold("news", from: "127.0.0.3")
        try server.expectHeld("news", 3)
        withExtendedLifetime((first, other)) {}
      }
    }

    @Test("A channel has a limit of its own, whoever asks")
    func perChannel() async throws {
      try await withServer("--connections-per-channel-max", "3") { server in
        let held = try (0..<3).map { try server.hold("news", client: "client-\($0)") }
        try server.expectHeld("news", 3)
        try server.hold("news", client: "late").answer().expectRefusal("channel_at_capacity", "Channel at capacity")
        let elsewhere = try server.hold("sport", client: "late")
        try server.expectHeld("sport", 1)
        withExtendedLifetime((held, elsewhere)) {}
      }
    }

    @Test("The server has a limit over all channels, and a place freed is given again")
    func total() async throws {
      try await withServer("--connections-max", "3") { server in
        let held = try (0..<3).map { try server.hold("news-\($0)", client: "client-\($0)") }
        for number in 0..<3 { try server.expectHeld("news-\(number)", 1) }
        try server.hold("sport", client: "late").answer().expectRefusal("server_at_capacity", "Server at capacity")
        held[0].close()
        try server.expectHeld("news-0", 0)
        let again = try server.hold("sport", client: "late")
        try server.expectHeld("sport", 1)
        withExtendedLifetime((held, again)) {}
      }
    }

    @Test("An address has a limit of its own, however many names its clients give themselves")
    func perAddress() async throws {
      try await withServer("--connections-per-address-max", "3") { server in
        let held = try (0..<3).map { try server.hold("news", client: "client-\($0)", from: "127.0.0.2") }
        try server.expectHeld("news", 3)
        try server.hold("news", client: "late", from: "127.0.0.2").answer()
          .expectRefusal("address_at_capacity", "Too many connections from address")
        let other = try server.hold("news", client: "late", from: "127.0.0.3")
        try server.expectHeld("news", 4)
        withExtendedLifetime((held, other)) {}
      }
    }

    @Test("Behind a trusted proxy the address is the one the proxy forwards")
    func trustedProxy() async throws {
      try await withServer("--trusted-proxies", "127.0.0.0/8", "--connections-per-address-max", "2") { server in
        func hold(_ client: String, _ forwarded: String) throws -> Connection {
          try server.hold("news", client: client, headers: [("X-Forwarded-For", forwarded)])
        }
        let held = [try hold("a", "192.0.2.1"), try hold("b", "192.0.2.1")]
        try server.expectHeld("news", 2)
        // What stands before the address that the proxy saw is the client's own invention.
        try hold("c", "198.51.100.9, 192.0.2.1").answer()
          .expectRefusal("address_at_capacity", "Too many connections from address")
        let other = try hold("d", "192.0.2.2")
        try server.expectHeld("news", 3)
        withExtendedLifetime((held, other)) {}
      }
    }

    @Test("Without trusted proxies a forwarded address is not believed")
    func untrustedProxy() async throws {
      try await withServer("--connections-per-address-max", "2") { server in
        let held = try (0..<2).map { number in
          try server.hold("news", client: "client-\(number)", headers: [("X-Forwarded-For", "192.0.2.\(number)")])
        }
        try server.expectHeld("news", 2)
        try server.hold("news", client: "late", headers: [("X-Forwarded-For", "192.0.2.9")]).answer()
          .expectRefusal("address_at_capacity", "Too many connections from address")
        withExtendedLifetime(held) {}
      }
    }
  }
}

extension Answer {
  /// A 429 with its code, its reason and the time to wait.
  func expectRefusal(_ code: String, _ reason: String) throws {
    try expect(status, is: 429, "the status of \(self)")
    try expect(json()["code"]?.string, is: code, "the code of \(self)")
    try expect(json()["error"]?.string, is: reason, "the reason of \(self)")
    try expect(header("retry-after").flatMap(Int.init) != nil, "a Retry-After in whole seconds in \(self)")
  }
}
