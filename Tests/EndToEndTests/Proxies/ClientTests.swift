import Glibc
import Testing

extension ProxyTests.Serial {
  @Test(
    "Both clients live through a reload, the death of a node and its return, and are told what that cost",
    arguments: ProxyKind.allCases, Curl.Version.allCases)
  func clients(kind: ProxyKind, version: Curl.Version) async throws {
    try await blocking {
      let first = try trustingNode()
      defer { first.stop() }
      let second = try trustingNode()
      defer { second.stop() }
      let proxy = try Proxy(kind, first: first.port, second: second.port)
      defer { proxy.stop() }
      try proxy.explaining {
        let clients = try ClientPair(proxy, "news", version)
        defer { clients.end() }
        try first.expectHeld("news", 2)
        try clients.publish(1, 2)
        try proxy.reload()
        try clients.publish(3, 4)
        first.process.kill()
        try expect(first.process.exitCode(within: .seconds(5)), is: 128 + SIGKILL, "the exit code")
        try clients.expect(["gap reset"])
        try clients.publish(5, 6)
        let third = try HoldfastProcess(["--trusted-proxies", "127.0.0.1"], port: first.port)
        defer { third.stop() }
        try third.expectHeld("news", 2)
        try clients.expect(["gap reset"])
        try clients.publish(7, 8)
        for (node, held) in [(second, ["5", "6"]), (third, ["7", "8"])] {
          let history = try node.ask("GET /api/history/news").json()["messages"]?.array ?? []
          try expect(history.map { $0["data"]?.scalarText }, is: held, "what is in the log of a node, once each")
        }
      }
    }
  }
}
