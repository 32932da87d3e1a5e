import Glibc
import Testing

extension FaultTests {
  @Suite("Shutting down")
  struct Shutdown {
    static let pollCount = 10_000

    @Test("SIGTERM answers each held poll with its own cursor, and the server stops with code 0")
    func drain() async throws {
      var limit = rlimit()
      getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
      limit.rlim_cur = limit.rlim_max
      setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
      try expect(limit.rlim_cur >= 12_000, "10,000 polls need as many descriptors: raise the hard limit (ulimit -Hn)")
      try await withServer("--connections-per-client-max", "0", "--connections-per-address-max", "0") { server in
        let channels = (0..<100).map { "news-\($0)" }
        let cursors = try channels.map { try server.publish($0, "1") }
        let polls = try (0..<Shutdown.pollCount).map { number in
          let index = number % channels.count
          return try server.hold(channels[index], query: "&cursor=\(cursors[index])")
        }
        for channel in channels { try server.expectHeld(channel, polls.count / channels.count) }
        let publishers = try (0..<4).map { _ in try server.connect() }
        server.process.signal(SIGTERM)
        let refusals = try publishers.filter { try Shutdown.publishesUntilRefused($0) }
        try expect(!refusals.isEmpty, "no publish was refused with 503 draining")
        for (number, poll) in polls.enumerated() {
          let answer = try poll.answer(within: .seconds(30))
          try expect(answer.status, is: 200, "the status of \(answer)")
          let json = try answer.json()
          try expect(json["status"]?.string, is: "timeout", "what \(answer) says")
          try expect(json["cursor"]?.string, is: cursors[number % channels.count], "the cursor of poll \(number)")
          try poll.expectClose()
        }
        try expect(server.process.exitCode(within: .seconds(30)), is: 0, "the exit code")
      }
    }

    @Test("SIGTERM without anybody there stops the server at once", arguments: [SIGTERM, SIGINT])
    func quiet(signal: Int32) async throws {
      try await withServer { server in
        server.process.signal(signal)
        try expect(server.process.exitCode(within: .seconds(5)), is: 0, "the exit code")
      }
    }

    @Test("While a server drains, readyz says so with 503 and healthz goes on saying ok")
    func health() async throws {
      try await withServer("--head-timeout", "60", "--shutdown-timeout", "60") { server in
        // A connection in the middle of a request stays open; the answer to the one before says how far it was read.
        let asking = try ["/readyz", "/healthz"].map { path in
          let connection = try server.connect()
          try connection.send(request("GET /readyz") + "GET \(path) HTTP/1.1\r\nHost: 127.0.0.1\r\n")
          let answer = try connection.answer()
          try expect(answer.status, is: 200, "the status before")
          try expect(answer.json()["status"]?.string, is: "ready", "what readyz says before")
          return connection
        }
        let held = try server.hold("news")
        try server.expectHeld("news", 1)
        server.process.signal(SIGTERM)
        try expect(held.answer().status, is: 200, "the status of the poll by which the drain is seen to go on")
        for (connection, expected) in zip(asking, [(503, "draining"), (200, "ok")]) {
          try connection.send("\r\n")
          let answer = try connection.answer()
          try expect(answer.status, is: expected.0, "the status of \(answer)")
          try expect(answer.json()["status"]?.string, is: expected.1, "what \(answer) says")
          try connection.expectClose()
        }
        try expect(server.process.exitCode(within: .seconds(30)), is: 0, "the exit code")
      }
    }

    /// Publishes until it is refused (true) or the server closes (false). Anything but 200 and 503 is an error.
    private static func publishesUntilRefused(_ connection: Connection) throws -> Bool {
      let deadline = Deadline.after(.seconds(20))
      while !deadline.hasPassed {
        guard let answer = try? connection.ask("POST /api/publish/late", body: "1") else { return false }
        if answer.status == 503 {
          try expect(answer.json()["code"]?.string, is: "draining", "the code of \(answer)")
          try expect(answer.header("retry-after").flatMap(Int.init) != nil, "a Retry-After in \(answer)")
          return true
        }
        try expect(answer.status, is: 200, "the status of \(answer)")
      }
      throw Failure("the server goes on publishing long after SIGTERM")
    }
  }
}
