import Glibc
import Testing

/// The protocol as it is written in `conformance/`, case by case, against one server that all of them share: cases use
/// names of their own, so they run beside each other as clients do.
///
/// With `HOLDFAST_CONFORMANCE_URL` (as `http://127.0.0.1:8080`) they run against that server instead.
@Suite("Conformance", SharedServer())
struct ConformanceTests {
  @Test("The protocol holds", arguments: ConformanceCase.all)
  func holds(_ test: ConformanceCase) async throws {
    let server = try #require(SharedServer.current)
    do {
      try await blocking {
        var runner = CaseRunner(host: "127.0.0.1:\(server.port)", port: server.port)
        try runner.run(test)
      }
    } catch { Issue.record("\(error)\(server.logs)") }
  }

  @Test("Each case has a name of its own")
  func names() {
    let names = ConformanceCase.all.map(\.name)
    #expect(names.count >= 140 || ConformanceCase.chosen != nil)
    #expect(Set(names).count == names.count)
    #expect(names.allSatisfy { $0.hasSuffix(".") })
  }
}

/// Starts one server before the first test of a suite, and stops it after the last.
struct SharedServer: SuiteTrait, TestScoping {
  struct Running: Sendable {
    var port: UInt16
    var process: HoldfastProcess?

    /// The end of what the server logged, for a failure.
    var logs: String {
      guard let text = process?.process.errorText, !text.isEmpty else { return "" }
      return "\nthe server's log ends with:\n\(text.suffix(1000))"
    }
  }

  @TaskLocal static var current: Running?

  func provideScope(
    for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
  ) async throws {
    if let url = getenv("HOLDFAST_CONFORMANCE_URL") {
      let text = String(cString: url)
      guard let match = text.wholeMatch(of: #/http://(127\.0\.0\.1|localhost):(\d+)/?/#), let port = UInt16(match.2)
      else {
        throw Failure("HOLDFAST_CONFORMANCE_URL must be http://127.0.0.1:PORT, not \(text)")
      }
      return try await SharedServer.$current.withValue(Running(port: port), operation: function)
    }
    let server = try await blocking { try HoldfastProcess.start() }
    try await SharedServer.$current.withValue(Running(port: server.port, process: server), operation: function)
    let code = try await blocking { try server.terminate() }
    #expect(code == 0, "the server of the conformance tests did not stop in order")
  }
}
