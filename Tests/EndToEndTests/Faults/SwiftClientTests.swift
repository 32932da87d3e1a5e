import Glibc
import HoldfastClient
import Synchronization
import Testing

extension FaultTests {
  /// `HoldfastClient` with the built server: what its scripted cases, which have no network, cannot show.
  @Suite("The Swift client")
  struct SwiftClient {
    @Test("Killed and started again, the server is found again, and the client tells the gap before what is new")
    func restart() async throws {
      try await blocking {
        let first = try HoldfastProcess([])
        let watched = Watched()
        let follower = try Follower(
          client(first.url).subscribe(to: "news", from: .earliest, onNotice: { watched.note($0) }))
        try first.publish("news", "1")
        try follower.expect(["1"])
        try first.expectHeld("news", 1)
        first.process.kill()
        try expect(first.process.exitCode(within: .seconds(10)), is: 137, "the killed server's code")
        let second = try HoldfastProcess([], port: first.port)
        defer { second.stop() }
        try second.publish("news", "2")
        try follower.expect(["1", "gap reset", "2"])
        try expect(watched.connections, is: ["connected", "unreachable", "connected"], "the connections")
      }
    }

    @Test("A thousand messages in bursts through connections that break: none lost, none twice", arguments: 1...3)
    func bursts(seed: UInt64) async throws {
      try await withServer { server in
        let proxy = try CuttingProxy(to: server.port, seed: seed, bytesMax: 40_000)
        proxy.start()
        defer { proxy.stop() }
        let follower = try Follower(client(proxy.url).subscribe(to: ["news"], from: .earliest))
        let messages = (0..<1000).map { "\($0)" }
        var rest = messages[...]
        for count in [1, 7, 150, 2, 300, 40, 500] {
          try server.publishAll("news", Array(rest.prefix(count)))
          rest = rest.dropFirst(count)
          try follower.expect(Array(messages.prefix(messages.count - rest.count)))
        }
        try expect(proxy.cuts > 0, "no connection was cut")
      }
    }

    @Test("Published through connections that break, each message is there once, in order", arguments: 1...3)
    func publishes(seed: UInt64) async throws {
      try await withServer { server in
        let proxy = try CuttingProxy(to: server.port, seed: seed, bytesMax: 3000)
        proxy.start()
        defer { proxy.stop() }
        let publisher = try client(proxy.url)
        let follower = try Follower(client(server.url).subscribe(to: "news", from: .earliest))
        let task = Task {
          for number in 0..<300 { try await publisher.publish(number, to: "news") }
        }
        defer { task.cancel() }
        try follower.expect((0..<300).map { "\($0)" })
        try expect(proxy.cuts > 0, "no connection was cut")
        try expect(server.ask("GET /api/history/news?limit=1000").json()["count"]?.integer, is: 300, "the messages")
      }
    }

    @Test("Cancelling and stopping end the request: the server has no waiter any more", arguments: [false, true])
    func cancelling(byStop: Bool) async throws {
      try await withServer { server in
        let subscription = try client(server.url).subscribe(to: ["news", "other"])
        let follower = Follower(subscription)
        try server.expectHeld("news", 1)
        try server.expectHeld("other", 1)
        if byStop { subscription.stop() } else { follower.cancel() }
        try server.expectHeld("news", 0)
        try server.expectHeld("other", 0)
        try follower.expectEnd()
        try expect(subscription.state, is: .stopped, "the state")
      }
    }

    @Test("Iterated and stopped a hundred times from two threads, it holds one poll at the end, and none before a stop")
    func manyStarts() async throws {
      try await withServer { server in
        let subscription = try client(server.url).subscribe(to: "news")
        for round in 0..<100 {
          let follower = Follower(subscription)
          if round % 3 == 0 { try server.expectHeld("news", 1) }
          if round % 2 == 0 {
            // A stop before the start would end nothing.
            try eventually("the start") {
              subscription.state
            } until: {
              $0 != .stopped
            }
            subscription.stop()
          } else {
            follower.cancel()
          }
          try follower.expectEnd()
        }
        try server.expectHeld("news", 0)
        let last = [Follower(subscription), Follower(subscription)]
        try server.expectHeld("news", 1)
        try server.publish("news", "1")
        try eventually("the message, for one of the two") {
          last.map(\.events)
        } until: {
          $0.flatMap(\.self) == ["1"]
        }
        try server.expectHeld("news", 1)
      }
    }

    @Test("A consumer that is busy holds no poll, and gets what came meanwhile")
    func backpressure() async throws {
      try await withServer { server in
        let gate = AsyncStream<Void>.makeStream()
        let follower = try Follower(client(server.url).subscribe(to: "news"), after: gate.stream)
        try server.expectHeld("news", 1)
        try server.publish("news", "1")
        try follower.expect(["1"])
        try server.publishAll("news", ["2", "3"])
        try expect(server.held("news"), is: 0, "polls while the consumer is busy")
        try follower.expect(["1"])
        gate.continuation.finish()
        try follower.expect(["1", "2", "3"])
        try server.expectHeld("news", 1)
      }
    }

    @Test("A subscription that is iterated again goes on, and so does another process with the cursor that was kept")
    func resuming() async throws {
      try await withServer { server in
        let path = "/tmp/holdfast-cursor-\(getpid())-\(server.port)"
        defer { unlink(path) }
        let subscription = try client(server.url).subscribe(
          to: ["a", "b"], from: .earliest, store: FileCursorStore(path: path))
        let first = Follower(subscription)
        try server.publish("a", "1")
        try server.publish("b", "2")
        try first.expect(["1", "2"])
        try server.expectHeld("b", 1)
        first.cancel()
        try first.expectEnd()
        try server.publish("b", "3")
        let again = Follower(subscription)
        try again.expect(["3"])
        try server.expectHeld("a", 1)
        again.cancel()
        try again.expectEnd()
        try server.publish("a", "4")
        let later = try client(server.url).subscribe(
          to: ["a", "b"], from: .earliest, store: FileCursorStore(path: path))
        try Follower(later).expect(["4"])
        try expect(readFile(path) != "", "an empty file")
      }
    }

    @Test("A refusal ends the sequence with the problem's code")
    func refusal() async throws {
      try await withServer { server in
        let follower = try Follower(client(server.url).subscribe(to: "not a name"))
        try follower.expectEnd()
        try expect(follower.error?.code.rawValue, is: "channel_invalid", "the code")
        try expect(follower.error?.status, is: 400, "the status")
      }
    }
  }
}

/// A client that does not wait for long.
private func client(_ url: String) throws -> HoldfastClient {
  var configuration = HoldfastClient.Configuration()
  configuration.retryDelayMin = .milliseconds(10)
  configuration.retryDelayMax = .milliseconds(100)
  return try HoldfastClient(server: url, configuration: configuration)
}

/// The connections that a subscription made and lost.
private final class Watched: Sendable {
  private let notices = Mutex<[String]>([])

  var connections: [String] { notices.withLock { $0 } }

  func note(_ notice: Subscription.Notice) {
    switch notice {
    case .connected: notices.withLock { $0.append("connected") }
    case .disconnected(let error, _): notices.withLock { $0.append("\(error.code)") }
    case .error(let error): notices.withLock { $0.append("\(error.code)") }
    case .state: break
    }
  }
}
