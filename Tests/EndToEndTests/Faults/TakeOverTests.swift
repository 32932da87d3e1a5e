import Glibc
import Synchronization
import Testing

extension FaultTests {
  /// One server takes over from another, and nobody notices.
  @Suite("Taking over")
  struct TakeOver {
    @Test("Side by side on one port the old server drains, and of all who connect nobody is refused or lost")
    func sideBySide() async throws {
      try await blocking {
        let old = try HoldfastProcess.start("--reuse-port", "--connections-per-client-max", "0")
        let cursor = try old.publish("news", "1")
        let polls = try (0..<200).map { _ in try old.hold("news", query: "&cursor=\(cursor)") }
        try old.expectHeld("news", polls.count)

        let new = try HoldfastProcess.start("--reuse-port", port: old.port)
        let crowd = Crowd(port: old.port)
        try eventually("both are reached") {
          crowd.count
        } until: {
          $0 > 100
        }
        old.process.signal(SIGTERM)
        for poll in polls {
          let json = try poll.answer().json()
          try expect(json["status"]?.string, is: "timeout", "what \(json) says")
          try expect(json["cursor"]?.string, is: cursor, "the cursor in \(json)")
          try poll.expectClose()
        }
        try expect(old.process.exitCode(within: .seconds(20)), is: 0, "the old one's exit code")
        let before = crowd.count
        try eventually("the new one is reached") {
          crowd.count
        } until: {
          $0 > before + 100
        }
        try expect(crowd.end(), is: [], "what went wrong for who connected meanwhile")
        try expect(old.process.errorText.contains("memory store"), "a warning: \(old.process.errorText)")
        try expect(new.terminate(), is: 0, "the new one's exit code")
      }
    }

    @Test("A server that drains refuses who connects, also while a client is in the middle of a request")
    func stopsListening() async throws {
      try await withServer { server in
        let slow = try server.connect()
        try slow.send("GET /healthz HTT")
        server.process.signal(SIGTERM)
        try eventually("who connects is refused") {
          (try? server.connect()) == nil
        } until: {
          $0
        }
        try slow.send("P/1.1\r\nHost: a\r\n\r\n")
        try expect(slow.answer().status, is: 200, "the status for who was there before")
        try expect(server.process.exitCode(within: .seconds(20)), is: 0, "the exit code")
      }
    }

    @Test("Who has connected and asked before SIGTERM is answered")
    func asksBefore() async throws {
      try await blocking {
        for _ in 0..<20 {
          let server = try HoldfastProcess.start()
          let clients = try (0..<5).map { _ in try server.connect() }
          for client in clients { try client.send("GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n") }
          server.process.signal(SIGTERM)
          for client in clients {
            try expect(client.answer().status, is: 200, "the status")
            client.close()
          }
          try expect(server.process.exitCode(within: .seconds(20)), is: 0, "the exit code")
        }
      }
    }

    @Test("Without --reuse-port a second server does not start on the port of one that has it")
    func notByAccident() async throws {
      try await withServer("--reuse-port") { server in
        let second = try ChildProcess(HoldfastBinary.path(), ["serve", "--port", "\(server.port)"])
        defer { second.kill() }
        try expect(second.exitCode(within: .seconds(20)), is: 1, "the exit code")
        try expect(second.errorText.contains("in use"), "the reason: \(second.errorText)")
      }
    }

    @Test("A listening socket that was passed is served, and who connects between two servers is served by the second")
    func passed() async throws {
      try await blocking {
        let listener = try Listener()
        let early = try Connection(port: listener.port)
        let first = try listener.serve()
        try expect(early.ask("GET /healthz").status, is: 200, "the status")
        // Whose peers have gone without a word is noticed of those too who came before: their sockets have the timer of keep-alive.
        let hex = String(listener.port, radix: 16, uppercase: true)
        let name = ":" + String(repeating: "0", count: 4 - hex.count) + hex
        let rows = try readFile("/proc/net/tcp").split(separator: "\n").dropFirst().map { $0.split(separator: " ") }
        let timers = rows.filter { $0[1].hasSuffix(name) && $0[3] == "01" }.map { $0[5].prefix(2) }
        try expect(timers, is: ["02"], "the timer of the connection")
        early.close()
        try expect(
          first.process.errorText.contains("adopted a listening socket"), "no word: \(first.process.errorText)")
        let poll = try first.hold("news")
        try first.expectHeld("news", 1)
        first.process.signal(SIGTERM)
        try expect(poll.answer().json()["status"]?.string, is: "timeout", "what the held poll is told")
        try expect(first.process.exitCode(within: .seconds(20)), is: 0, "the exit code")

        let between = try (0..<20).map { _ in try Connection(port: listener.port) }
        for connection in between { try connection.send(request("GET /healthz")) }
        let second = try listener.serve()
        for connection in between { try expect(connection.answer().status, is: 200, "the status") }
        try expect(second.ask("POST /api/publish/news", body: "1").status, is: 200, "the status")
        try expect(second.terminate(), is: 0, "the exit code")
      }
    }

    @Test(
      "With a socket that was passed, an address of one's own is an error that says so",
      arguments: [["--host", "127.0.0.1"], ["--port", "0"], ["--reuse-port"]])
    func passedAndGiven(flags: [String]) async throws {
      try await blocking {
        let process = try Listener().start(flags)
        defer { process.kill() }
        try expect(process.exitCode(within: .seconds(20)), is: 64, "the exit code")
        let line = process.errorLine(within: .seconds(5)) ?? ""
        try expect(line.contains("socket was passed"), "a line that says why: \(line)")
        try expect(line.contains(flags[0].dropFirst(2)), "a line that names \(flags[0]): \(line)")
      }
    }

    @Test("A descriptor that is no listening socket, two of them, and those of another process are told apart")
    func notPassed() async throws {
      try await blocking {
        let listener = try Listener()
        let two = try listener.start([], count: 2)
        try expect(two.exitCode(within: .seconds(20)), is: 64, "the exit code for two")
        let other = try ChildProcess(
          HoldfastBinary.path(), ["serve", "--port", "0"], environment: ["LISTEN_PID": "1", "LISTEN_FDS": "1"])
        defer { other.kill() }
        try expect(
          other.outputLine(within: .seconds(20))?.contains("listening") == true, "a socket is another process's")
        let connected = try RawSocket(port: listener.port)
        let wrong = try connected.withDescriptor { try Listener.start([], passed: $0) }
        try expect(wrong.exitCode(within: .seconds(20)), is: 1, "the exit code for a socket that does not listen")
        try expect(wrong.errorText.contains("descriptor 3"), "a line that names it: \(wrong.errorText)")
      }
    }
  }
}

/// Clients that connect, ask, and go, one after the other in four threads.
private final class Crowd: Sendable {
  private let failures = Mutex<[String]>([])
  private let answered = Atomic<Int>(0)
  private let isOver = Atomic<Bool>(false)
  private let running = Atomic<Int>(4)

  init(port: UInt16) {
    for _ in 0..<4 {
      startThread { [self] in
        while !isOver.load(ordering: .relaxed) {
          do {
            try expect(Connection(port: port).ask("GET /healthz").status, is: 200, "the status")
            answered.add(1, ordering: .relaxed)
          } catch { failures.withLock { $0.append("\(error)") } }
        }
        running.subtract(1, ordering: .relaxed)
      }
    }
  }

  var count: Int { answered.load(ordering: .relaxed) }

  /// - Returns: What went wrong.
  func end() throws -> [String] {
    isOver.store(true, ordering: .relaxed)
    try eventually(within: .seconds(30), "clients go") {
      running.load(ordering: .relaxed)
    } until: {
      $0 == 0
    }
    return failures.withLock { $0 }
  }
}

/// A socket that listens, as systemd has one for a server, whoever serves it.
private final class Listener {
  private let descriptor: Int32
  let port: UInt16

  init() throws {
    (descriptor, port) = try boundSocket()
    guard listen(descriptor, 100) == 0 else { throw Failure("listen: \(errnoText())") }
  }

  deinit { close(descriptor) }

  func serve() throws -> HoldfastProcess { try HoldfastProcess(start([])) }

  func start(_ flags: [String], count: Int = 1) throws -> ChildProcess {
    try Self.start(flags, passed: descriptor, count: count)
  }

  static func start(_ flags: [String], passed: Int32, count: Int = 1) throws -> ChildProcess {
    // The shell's process becomes the server's, and so LISTEN_PID is right.
    let script = "LISTEN_PID=$$ LISTEN_FDS=\(count) exec \"$0\" serve \"$@\""
    let driver = HoldfastBinary.driver.map { ["--driver", $0] } ?? []
    return try ChildProcess("/bin/sh", ["-c", script, HoldfastBinary.path()] + driver + flags, passed: passed)
  }
}
