import Glibc
import Testing

extension FaultTests {
  @Suite("Without descriptors")
  struct Descriptors {
    /// A spare descriptor to say it with is the reactor's alone; with NIO only the reserve that `ConnectionBudget` keeps
    /// stands before that.
    @Test("A process that may open no more files tells so to who comes, and serves who is there")
    func none() async throws {
      try await withServer("--driver", "epoll") { server in
        let held = try (0..<5).map { try server.hold("news", client: "client-\($0)") }
        try server.expectHeld("news", held.count)
        let publisher = try server.connect()
        try expect(publisher.ask("GET /healthz").status, is: 200, "the status")
        let files = try server.openFiles()
        let limit = (files.max() ?? 0) + 1
        try server.limitFiles(to: limit)
        let last = try (files.count..<limit).map { _ in try server.connect() }
        for connection in last { try expect(connection.ask("GET /healthz").status, is: 200, "the status") }

        for _ in 0..<20 {
          let connection = try server.connect()
          try connection.answer().expectRefusal("server_at_capacity", "Server at capacity")
          try connection.expectClose()
        }
        // There is none for the driver beside, which would see to an upgrade; so it is answered as if none were asked for.
        try publisher.send("GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n")
        try expect(publisher.answer().status, is: 200, "the status for who asks for an upgrade")
        try expect(publisher.ask("POST /api/publish/news", body: "1").status, is: 200, "the status of a publish")
        for poll in held {
          try expect(poll.answer().json()["messages"]?.array?.count, is: 1, "the messages of a held poll")
        }
      }
    }

    @Test(
      "Where nobody can even be told so, who is there is served, nothing spins, and who waits is served when there is room"
    )
    func nothingAtAll() async throws {
      try await withServer { server in
        let publisher = try server.connect()
        try expect(publisher.ask("GET /healthz").status, is: 200, "the status")
        try server.limitFiles(to: 3)
        let waiting = try (0..<20).map { _ in try server.connect() }
        let before = try server.processorSeconds()
        try waiting[0].expectSilence(for: .seconds(2))
        let used = try server.processorSeconds() - before
        try expect(used < 0.5, "it took \(used) s of processor time in 2 s for nothing")
        try expect(publisher.ask("POST /api/publish/news", body: "1").status, is: 200, "the status of a publish")
        try server.limitFiles(to: 1000)
        for connection in waiting { try expect(connection.ask("GET /healthz").status, is: 200, "the status") }
      }
    }

    /// With fewer than eight libdispatch may end the process before it has begun: at six and seven once in twenty starts.
    @Test("A process that may open too few files says so in one line and ends with code 1", arguments: 8...30)
    func tooFew(limit: Int) async throws {
      try await blocking {
        let driver = HoldfastBinary.driver ?? "auto"
        // Whoever runs the tests may have left descriptors open, which would count.
        let command = """
          for file in /proc/$$/fd/*; do file=${file##*/}; [ $file -gt 2 ] && eval "exec $file>&-"; done
          ulimit -n \(limit) && exec \(try HoldfastBinary.path()) serve --port 0 --driver \(driver)
          """
        let process = try ChildProcess("/bin/bash", ["-c", command], environment: ["SWIFT_BACKTRACE": "enable=no"])
        if let line = process.outputLine(within: .seconds(30)) {
          try expect(line.contains(" listening on ") && limit > 15, "with \(limit) files it said \(line)")
          process.kill()
          return
        }
        try expect(process.exitCode(within: .seconds(30)), is: 1, "the exit code, after \(process.errorText)")
        let lines = process.errorText.split(separator: "\n")
        let reason = "holdfast: cannot listen on 127.0.0.1:0: the process may open too few files"
        try expect(lines.count == 1 && lines[0].hasPrefix(reason), "it said \(lines)")
        try expect(limit < 30, "30 files are enough for a server of one thread")
      }
    }
  }
}

extension HoldfastProcess {
  /// Changes how many files the running server may have open. Those it has stay.
  fileprivate func limitFiles(to count: Int) throws {
    let command = try ChildProcess("/usr/bin/prlimit", ["--pid", "\(process.pid)", "--nofile=\(count):"])
    guard command.exitCode(within: .seconds(10)) == 0 else { throw Failure("prlimit: \(command.errorText)") }
  }

  /// The descriptors it has.
  fileprivate func openFiles() throws -> [Int] {
    guard let directory = opendir("/proc/\(process.pid)/fd") else { throw Failure("no /proc/\(process.pid)/fd") }
    defer { closedir(directory) }
    var files: [Int] = []
    while let entry = readdir(directory) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
        pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if let file = Int(name) { files.append(file) }
    }
    return files
  }

  /// The processor time it has taken.
  fileprivate func processorSeconds() throws -> Double {
    let fields = try readFile("/proc/\(process.pid)/stat").split(separator: ")").last?.split(separator: " ") ?? []
    guard fields.count > 12, let user = Double(fields[11]), let system = Double(fields[12]) else {
      throw Failure("no times in /proc/\(process.pid)/stat")
    }
    return (user + system) / Double(sysconf(Int32(_SC_CLK_TCK)))
  }
}
