import Testing

extension FaultTests {
  /// A pipe takes 64 KiB before who writes to it must wait; each request logs some 100 bytes.
  @Suite("A log that nobody reads")
  struct Log {
    static let requestCount = 5000

    @Test("A log pipe that nobody reads stops neither the answers nor the end")
    func unread() async throws {
      try await blocking {
        let server = try HoldfastProcess(["--log-level", "debug"], readsLog: false)
        defer { server.stop() }
        try Log.fill(server)
        let held = try server.hold("news")
        try server.expectHeld("news", 1)
        try server.publish("news", "1")
        try expect(held.answer().status, is: 200, "the status of a held poll")
        try expect(server.terminate(), is: 0, "the exit code")
      }
    }

    @Test("A path of any length leaves a line of JSON whole")
    func wholeLines() async throws {
      try await blocking {
        let server = try HoldfastProcess(["--log-level", "debug", "--log-format", "json"], readsLog: true)
        defer { server.stop() }
        let path = "/" + String(repeating: "a", count: 6000)
        try expect(server.ask("GET \(path)").status, is: 404, "the status")
        try expect(server.terminate(), is: 0, "the exit code")
        for line in server.process.errorText.split(separator: "\n") where !line.hasSuffix("}") {
          throw Failure("not a whole line: \(line.suffix(80))")
        }
      }
    }

    @Test("Each entry is either written or counted as dropped, and how many were is said when somebody reads again")
    func countsDropped() async throws {
      try await blocking {
        let server = try HoldfastProcess(["--log-level", "debug"], readsLog: false)
        defer { server.stop() }
        try Log.fill(server)
        server.process.readErrors()
        // Until all is written that was asked for, each question logs another entry.
        var asked = Log.requestCount
        try eventually("the number of dropped entries is said") {
          asked += 1
          try expect(server.ask("GET /healthz").status, is: 200, "the status")
          return server.process.errorText
        } until: {
          $0.contains("dropped")
        }
        try expect(server.terminate(), is: 0, "the exit code")
        let lines = server.process.errorText.split(separator: "\n")
        let written = lines.count { $0.contains("\"message\":\"request\"") }
        let dropped = lines.compactMap { $0.firstMatch(of: #/holdfast: (\d+) log lines were dropped/#) }
        try expect(written < Log.requestCount, "the pipe took everything, so this test shows nothing")
        try expect(written + dropped.reduce(0) { $0 + (Int($1.1) ?? 0) }, is: asked, "entries written and dropped")
      }
    }

    /// Makes more log entries than the pipe takes; throws where an answer is missing.
    private static func fill(_ server: HoldfastProcess) throws {
      let connection = try server.connect()
      for _ in 0..<requestCount / 500 {
        try connection.send(String(repeating: request("GET /healthz"), count: 500))
        try connection.skipAnswers(500)
      }
    }
  }
}
