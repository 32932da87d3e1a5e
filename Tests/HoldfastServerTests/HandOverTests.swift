import Foundation
import Holdfast
import HoldfastProtocol
import Testing

@testable import HoldfastServer

/// What asks for more than HTTP/1.1, on each driver. The epoll driver leaves it to NIO, which is not to be seen from outside.
@Suite(.serialized, .timeLimit(.minutes(10))) struct HandOverTests {
  static let upgrade = Bench.get("/api/channels", ["Connection: Upgrade, keep-alive", "Upgrade: websocket"])
  static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

  /// Waits until NIO has so many connections beside the reactors, if there is anything but NIO.
  private func handedOver(_ driver: any ServerDriver, _ count: Int) async throws {
    #if os(Linux)
      guard let driver = driver as? EpollDriver else { return }
      try await becomes(count, "connections handed over") { await driver.annex.connectionCount() }
    #endif
  }

  @Test(arguments: ServerConfiguration.Driver.all)
  func `An upgrade that is not known here is ignored, wherever it is cut, and the connection goes on`(
    kind: ServerConfiguration.Driver
  ) async throws {
    try await withDriver(kind) { port, _, driver in
      let stream = Self.upgrade + Bench.get("/healthz")
      for cut in 0..<stream.count {
        let client = Socket(port)
        client.write(Array(stream[..<cut]))
        if cut > 0 { await Task.yield() }
        client.write(Array(stream[cut...]))
        #expect(client.read()?.json["channels"] != nil, "cut at \(cut)")
        #expect(client.read()?.kind == "ok", "cut at \(cut)")
        client.write(Bench.get("/readyz"))
        #expect(client.read()?.kind == "ready", "cut at \(cut)")
        try await connections(driver, 1)
        try await handedOver(driver, 1)
        client.close(isReset: false)
        try await connections(driver, 0)
      }
    }
  }

  @Test(arguments: ServerConfiguration.Driver.all)
  func `HTTP/2's preface is refused with 505 until there is HTTP/2, wherever it is cut`(
    kind: ServerConfiguration.Driver
  ) async throws {
    try await withDriver(kind) { port, _, driver in
      for cut in 0..<Self.preface.count {
        let client = Socket(port)
        client.write(Array(Self.preface[..<cut]))
        if cut > 0 { await Task.yield() }
        client.write(Array(Self.preface[cut...]))
        #expect(client.read()?.status == 505, "cut at \(cut)")
        try await handedOver(driver, 1)
        #expect(client.read() == nil)
        client.close(isReset: false)
        try await connections(driver, 0)
      }
    }
  }

  @Test(arguments: ServerConfiguration.Driver.all)
  func `A preface behind a request, and an upgrade with a body, by HTTP/1.0 or before a close, are nobody else's`(
    kind: ServerConfiguration.Driver
  ) async throws {
    try await withDriver(kind) { port, _, driver in
      let streams: [([UInt8], [Int])] = [
        (Bench.get("/healthz") + Self.preface, [200, 505]),
        (Bench.post("/api/publish/a", "1", ["Connection: upgrade", "Upgrade: h2c"]), [200]),
        (http("GET /healthz HTTP/1.0", "Connection: upgrade", "Upgrade: h2c"), [200]),
        (Bench.get("/healthz", ["Connection: upgrade, close", "Upgrade: h2c"]), [200]),
        (Bench.get("/healthz", ["Connection: upgrade"]), [200]),
        (Bench.get("/healthz", ["Upgrade: h2c"]), [200]),
      ]
      for (stream, statuses) in streams {
        let client = Socket(port)
        client.write(stream)
        for status in statuses { #expect(client.read()?.status == status, "\(stream.text)") }
        try await handedOver(driver, 0)
      }
    }
  }

  @Test(arguments: ServerConfiguration.Driver.all)
  func `An upgrade behind held polls waits its turn, with all that comes behind it`(
    kind: ServerConfiguration.Driver
  ) async throws {
    try await withDriver(kind) { port, hub, driver in
      let b = try ChannelName("b")
      let client = Socket(port)
      client.write(Bench.get("/api/poll/a?timeout=60") + Bench.get("/api/poll/b?timeout=60") + Self.upgrade)
      client.write(Bench.get("/healthz"))
      try await held(hub, 1)
      client.write(Bench.get("/readyz"))
      try await hub.publish(Payload(json: "1"), to: .a)
      #expect(client.read()?.data == ["1"])
      try await held(hub, 1, on: [b])
      try await handedOver(driver, 0)
      try await hub.publish(Payload(json: "2"), to: b)
      #expect(client.read()?.data == ["2"])
      #expect(client.read()?.json["channels"] != nil)
      #expect(client.read()?.kind == "ok" && client.read()?.kind == "ready")
      try await handedOver(driver, 1)
      client.write(Bench.get("/api/poll/a?timeout=60"))
      try await held(hub, 1)
      try await hub.publish(Payload(json: "3"), to: .a)
      #expect(client.read()?.data == ["3"], "it is served there like any other")
    }
  }

  @Test(arguments: ServerConfiguration.Driver.all)
  func `More than may wait behind a held poll makes that be answered early, an upgrade before it or not`(
    kind: ServerConfiguration.Driver
  ) async throws {
    try await withDriver(kind) { port, hub, _ in
      let client = Socket(port)
      client.write(Bench.get("/api/poll/a?timeout=60") + Self.upgrade)
      try await held(hub, 1)
      let count = RequestQueue.bytesMax / Bench.get("/healthz").count + 1
      client.write(Array(repeatElement(Bench.get("/healthz"), count: count).joined()))
      #expect(client.read()?.kind == "timeout")
      #expect(client.read()?.json["channels"] != nil)
      for _ in 0..<count { #expect(client.read()?.kind == "ok") }
    }
  }

  @Test(arguments: ServerConfiguration.Driver.all)
  func `A connection that was handed over counts once, and gives its place back`(
    kind: ServerConfiguration.Driver
  ) async throws {
    // Of one address there may be twice as many connections as held polls.
    let holds = HoldLimits(perClientMax: 9, perAddressMax: 1, perChannelMax: 9, totalMax: 9)
    try await withDriver(kind, configure: { $0.holds = holds }) { port, _, driver in
      for _ in 0..<10 {
        let clients = [Socket(port), Socket(port)]
        for client in clients {
          client.write(Self.upgrade)
          #expect(client.read()?.status == 200)
        }
        try await connections(driver, 2)
        #expect(Socket(port).read()?.kind == "address_at_capacity")
        for (index, client) in clients.enumerated() { client.close(isReset: index == 0) }
        try await connections(driver, 0)
      }
    }
  }

  @Test(arguments: ServerConfiguration.Driver.all)
  func `A drained server answers what was handed over too`(kind: ServerConfiguration.Driver) async throws {
    var configuration = ServerConfiguration()
    configuration.driver = kind
    configuration.port = 0
    let hub = Hub(limits: .none)
    let driver = try await configuration.startDriver(hub: hub, logger: noLogger)
    let clients = (0..<10).map { _ in Socket(driver.port) }
    for (index, client) in clients.enumerated() {
      client.write((index % 2 == 0 ? Self.upgrade : []) + Bench.get("/api/poll/a?timeout=60"))
    }
    try await held(hub, 10)
    async let end: Void = driver.drain(window: .milliseconds(200), timeout: .seconds(60))
    for (index, client) in clients.enumerated() {
      if index % 2 == 0 { #expect(client.read()?.status == 200) }
      let answer = client.read()
      #expect(answer?.kind == "timeout" && answer?.fields["connection"] == "close")
      #expect(client.read() == nil)
      client.close(isReset: false)
    }
    await end
  }
}
