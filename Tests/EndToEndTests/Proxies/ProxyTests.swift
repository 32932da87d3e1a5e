import Glibc
import Synchronization
import Testing

/// The proxies of Debian, run by the files in `deploy/`, with real nodes behind them or a test's own.
@Suite("Proxies")
struct ProxyTests {
  /// What takes a minute of waiting and next to no work, beside everything else.
  @Suite("In a minute")
  struct Minute {
    @Test("A poll of 60 seconds is answered with 200, also over a reload", arguments: ProxyKind.allCases)
    func longPoll(kind: ProxyKind) async throws {
      try await withProxy(kind) { proxy, node in
        var polls = try Curl.Version.allCases.map { try proxy.hold("news", $0) }
        try node.expectHeld("news", 2)
        try proxy.reload()
        polls += try Curl.Version.allCases.map { try proxy.hold("news", $0) }
        try node.expectHeld("news", 4)
        for poll in polls {
          let reply = try poll.reply(within: .seconds(90))
          try expect(reply.status, is: 200, "the status of \(reply)")
          try expect(reply.json()["status"]?.string, is: "timeout", "what \(reply) says")
        }
      }
    }

    @Test(
      "A proxy lets go of an idle connection to a node before the node does after 75 seconds",
      arguments: ProxyKind.allCases)
    func idle(kind: ProxyKind) async throws {
      try await withStubs(kind) { proxy, stub, _ in
        // Two at a time, and so on two connections.
        let clients = try (0..<2).map { _ in try Curl(proxy, ["/api/channels"], .http1) }
        try eventually("both are asked") {
          stub.requests.count
        } until: {
          $0 == 2
        }
        for request in stub.requests { try stub.send(StubNode.answer("{}"), to: request) }
        for client in clients { try expect(client.reply().status, is: 200, "the status") }
        // Over one of them Caddy asks each second whether the node is ready, so that it is not idle.
        let remaining = kind == .caddy ? 1 : 0
        try eventually(within: .seconds(75), "the proxy closes all but \(remaining)") {
          stub.requests.count { stub.isOpen($0) }
        } until: {
          $0 <= remaining
        }
      } first: { _ in
        .send("")
      }
    }
  }

  /// The rest, one after the other, so that they are no load to what runs beside them.
  @Suite("One after the other", .serialized)
  struct Serial {
    @Test(
      "A held poll is answered when its message comes, and its connection stays open",
      arguments: ProxyKind.allCases, Curl.Version.allCases)
    func message(kind: ProxyKind, version: Curl.Version) async throws {
      try await withProxy(kind) { proxy, node in
        // The poll would go on for a minute, and all that the proxy could do to end it takes longer.
        let client = try Curl(proxy, ["/api/poll/news?timeout=60", "/api/history/news"], version)
        try node.expectHeld("news", 1)
        try proxy.publish("news", "1", version)
        for path in ["poll", "history"] {
          let reply = try client.reply()
          try expect(reply.status, is: 200, "the status of \(reply)")
          try expect(reply.json()["messages"]?.array?.count, is: 1, "messages in the answer to \(path)")
          try expect(reply.isOnNewConnection, is: path == "poll", "a new connection for \(path)")
        }
      }
    }

    @Test(
      "What a node has sent of an answer goes out before the rest is there", arguments: [ProxyKind.nginx, .haproxy])
    func unbuffered(kind: ProxyKind) async throws {
      try await withStubs(kind) { proxy, stub, _ in
        let client = try Curl(proxy, ["/api/poll/news"], .http2)
        try expect(client.line(), is: "first", "what comes before the rest is sent")
        try stub.send("second", to: stub.requests[0])
        try expect(client.reply().text, is: "second", "the rest")
      } first: { _ in
        .send(StubNode.answer("first\n", length: 12))
      }
    }

    @Test(
      "A client that goes away ends its poll at the node", arguments: ProxyKind.allCases, Curl.Version.allCases)
    func goesAway(kind: ProxyKind, version: Curl.Version) async throws {
      try await withProxy(kind) { proxy, node in
        let client = try proxy.hold("news", version)
        try node.expectHeld("news", 1)
        client.kill()
        try node.expectHeld("news", 0)
      }
    }

    @Test(
      "A node that dies under held polls costs a reconnect, and no message in silence",
      arguments: ProxyKind.allCases, Curl.Version.allCases)
    func death(kind: ProxyKind, version: Curl.Version) async throws {
      try await blocking {
        let nodes = [try trustingNode(), try trustingNode()]
        defer { for node in nodes { node.stop() } }
        let proxy = try Proxy(kind, first: nodes[0].port, second: nodes[1].port)
        defer { proxy.stop() }
        try proxy.explaining {
          let subscriber = try Subscriber(proxy, "news", version)
          defer { subscriber.end() }
          for number in 1...5 { try proxy.publish("news", "\(number)", version) }
          try subscriber.expectCount(5)
          try nodes[0].expectHeld("news", 1)
          nodes[0].process.kill()
          try expect(nodes[0].process.exitCode(within: .seconds(5)), is: 128 + SIGKILL, "the exit code")
          // Whoever publishes notices nothing, but for Caddy 2.6: it has closed the body when it finds nobody to send it to,
          // and says 502 until it has asked the node whether it is ready.
          if kind == .caddy {
            try eventually("a publish is taken") {
              try proxy.ask("/api/publish/news", version, body: "6").status
            } until: {
              $0 == 200
            }
          } else {
            try proxy.publish("news", "6", version)
          }
          for number in 7...10 { try proxy.publish("news", "\(number)", version) }
          try subscriber.expectCount(10)
          try expect(subscriber.seen.data, is: (1...10).map { "\($0)" }, "the messages")
          try expect(subscriber.seen.gaps, is: ["reset"], "the gaps")
        }
      }
    }

    @Test("A reload loses nothing", arguments: ProxyKind.allCases, Curl.Version.allCases)
    func reload(kind: ProxyKind, version: Curl.Version) async throws {
      try await withProxy(kind) { proxy, node in
        let held = try proxy.hold("late", version)
        try node.expectHeld("late", 1)
        let subscriber = try Subscriber(proxy, "news", version)
        defer { subscriber.end() }
        let publisher = Publisher(proxy, "news", version)
        defer { try? publisher.end() }
        var old: Set<pid_t> = []
        for _ in 0..<3 {
          old.formUnion(try proxy.reload())
          let before = publisher.published.count
          try eventually("publishes go on") {
            publisher.published.count
          } until: {
            $0 > before + 3
          }
        }
        try publisher.end()
        try subscriber.expectCount(publisher.published.count)
        try expect(subscriber.seen.data, is: publisher.published, "the messages")
        try expect(subscriber.seen.gaps, is: [], "the gaps")
        // Caddy closes a socket that listens, and resets who is about to connect there: who then tries again loses nothing.
        if kind != .caddy {
          // An nginx that goes may end an HTTP/2 connection that it has just taken, before it takes a request there.
          let failures = publisher.failures.filter { version == .http1 || !$0.contains("HTTP2 framing layer") }
          try expect(failures, is: [], "publishes that failed")
          try expect(subscriber.seen.breaks, is: [], "polls that failed")
        }
        try proxy.publish("late", "1", version)
        try expect(held.reply().json()["messages"]?.array?.count, is: 1, "messages for the poll held since before")
        if kind == .caddy { return }
        try eventually(within: Connection.patience, "processes that have nothing more to do end") {
          try proxy.workers()
        } until: {
          $0.isDisjoint(with: old)
        }
      }
    }

    @Test("A client counts by its real address, whatever it claims", arguments: ProxyKind.allCases)
    func forged(kind: ProxyKind) async throws {
      try await withProxy(kind, "--connections-per-address-max", "2") { proxy, node in
        func hold(_ number: Int, _ source: String, _ version: Curl.Version) throws -> Curl {
          let headers = [("X-Forwarded-For", "192.0.2.\(number)"), ("X-Client-ID", "client-\(number)")]
          return try proxy.hold("from-\(source)", version, headers: headers, from: source)
        }
        var held: [Curl] = []
        // The first is the proxy's own, which the node trusts: what a client there claims could pass for a proxy's word.
        for (source, version) in [("127.0.0.1", Curl.Version.http1), ("127.0.0.2", .http2)] {
          for number in 0..<2 { held.append(try hold(number, source, version)) }
          try node.expectHeld("from-\(source)", 2)
          let refused = try hold(2, source, version).reply()
          try expect(refused.status, is: 429, "the status of \(refused)")
          try expect(refused.json()["code"]?.string, is: "address_at_capacity", "the code of \(refused)")
        }
        held.append(try hold(0, "127.0.0.3", .http2))
        try node.expectHeld("from-127.0.0.3", 1)
      }
    }

    @Test(
      "A node is told the client's address alone and the host that it asked for, over a connection that is kept",
      arguments: ProxyKind.allCases, Curl.Version.allCases)
    func told(kind: ProxyKind, version: Curl.Version) async throws {
      try await withStubs(kind) { proxy, stub, _ in
        let headers = [("X-Forwarded-For", "192.0.2.1"), ("X-Forwarded-For", "192.0.2.2, 127.0.0.1")]
        let paths = Array(repeating: "/api/channels", count: 5)
        let client = try Curl(proxy, paths, version, headers: headers, from: "127.0.0.2")
        for _ in paths { try expect(client.reply().status, is: 200, "the status") }
        try expect(stub.requests.count, is: 5, "the requests")
        for request in stub.requests {
          try expect(request.values("x-forwarded-for"), is: ["127.0.0.2"], "X-Forwarded-For")
          try expect(request.values("host"), is: [proxy.authority], "Host")
          try expect(request.connection, is: stub.requests[0].connection, "the connection")
        }
      } first: { _ in
        .send(StubNode.answer("{}"))
      }
    }

    /// Over HTTP/2 HAProxy does not send it again either, but says that it was refused unread, and curl sends it again.
    @Test(
      "A publish that a node has read and not answered is not sent again",
      arguments: [
        (ProxyKind.nginx, Curl.Version.http1), (.nginx, .http2), (.haproxy, .http1), (.caddy, .http1), (.caddy, .http2),
      ])
    func once(kind: ProxyKind, version: Curl.Version) async throws {
      try await withStubs(kind) { proxy, first, second in
        let reply = try proxy.ask("/api/publish/news", version, body: "1")
        try expect(reply.status, is: 502, "the status of \(reply)")
        try expect(first.requests.map(\.head[0]), is: ["POST /api/publish/news HTTP/1.1"], "what the first node got")
        try expect(second.requests.count, is: 0, "requests that the second node got")
      } first: { _ in
        .close
      }
    }

    @Test("Nor is one that was sent over a connection which was kept", arguments: ProxyKind.allCases)
    func onceOverKept(kind: ProxyKind) async throws {
      try await withStubs(kind) { proxy, first, second in
        // Not curl, which itself sends again what was not answered on a connection that was kept.
        let client = try ChildProcess(
          "/usr/bin/openssl",
          ["s_client", "-quiet", "-connect", "127.0.0.1:\(proxy.port)", "-servername", Proxy.name])
        defer { client.kill() }
        let publish = "POST /api/publish/news HTTP/1.1\r\nHost: \(proxy.authority)\r\nContent-Length: 1\r\n\r\n"
        client.write(publish + "1")
        while let line = client.outputLine(within: Connection.patience), line != "{}" {}
        client.write(publish + "2")
        let end = client.outputLine(within: Connection.patience)
        if let end {
          try expect(!end.hasPrefix("HTTP/1.1 200"), "the second publish is answered with \(end)")
        } else {
          try expect(client.exitCode(within: .seconds(5)) != nil, "neither an answer nor an end")
        }
        try expect(first.requests.count, is: 2, "requests that the first node got")
        try expect(second.requests.count, is: 0, "requests that the second node got")
      } first: {
        $0 == 0 ? .send(StubNode.answer("{}\n")) : .close
      }
    }

    @Test(
      "A publish that is too large is refused, however often, and moves nobody to the other node",
      arguments: ProxyKind.allCases, Curl.Version.allCases)
    func tooLarge(kind: ProxyKind, version: Curl.Version) async throws {
      try await blocking {
        let nodes = [try trustingNode(), try trustingNode()]
        defer { for node in nodes { node.stop() } }
        let proxy = try Proxy(kind, first: nodes[0].port, second: nodes[1].port)
        defer { proxy.stop() }
        try proxy.explaining {
          let body = "\"" + String(repeating: "x", count: 100_000) + "\""
          let paths = Array(repeating: "/api/publish/news", count: 20)
          let client = try Curl(proxy, paths, version, body: "[\(body),\(body),\(body)]")
          for _ in paths {
            try expect(client.reply().status, is: 413, "the status")
            try proxy.publish("news", "1", version)
          }
          let history = try nodes[0].ask("GET /api/history/news")
          try expect(history.json()["count"]?.integer, is: paths.count, "messages that the first node got")
        }
      }
    }

    @Test("A page of the proxy's own name may publish, and another may not", arguments: ProxyKind.allCases)
    func pages(kind: ProxyKind) async throws {
      try await withProxy(kind) { proxy, _ in
        for (origin, status) in [("https://\(proxy.authority)", 200), ("https://other.example", 403)] {
          let reply = try proxy.ask("/api/publish/news", .http2, headers: [("Origin", origin)], body: "1")
          try expect(reply.status, is: status, "the status for a page of \(origin): \(reply)")
        }
      }
    }

    @Test("Who does not ask by HTTPS is sent there, and a publish stays a publish", arguments: ProxyKind.allCases)
    func plain(kind: ProxyKind) async throws {
      try await withProxy(kind) { proxy, _ in
        let connection = try Connection(port: proxy.plainPort)
        try connection.send("POST /api/publish/news HTTP/1.1\r\nHost: \(Proxy.name)\r\nContent-Length: 0\r\n\r\n")
        let answer = try connection.answer()
        try expect(answer.status, is: 308, "the status of \(answer)")
        let target = answer.header("location") ?? ""
        try expect(target.hasPrefix("https://\(Proxy.name)"), "HTTPS in \(answer)")
        try expect(target.hasSuffix("/api/publish/news"), "the same path in \(answer)")
      }
    }
  }
}

/// Runs a proxy before two nodes of the test's own, of which the second answers whatever it is asked.
private func withStubs(
  _ kind: ProxyKind, body: @escaping @Sendable (_ proxy: Proxy, _ first: StubNode, _ second: StubNode) throws -> Void,
  first deed: @escaping @Sendable (_ requestsBefore: Int) -> StubNode.Deed
) async throws {
  try await blocking {
    let first = try StubNode(deed)
    defer { first.stop() }
    let second = try StubNode { _ in .send(StubNode.answer("{}")) }
    defer { second.stop() }
    let proxy = try Proxy(kind, first: first.port, second: second.port)
    defer { proxy.stop() }
    try proxy.explaining { try body(proxy, first, second) }
  }
}

/// Publishes 1, 2, 3 and so on through a proxy, one after the other and each until it is taken, until it is told to end.
private final class Publisher: Sendable {
  private let state = Mutex((published: [String](), failures: [String]()))
  private let isOver = Atomic<Bool>(false)
  private let hasEnded = Atomic<Bool>(false)

  init(_ proxy: Proxy, _ channel: String, _ version: Curl.Version) {
    startThread { [self] in
      var number = 1
      while !isOver.load(ordering: .relaxed) {
        do {
          try proxy.publish(channel, "\(number)", version)
          state.withLock { $0.published.append("\(number)") }
          number += 1
        } catch { state.withLock { $0.failures.append("\(error)") } }
      }
      hasEnded.store(true, ordering: .releasing)
    }
  }

  var published: [String] { state.withLock { $0.published } }
  var failures: [String] { state.withLock { $0.failures } }

  /// Ends when the publish that is under way is answered.
  func end() throws {
    isOver.store(true, ordering: .relaxed)
    try eventually(within: .seconds(30), "the publisher ends") {
      hasEnded.load(ordering: .acquiring)
    } until: {
      $0
    }
  }
}
