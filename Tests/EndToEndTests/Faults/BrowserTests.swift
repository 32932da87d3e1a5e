import Testing

extension FaultTests {
  @Suite("Browsers")
  struct Browsers {
    private static let allowed = ("Origin", "https://a.example")

    @Test("An allowed origin may poll and publish, and every answer names it, errors too")
    func allowed() async throws {
      try await withServer("--cors-origins", "https://a.example") { server in
        let lines: [(String, String?, Int)] = [
          ("GET /api/poll/news?timeout=0", nil, 200), ("POST /api/publish/news", "1", 200),
          ("POST /api/publish/news", "[", 400), ("GET /nothing", nil, 404), ("GET /api/poll/news?cursor=x", nil, 400),
        ]
        for (line, body, status) in lines {
          let answer = try server.ask(line, headers: [Browsers.allowed], body: body)
          try expect(answer.status, is: status, "the status of \(line)")
          try answer.expectAllows("https://a.example")
        }
        let held = try server.hold("news", headers: [Browsers.allowed])
        try server.expectHeld("news", 1)
        try server.publish("news", "2")
        try held.answer().expectAllows("https://a.example")
      }
    }

    @Test(
      "An allowed origin may read why its request was not read to the end",
      arguments: [
        ("Content-Length: 300000\r\n\r\n", 413), ("Content-Length: 300000\r\nExpect: 100-continue\r\n\r\n", 413),
        ("Transfer-Encoding: chunked\r\n\r\n50000\r\n", 413), ("Transfer-Encoding: chunked\r\n\r\nx\r\n", 400),
        ("Content-Length: 9\r\nContent-Encoding: gzip\r\nExpect: 100-continue\r\n\r\n", 415),
        ("Content-Length: 9\r\n\r\n1", 408),
      ], [[], [7], [60], [100]])
    func unread(end: (String, Int), cuts: [Int]) async throws {
      try await withServer("--cors-origins", "https://a.example", "--body-timeout", "1") { server in
        let head = "POST /api/publish/news HTTP/1.1\r\nHost: localhost\r\nOrigin: https://a.example\r\n"
        let connection = try server.connect()
        var bytes = Array((head + end.0).utf8)[...]
        for cut in cuts {
          try connection.send(Array(bytes.prefix(cut)))
          bytes = bytes.dropFirst(cut)
          try connection.expectSilence(for: .milliseconds(50))
        }
        try connection.send(Array(bytes))
        let answer = try connection.answer()
        try expect(answer.status, is: end.1, "the status of \(answer)")
        try answer.expectAllows("https://a.example")
      }
    }

    @Test("A request whose head is refused shows no origin: its answer may be read where every origin may")
    func unknown() async throws {
      let long = String(repeating: "a", count: 9000)
      let head = "GET /\(long) HTTP/1.1\r\nHost: localhost\r\nOrigin: https://a.example\r\n\r\n"
      for (allowed, named) in [("*", "*" as String?), ("https://a.example", nil)] {
        try await withServer("--cors-origins", allowed) { server in
          let connection = try server.connect()
          try connection.send(head)
          let answer = try connection.answer()
          try expect(answer.status, is: 414, "the status of \(answer)")
          try expect(answer.header("access-control-allow-origin"), is: named, "the allowed origin of \(answer)")
        }
      }
    }

    @Test("A preflight allows the methods and headers of the protocol for ten minutes")
    func preflight() async throws {
      try await withServer("--cors-origins", "https://a.example") { server in
        let answer = try server.ask(
          "OPTIONS /api/publish/news",
          headers: [
            Browsers.allowed, ("Access-Control-Request-Method", "POST"),
            ("Access-Control-Request-Headers", "content-type,idempotency-key"),
          ])
        try expect(answer.status, is: 204, "the status of \(answer)")
        try answer.expectAllows("https://a.example")
        try expect(answer.words("access-control-allow-methods"), is: ["delete", "get", "head", "post"], "methods")
        try expect(
          answer.words("access-control-allow-headers"),
          is: ["authorization", "content-type", "idempotency-key", "x-client-id"], "headers")
        try expect(answer.header("access-control-max-age"), is: "600", "the age of \(answer)")
      }
    }

    @Test("An origin that is not in the list is refused", arguments: ["https://b.example", "http://a.example", "null"])
    func refused(origin: String) async throws {
      try await withServer("--cors-origins", "https://a.example") { server in
        for line in ["GET /api/poll/news?timeout=0", "POST /api/publish/news", "OPTIONS /api/publish/news"] {
          let answer = try server.ask(line, headers: [("Origin", origin)], body: line.hasPrefix("POST") ? "1" : nil)
          try expect(answer.status, is: 403, "the status of \(line)")
          try expect(answer.json()["code"]?.string, is: "origin_forbidden", "the code")
          try expect(answer.header("access-control-allow-origin"), is: nil, "the allowed origin")
        }
        try expect(server.ask("GET /api/history/news").json()["count"]?.integer, is: 0, "messages")
      }
    }

    @Test("A star in the list allows every origin")
    func star() async throws {
      try await withServer("--cors-origins", "*") { server in
        let answer = try server.ask("GET /api/poll/news?timeout=0", headers: [("Origin", "https://any.example")])
        try expect(answer.status, is: 200, "the status")
        let allowed = answer.header("access-control-allow-origin")
        try expect(allowed == "*" || allowed == "https://any.example", "the allowed origin of \(answer)")
      }
    }
  }
}

extension Answer {
  fileprivate func expectAllows(_ origin: String) throws {
    try expect(header("access-control-allow-origin"), is: origin, "the allowed origin of \(self)")
    try expect(words("vary").contains("origin"), "Vary: Origin in \(self)")
  }

  /// The words of a list header in small letters, sorted.
  fileprivate func words(_ name: String) -> [String] {
    let lists = headers.filter { $0.name == name }.flatMap { $0.value.lowercased().split(separator: ",") }
    return lists.map { String($0.drop { $0 == " " }) }.sorted()
  }
}
