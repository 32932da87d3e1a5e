import Glibc
import Testing

/// The commands beside `serve`, run as a person at a terminal runs them.
@Suite("Commands", .serialized)
struct CommandTests {
  @Test("publish publishes the JSON of its argument")
  func publish() async throws {
    try await withServer { server in
      try holdfast(server, "publish", "news", "{\"a\" : 1.0e2 }").expect(code: 0)
      let history = try server.ask("GET /api/history/news")
      try expect(history.text.contains("{\"a\" : 1.0e2 }"), "the data as it was given, in \(history.text)")
      try expect(history.json()["count"]?.integer, is: 1, "messages")
    }
  }

  @Test("publish reads its message from standard input when none is given")
  func publishInput() async throws {
    try await withServer { server in
      try holdfast(server, "publish", "news", input: "{\"from\":\"stdin\"}\n").expect(code: 0)
      try expect(server.data("news"), is: ["{\"from\":\"stdin\"}"], "the messages")
    }
  }

  @Test("publish --ndjson publishes one message a line, in order")
  func publishLines() async throws {
    try await withServer { server in
      let lines = (0..<500).map { "{\"n\":\($0)}" }
      try holdfast(server, "publish", "news", "--ndjson", input: lines.joined(separator: "\n") + "\n").expect(code: 0)
      try expect(server.data("news"), is: lines, "the messages")
    }
  }

  @Test("publish of something that is not JSON fails and says why")
  func publishBroken() async throws {
    try await withServer { server in
      let process = try holdfast(server, "publish", "news", "{\"a\"}")
      try process.expectFailure()
      try expect(server.data("news"), is: [], "the messages")
    }
  }

  @Test(
    "A command whose server is not there fails within bounds and names the address",
    arguments: ["publish", "history", "channels"])
  func unreachable(command: String) async throws {
    try await blocking {
      let arguments = ["publish": ["news", "1"], "history": ["news"], "channels": []][command] ?? []
      let process = try ChildProcess(
        HoldfastBinary.path(), [command] + arguments + ["--server", "http://127.0.0.1:1"], input: "")
      defer { process.kill() }
      try process.expectFailure()
      try expect(process.errorText.contains("127.0.0.1:1"), "no line names the server: \(process.errorText)")
    }
  }

  @Test(
    "publish gives up after as many failures as it is told, and sends one message with one key",
    arguments: [(nil, 2), ("0", 1), ("2", 3)])
  func retries(told: String?, attempts: Int) async throws {
    try await blocking {
      let receipt = #"{"message_id":"e-1-t","channel":"news","timestamp":1.5,"subscribers":0}"#
      let node = try StubNode { $0 < 2 ? .close : .send(StubNode.answer(receipt)) }
      defer { node.stop() }
      let limit = told.map { ["--max-retries", $0] } ?? []
      let process = try ChildProcess(
        HoldfastBinary.path(), ["publish", "news", "1"] + limit + ["--server", "http://127.0.0.1:\(node.port)"],
        input: "")
      defer { process.kill() }
      if attempts > 2 { try process.expect(code: 0) } else { try process.expectFailure() }
      try EndToEndTests.expect(node.requests.count, is: attempts, "the attempts")
      let keys = Set(node.requests.flatMap { $0.values("idempotency-key") })
      try EndToEndTests.expect(keys.count, is: 1, "the keys of one message")
    }
  }

  @Test(
    "A command without what it needs ends with code 64",
    arguments: [["publish"], ["subscribe"], ["history"], ["nonsense"]])
  func usage(arguments: [String]) async throws {
    try await blocking {
      let process = try ChildProcess(HoldfastBinary.path(), arguments, input: "")
      defer { process.kill() }
      try process.expect(code: 64)
      try expect(!process.errorText.isEmpty, "nothing on standard error")
    }
  }

  @Test("subscribe prints the data of each message, one a line")
  func subscribe() async throws {
    try await withServer { server in
      let process = try holdfast(server, "subscribe", "news")
      defer { process.kill() }
      try server.expectHeld("news", 1)
      let messages = ["{\"a\":1}", "0", "null", "\"text\"", "[1,2]"]
      for message in messages { try server.publish("news", message) }
      for message in messages { try expect(process.outputLine(within: .seconds(20)), is: message, "the next line") }
      process.signal(SIGINT)
      try expect(process.exitCode(within: .seconds(10)) != nil, "subscribe does not stop on SIGINT")
    }
  }

  @Test("subscribe --from earliest begins with what is retained")
  func subscribeEarliest() async throws {
    try await withServer { server in
      for number in 1...3 { try server.publish("news", "\(number)") }
      let process = try holdfast(server, "subscribe", "news", "--from", "earliest")
      defer { process.kill() }
      for number in 1...3 { try expect(process.outputLine(within: .seconds(20)), is: "\(number)", "the next line") }
      try server.expectHeld("news", 1)
      try server.publish("news", "4")
      try expect(process.outputLine(within: .seconds(20)), is: "4", "the next line")
    }
  }

  @Test("subscribe --since begins after a timestamp")
  func subscribeSince() async throws {
    try await withServer { server in
      let first = try server.ask("POST /api/publish/news", body: "1").json()["timestamp"]?.scalarText ?? ""
      for number in 2...4 { try server.publish("news", "\(number)") }
      let process = try holdfast(server, "subscribe", "news", "--since", first)
      defer { process.kill() }
      for number in 2...4 { try expect(process.outputLine(within: .seconds(20)), is: "\(number)", "the next line") }
    }
  }

  @Test("subscribe --json prints whole messages")
  func subscribeJSON() async throws {
    try await withServer { server in
      let id = try server.publish("news", "{\"a\":1}")
      let process = try holdfast(server, "subscribe", "news", "--from", "earliest", "--json")
      defer { process.kill() }
      let json = try JSON(parsing: Array((process.outputLine(within: .seconds(20)) ?? "").utf8))
      try expect(json["id"]?.string, is: id, "the id")
      try expect(json["channel"]?.string, is: "news", "the channel")
      try expect(json["data"]?["a"]?.integer, is: 1, "the data")
      try expect(json["timestamp"]?.number != nil, "a timestamp in \(json)")
    }
  }

  @Test("subscribe goes on by itself when the server is killed and started again, and tells the gap")
  func reconnect() async throws {
    try await blocking {
      let first = try HoldfastProcess([])
      let process = try holdfast(first, "subscribe", "news")
      defer { process.kill() }
      try first.expectHeld("news", 1)
      try first.publish("news", "1")
      try expect(process.outputLine(within: .seconds(20)), is: "1", "the first line")
      first.process.kill()
      try expect(first.process.exitCode(within: .seconds(10)), is: 137, "the killed server's code")
      let second = try HoldfastProcess([], port: first.port)
      defer { second.stop() }
      // Its cursor names a log that is gone, so it asks once, is told so at once, and is then held.
      try second.expectHeld("news", 1, within: .seconds(60))
      try second.publish("news", "2")
      try expect(process.outputLine(within: .seconds(20)), is: "2", "the line after the restart")
      try expect(tellsGap(process.errorText), "no gap was told: \(process.errorText)")
    }
  }

  @Test("subscribe --cursor-file goes on behind the last message that it printed, in the next process")
  func subscribeCursorFile() async throws {
    try await withServer { server in
      let path = "/tmp/holdfast-commands-\(getpid())-\(server.port)"
      defer { unlink(path) }
      for number in 1...5 { try server.publish("news", "\(number)") }
      for expected in ["1\n2\n", "3\n4\n5\n"] {
        let count = expected.split(separator: "\n").count
        let process = try holdfast(
          server, "subscribe", "news", "--from", "earliest", "--cursor-file", path, "--count", "\(count)")
        try process.expect(code: 0)
        try expect(process.remainingOutput, is: expected, "the output")
      }
    }
  }

  @Test("subscribe with a cursor file that cannot be written says so and goes on")
  func subscribeBrokenCursorFile() async throws {
    try await withServer { server in
      try server.publish("news", "1")
      let process = try holdfast(
        server, "subscribe", "news", "--from", "earliest", "--cursor-file", "/proc/none/x", "--count", "1")
      try process.expect(code: 0)
      try expect(process.remainingOutput, is: "1\n", "the output")
      let told = "holdfast: The cursor could not be read or kept: /proc/none/x: No such file or directory\n"
      try expect(process.errorText, is: told, "what is told")
    }
  }

  @Test("subscribe on a channel that is deleted goes on and tells the gap on standard error")
  func subscribeGap() async throws {
    try await withServer { server in
      try server.publish("news", "1")
      let process = try holdfast(server, "subscribe", "news", "--from", "earliest")
      defer { process.kill() }
      try expect(process.outputLine(within: .seconds(20)), is: "1", "the first line")
      try server.expectHeld("news", 1)
      try expect(server.ask("DELETE /api/channels/news").status, is: 200, "deleting")
      try eventually("the gap is told") {
        process.errorText
      } until: {
        tellsGap($0)
      }
      try server.publish("news", "2")
      try expect(process.outputLine(within: .seconds(20)), is: "2", "the next line")
    }
  }

  @Test("history prints what is retained, one a line")
  func history() async throws {
    try await withServer { server in
      for number in 1...250 { try server.publish("news", "\(number)") }
      let process = try holdfast(server, "history", "news")
      try process.expect(code: 0)
      let lines = process.remainingOutput.split(separator: "\n").map(String.init)
      try expect(lines, is: (1...250).map(String.init), "the lines")
    }
  }

  @Test("channels names each channel on a line of its own")
  func channels() async throws {
    try await withServer { server in
      for name in ["news", "sport", "a-third"] { try server.publish(name, "1") }
      let process = try holdfast(server, "channels")
      try process.expect(code: 0)
      let lines = process.remainingOutput.split(separator: "\n")
      let names = lines.map { String($0.prefix { $0 != " " && $0 != "\t" }) }
      try expect(["a-third", "news", "sport"].allSatisfy(names.contains), "the lines \(lines)")
    }
  }

  @Test("The server may be named by HOLDFAST_SERVER")
  func environment() async throws {
    try await withServer { server in
      let process = try ChildProcess(
        HoldfastBinary.path(), ["publish", "news", "1"], environment: ["HOLDFAST_SERVER": server.url], input: "")
      try process.expect(code: 0)
      try expect(server.data("news"), is: ["1"], "the messages")
    }
  }
}

/// Whether a line tells a person that messages of the channel were missed.
private func tellsGap(_ text: String) -> Bool {
  text.split(separator: "\n").contains { $0.contains("missed") && $0.contains("news") }
}

private func holdfast(_ server: HoldfastProcess, _ arguments: String..., input: String = "") throws -> ChildProcess {
  try ChildProcess(HoldfastBinary.path(), arguments + ["--server", server.url], input: input)
}

extension HoldfastProcess {
  /// The data of all messages of a channel, as JSON without spaces.
  fileprivate func data(_ channel: String) throws -> [String] {
    let messages = try ask("GET /api/history/\(channel)?limit=1000").json()["messages"]?.array ?? []
    return messages.compactMap { $0["data"]?.description }
  }
}

extension ChildProcess {
  fileprivate func expect(code: Int32) throws {
    guard let got = exitCode(within: .seconds(30)) else { throw Failure("it does not end; it said: \(errorText)") }
    guard got == code else { throw Failure("it ended with \(got) instead of \(code); it said: \(errorText)") }
  }

  fileprivate func expectFailure() throws {
    guard let got = exitCode(within: .seconds(30)) else { throw Failure("it does not end; it said: \(errorText)") }
    guard got != 0, !errorText.isEmpty else { throw Failure("it ended with \(got) and said: \(errorText)") }
  }
}
