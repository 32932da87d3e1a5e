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
