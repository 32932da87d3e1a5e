import Glibc
import Testing

extension FaultTests {
  @Suite("Settings")
  struct Settings {
    @Test(
      "A wrong value of a flag ends with code 64 and a line that names the flag",
      arguments: [
        ("--port", "x"), ("--port", "70000"), ("--port", "-1"), ("--log-messages-max", "many"), ("--log-age-max", "-5"),
        ("--log-bytes-max", "1.5"), ("--connections-max", "x"), ("--connections-per-client-max", "-1"),
        ("--head-timeout", "soon"), ("--poll-timeout-max", "x"), ("--trusted-proxies", "not-an-address"),
        ("--driver", "kqueue"), ("--prefix", "/a?b"), ("--prefix", "/a#b"), ("--prefix", "/a%20b"),
        ("--prefix", "/a\"b"),
        ("--no-such-flag", "1"),
      ])
    func wrong(flag: String, value: String) async throws {
      try await blocking {
        let process = try ChildProcess(HoldfastBinary.path(), ["serve", flag, value])
        defer { process.kill() }
        guard let code = process.exitCode(within: .seconds(20)) else {
          throw Failure("the server started with \(flag) \(value)")
        }
        let line = process.errorLine(within: .seconds(5)) ?? ""
        try expect(code, is: 64, "the exit code, after \(line.debugDescription)")
        try expect(line.contains(flag.drop { $0 == "-" }), "a line that names \(flag): \(line.debugDescription)")
        try expect(process.remainingOutput, is: "", "the standard output")
      }
    }

    @Test(
      "Settings come from a YAML or JSON file and the environment, and a flag wins over both",
      arguments: [
        ("yaml", "poll-timeout-max: 1\nprefix: /file\n"), ("json", #"{"poll-timeout-max": 1, "prefix": "/file"}"#),
      ])
    func sources(ending: String, text: String) async throws {
      try await blocking {
        let file = try TemporaryFile(ending: ending, text: text)
        func answers(_ path: String, _ flags: [String], _ environment: [String: String]) throws -> Int {
          let arguments = ["serve", "--port", "0", "--config", file.path] + flags
          let process = try ChildProcess(HoldfastBinary.path(), arguments, environment: environment)
          defer { process.kill() }
          guard let port = process.outputLine(within: .seconds(20))?.split(separator: ":").last.flatMap({ UInt16($0) })
          else { throw Failure("no port: \(process.errorText)") }
          let connection = try Connection(port: port)
          return try connection.ask("GET \(path)/poll/news?timeout=0").status
        }
        try expect(answers("/file", [], [:]), is: 200, "the file's prefix")
        try expect(answers("/env", [], ["HOLDFAST_PREFIX": "/env"]), is: 200, "the environment's prefix")
        try expect(answers("/flag", ["--prefix", "/flag"], ["HOLDFAST_PREFIX": "/env"]), is: 200, "the flag's prefix")
      }
    }

    @Test(
      "A setting in a file that is misspelt or has a wrong value ends with code 64 and a line that names it",
      arguments: [("prot: 8080", "prot"), ("port: eighty", "port"), ("- 1", "settings"), ("port: [", "config")])
    func wrongInFile(text: String, named: String) async throws {
      try await blocking {
        let file = try TemporaryFile(ending: "config.yaml", text: text)
        let process = try ChildProcess(HoldfastBinary.path(), ["serve", "--config", file.path])
        defer { process.kill() }
        try expect(process.exitCode(within: .seconds(20)), is: 64, "the exit code")
        let line = process.errorLine(within: .seconds(5)) ?? ""
        try expect(line.contains(named), "a line that names \(named): \(line.debugDescription)")
      }
    }

    @Test(
      "A variable that is like a setting and none ends with code 64 and a line that names the closest one",
      arguments: [
        ("HOLDFAST_PROT", "HOLDFAST_PORT"), ("HOLDFAST_LOG_AGE", "HOLDFAST_LOG_AGE_MAX"),
        ("HOLDFAST_CONFIGS", "HOLDFAST_CONFIG"), ("HOLDFAST_CORS_ORIGIN", "HOLDFAST_CORS_ORIGINS"),
      ])
    func unknownVariable(name: String, closest: String) async throws {
      try await blocking {
        let process = try ChildProcess(
          HoldfastBinary.path(), ["serve", "--port", "0"], environment: [name: "http://a"])
        defer { process.kill() }
        try expect(process.exitCode(within: .seconds(20)), is: 64, "the exit code")
        let line = process.errorLine(within: .seconds(5)) ?? ""
        try expect(
          line.contains("\(name) is no setting") && line.contains("\(closest),"),
          "a line that names \(name) and \(closest): \(line.debugDescription)")
      }
    }

    @Test("Variables of other commands, of the build, of the tests and of neighbours are nobody's mistake")
    func otherVariables() async throws {
      try await blocking {
        let others = [
          "HOLDFAST_SERVER": "http://127.0.0.1:1", "HOLDFAST_STRICT": "1", "HOLDFAST_TEST_SEED": "1",
          "HOLDFAST_CONFORMANCE_CASE": "x", "HOLDFAST_CONFORMANCE_URL": "x", "HOLDFAST_BINARY": "x",
          "HOLDFAST_ADMIN_SERVICE_HOST": "10.0.0.7", "HOLDFAST_ADMIN_SERVICE_PORT_HTTP": "80",
          "HOLDFAST_ADMIN_PORT": "tcp://10.0.0.7:80", "HOLDFAST_ADMIN_PORT_80_TCP_ADDR": "10.0.0.7",
          "HOLDFAST_PORT": "tcp://10.0.0.7:80", "HOLDFASTER": "1",
        ]
        let file = try TemporaryFile(ending: "yaml", text: "port: 0\n")
        let process = try ChildProcess(HoldfastBinary.path(), ["serve", "--config", file.path], environment: others)
        defer { process.kill() }
        guard let line = process.outputLine(within: .seconds(20)) else { throw Failure(process.errorText) }
        try expect(line.contains("listening"), "the first line \(line)")
      }
    }

    @Test("A port that is taken ends with a code that is not 0 and a line that names it")
    func portTaken() async throws {
      try await withServer { server in
        let second = try ChildProcess(HoldfastBinary.path(), ["serve", "--port", "\(server.port)"])
        defer { second.kill() }
        guard let code = second.exitCode(within: .seconds(20)) else { throw Failure("two servers on one port") }
        try expect(code != 0, "the exit code is 0")
        try expect(second.errorText.contains("\(server.port)"), "no line names the port: \(second.errorText)")
        try expect(server.ask("GET /healthz").status, is: 200, "the first server")
      }
    }

    @Test("The driver that is asked for is the one that runs", arguments: ["epoll", "nio"])
    func driver(name: String) async throws {
      try await withServer("--driver", name) { server in
        try eventually("the log names the driver") {
          server.process.errorText
        } until: {
          $0.contains("\"\(name)\"")
        }
        try expect(server.ask("GET /healthz").status, is: 200, "the status")
      }
    }

    @Test("A timeout above the cap of this server is lowered to it")
    func timeoutMax() async throws {
      try await withServer("--poll-timeout-max", "1") { server in
        let start = ContinuousClock.now
        let json = try server.ask("GET /api/poll/news?timeout=50").json()
        try expect(json["status"]?.string, is: "timeout", "what \(json) says")
        let elapsed = start.duration(to: .now)
        try expect(elapsed > .milliseconds(900) && elapsed < .seconds(3), "it took \(elapsed)")
      }
    }

    @Test("A list that is given twice is one list")
    func listTwice() async throws {
      try await withServer("--cors-origins", "https://a.example", "--cors-origins", "https://b.example") { server in
        for origin in ["https://a.example", "https://b.example"] {
          let answer = try server.ask("GET /api/channels", headers: [("Origin", origin)])
          try expect(answer.status, is: 200, "the status for \(origin)")
        }
      }
    }

    @Test("Another prefix moves every path but the two of health")
    func prefix() async throws {
      try await withServer("--prefix", "/live") { server in
        try expect(server.ask("POST /live/publish/news", body: "1").status, is: 200, "publishing under /live")
        try expect(server.ask("GET /live/poll/news?timeout=0").status, is: 200, "polling under /live")
        try expect(server.ask("GET /api/poll/news?timeout=0").status, is: 404, "polling under /api")
        try expect(server.ask("GET /healthz").status, is: 200, "healthz")
        try expect(server.ask("GET /readyz").status, is: 200, "readyz")
      }
    }
  }
}

/// A file that is gone after the test.
private final class TemporaryFile {
  let path: String

  init(ending: String, text: String) throws {
    path = "/tmp/holdfast-test-\(getpid())-\(UInt32.random(in: 0...UInt32.max)).\(ending)"
    guard let file = fopen(path, "w") else { throw Failure("cannot write \(path)") }
    fputs(text, file)
    fclose(file)
  }

  deinit { unlink(path) }
}
