import Foundation
import Holdfast
import HoldfastProtocol
import Logging
import NIOCore
import NIOEmbedded
import Synchronization
import Testing

@testable import HoldfastServer

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// The driver on NIO over real sockets. Every wait in here is for a condition, and ends: a disconnect that got lost is to
/// be a failure that says so, not a run that never ends.
@Suite(.serialized, .timeLimit(.minutes(2))) struct NIODriverTests {
  private func withServer(
    threads: Int = 1, holds: HoldLimits = .none, _ body: (Int, Hub, NIODriver) async throws -> Void
  ) async throws {
    var configuration = ServerConfiguration()
    configuration.port = 0
    configuration.threads = threads
    let hub = Hub(limits: holds)
    let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    let driver = try await NIODriver.start(configuration, hub: hub, logger: logger)
    do { try await body(driver.port, hub, driver) } catch {
      await driver.drain(window: .zero, timeout: .zero)
      throw error
    }
    await driver.drain(window: .zero, timeout: .zero)
  }

  private func held(_ hub: Hub, _ count: Int, on channels: [ChannelName] = [.a]) async throws {
    try await becomes(count, "polls held") { channels.reduce(0) { $0 + (hub.channel($1)?.held ?? 0) } }
  }

  private func connections(_ driver: NIODriver, _ count: Int) async throws {
    try await becomes(count, "connections open") { await driver.connectionCount() }
  }

  /// Asks again until `count` has the wanted value; throws the last one if it never has.
  private func becomes(_ wanted: Int, _ what: String, count: () async -> Int) async throws {
    let end = ContinuousClock.now + .seconds(20)
    while true {
      let last = await count()
      if last == wanted { return }
      if ContinuousClock.now > end { throw NeverHappened("\(what): never \(wanted), but \(last) in the end") }
      await Task.yield()
    }
  }

  @Test func `Messages reach 300 polls on two threads from one`() async throws {
    try await withServer(threads: 2) { port, hub, driver in
      let clients = (0..<300).map { _ in Socket(port) }
      let channels = try (0..<10).map { try ChannelName("c\($0)") }
      for (index, client) in clients.enumerated() { client.write(Bench.get("/api/poll/c\(index % 10)?timeout=60")) }
      try await held(hub, 300, on: channels)
      let publisher = Socket(port)
      for index in 0..<10 {
        publisher.write(Bench.post("/api/publish/c\(index)", "\(index)"))
        #expect(publisher.read()?.json["subscribers"] as? Int == 30)
      }
      for (index, client) in clients.enumerated() { #expect(client.read()?.data == ["\(index % 10)"]) }
      #expect(await driver.connectionCount() == 301)
      try await held(hub, 0, on: channels)
    }
  }

  @Test func `A client's FIN or RST while its poll is held frees its place`() async throws {
    try await withServer(holds: HoldLimits(perClientMax: 1, perAddressMax: 1, perChannelMax: 1, totalMax: 1)) {
      port, hub, driver in
      for isReset in [false, true, false, true] {
        let client = Socket(port)
        client.write(Bench.get("/api/poll/a?timeout=60"))
        try await held(hub, 1)
        client.close(isReset: isReset)
        try await held(hub, 0)
      }
      try await connections(driver, 0)
    }
  }

  @Test func `An answer of a megabyte to a client that does not read hurts nobody and arrives whole when it does`()
    async throws
  {
    try await withServer { port, hub, _ in
      let data = "\"" + String(repeating: "x", count: 250_000) + "\""
      for _ in 0..<4 { try await hub.publish(Payload(json: data), to: .a) }
      let slow = Socket(port, receiveBuffer: 4096)
      slow.write(Bench.get("/api/poll/a?cursor=earliest") + Bench.get("/healthz"))
      let other = Socket(port)
      let b = try ChannelName("b")
      other.write(Bench.get("/api/poll/b?timeout=60"))
      try await held(hub, 1, on: [b])
      try await hub.publish(Payload(json: "1"), to: b)
      #expect(other.read()?.data == ["1"])
      let answer = slow.read()
      #expect(answer?.data == Array(repeating: data, count: 4))
      #expect(slow.read()?.kind == "ok")
      slow.write(Bench.get("/readyz"))
      #expect(slow.read()?.kind == "ready", "it is read from again")
    }
  }

  @Test func `A client that reads as fast as it can gets large answers one after the other`() async throws {
    try await withServer { port, hub, _ in
      let data = "\"" + String(repeating: "x", count: 250_000) + "\""
      for _ in 0..<4 { try await hub.publish(Payload(json: data), to: .a) }
      let reader = Socket(port)
      for _ in 0..<100 {
        reader.write(Bench.get("/api/poll/a?cursor=earliest"))
        let answer = reader.read()
        if answer?.body.count ?? 0 < 1_000_000 {
          Issue.record("the connection is not read from any more")
          return
        }
      }
    }
  }

  @Test func `A client that goes away in the middle of a large answer leaves nothing behind`() async throws {
    try await withServer { port, hub, driver in
      let data = "\"" + String(repeating: "x", count: 250_000) + "\""
      for _ in 0..<4 { try await hub.publish(Payload(json: data), to: .a) }
      for isReset in [false, true] {
        for _ in 0..<20 {
          let client = Socket(port, receiveBuffer: 4096)
          client.write(Bench.get("/api/poll/a?cursor=earliest"))
          client.readSome()
          client.close(isReset: isReset)
        }
      }
      let client = Socket(port)
      client.write(Bench.get("/healthz"))
      #expect(client.read()?.kind == "ok")
      try await connections(driver, 1)
    }
  }

  @Test func `A drained server answers what is held, says close, and ends when its clients have`() async throws {
    var configuration = ServerConfiguration()
    configuration.port = 0
    let hub = Hub(limits: .none)
    let driver = try await NIODriver.start(
      configuration, hub: hub, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    let clients = (0..<20).map { _ in Socket(driver.port) }
    for client in clients { client.write(Bench.get("/api/poll/a?timeout=60")) }
    try await held(hub, 20)
    async let end: Void = driver.drain(window: .milliseconds(200), timeout: .seconds(60))
    for client in clients {
      let answer = client.read()
      #expect(answer?.kind == "timeout" && answer?.fields["connection"] == "close")
      #expect(client.read() == nil, "then the connection ends")
      client.close(isReset: false)
    }
    await end
    #expect(hub.channels().isEmpty)
  }

  @Test func `A channel that takes an answer while it is being written is read from afterwards`() throws {
    let channel = EmbeddedChannel()
    let hub = Hub(limits: .none)
    let settings = LoopSettings(ServerConfiguration(), logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    let loop = NIOLoop(eventLoop: channel.eventLoop, settings: settings, hub: hub)
    try channel.pipeline.syncOperations.addHandler(
      ConnectionHandler(loop, ConnectionBudget(files: 1000, perAddressMax: .max, trustedProxies: [])))
    channel.pipeline.fireChannelActive()
    for _ in 0..<3 {
      try channel.writeInbound(ByteBuffer(bytes: Bench.get("/healthz") + Bench.get("/readyz")))
      var sent: [UInt8] = []
      while let buffer = try channel.readOutbound(as: ByteBuffer.self) { sent += buffer.readableBytesView }
      #expect(Response.read(sent)?.map(\.kind) == ["ok", "ready"])
      let reads = channel.options.first { $0.option is ChannelOptions.Types.AutoReadOption }?.value as? Bool
      #expect(reads == true)
    }
    channel.pipeline.fireChannelInactive()
    #expect(loop.openCount == 0)
    loop.stop()
  }

  @Test func `A connection is clear when all that was kept for it has been sent, not the first of it`() {
    var transport = NIOTransport()
    let channel = EmbeddedChannel()
    let token = transport.add(channel, socket: nil)
    for byte: UInt8 in [1, 2] { if transport.send([byte], to: token) { Issue.record("it has no socket to take it") } }
    let clear = [transport.cleared(token, socket: nil), transport.cleared(token, socket: nil)]
    #expect(clear == [false, true])
    let actions = transport.takeActions()
    #expect(actions.count == 2)
  }

  @Test func `What was left to do for a connection is not done to the next of its token`() {
    var transport = NIOTransport()
    let gone = transport.add(EmbeddedChannel(), socket: nil)
    transport.close(gone)
    transport.remove(gone)
    let next = transport.add(EmbeddedChannel(), socket: nil)
    let actions = transport.takeActions()
    #expect(next == gone && actions.isEmpty)
  }

  @Test func `A server that cannot listen leaves nothing behind in its hub`() async throws {
    try await withServer { port, hub, _ in
      var configuration = ServerConfiguration()
      configuration.port = port
      let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
      for _ in 0..<70 {
        await #expect(throws: (any Error).self) { try await NIODriver.start(configuration, hub: hub, logger: logger) }
      }
    }
  }

  @Test func `A server whose task is cancelled ends at once, whoever is connected`() async throws {
    var configuration = ServerConfiguration()
    configuration.port = 0
    configuration.shutdownTimeout = .seconds(3600)
    let hub = Hub(limits: .none)
    let (ports, told) = AsyncStream.makeStream(of: Int.self)
    let server = Server(
      configuration: configuration, hub: hub, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    ) { told.yield($0) }
    let ends = Mutex(0)
    let task = Task {
      defer { ends.withLock { $0 += 1 } }
      try await server.run()
    }
    for await port in ports {
      let client = Socket(port)
      client.write(Bench.get("/api/poll/a?timeout=60"))
      try await held(hub, 1)
      task.cancel()
      try await becomes(1, "servers ended") { ends.withLock { $0 } }
      try await task.value
      #expect(hub.channels().isEmpty)
      break
    }
  }

  @Test func `Open connections are limited in all and from one address, and a proxy's are not counted by address`()
    throws
  {
    let one = try #require(Address("192.0.2.1"))
    let other = try #require(Address("192.0.2.2"))
    let proxy = try #require(Address("10.0.0.1"))
    let proxies = ["10.0.0.0/8"].compactMap { AddressRange($0) }
    let budget = ConnectionBudget(files: 64 + 10, perAddressMax: 2, trustedProxies: proxies)
    for _ in 0..<4 { #expect(budget.take(one) == nil) }
    #expect(budget.take(one) == .addressAtCapacity && budget.take(other) == nil)
    for _ in 0..<5 { #expect(budget.take(proxy) == nil) }
    #expect(budget.take(proxy) == .serverAtCapacity && budget.take(other) == .serverAtCapacity)
    budget.giveBack(one)
    #expect(budget.take(one) == nil)
    let half = ConnectionBudget(files: 64 + 10, perAddressMax: 1000, trustedProxies: [])
    for _ in 0..<5 { #expect(half.take(one) == nil) }
    #expect(half.take(one) == .addressAtCapacity && half.take(other) == nil)
    let unlimited = ConnectionBudget(files: 64 + 10, perAddressMax: .max, trustedProxies: [])
    for _ in 0..<10 { #expect(unlimited.take(one) == nil) }
  }

  @Test func `A hub outlives any number of its servers`() async throws {
    var configuration = ServerConfiguration()
    configuration.port = 0
    let hub = Hub(limits: .none)
    let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    // More than a hub has places for loops.
    for _ in 0..<70 {
      let driver = try await NIODriver.start(configuration, hub: hub, logger: logger)
      await driver.drain(window: .zero, timeout: .zero)
    }
  }
}

/// What a test waited for in vain.
private struct NeverHappened: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}

/// A client's socket that blocks.
private final class Socket: Sendable {
  private let descriptor: CInt
  private let input = Mutex<[UInt8]>([])

  init(_ port: Int, receiveBuffer: CInt? = nil) {
    descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
    if var size = receiveBuffer {
      setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<CInt>.size))
    }
    // So that a missing answer is a failure and not a test that never ends.
    var patience = timeval(tv_sec: 20, tv_usec: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    let result = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    precondition(result == 0, "connect: \(errno)")
  }

  deinit { close(isReset: false) }

  private let isClosed = Mutex(false)

  func close(isReset: Bool) {
    if isClosed.withLock({ closed in
      defer { closed = true }; return closed
    }) {
      return
    }
    if isReset {
      var linger = linger(l_onoff: 1, l_linger: 0)
      setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<Glibc.linger>.size))
    }
    _ = Glibc.close(descriptor)
  }

  func write(_ bytes: [UInt8]) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL)) }
      precondition(count > 0, "send: \(errno)")
      rest = rest.dropFirst(count)
    }
  }

  /// False at the end.
  @discardableResult func readSome() -> Bool {
    var buffer = [UInt8](repeating: 0, count: 64 << 10)
    let count = buffer.withUnsafeMutableBytes { recv(descriptor, $0.baseAddress, $0.count, 0) }
    if count > 0 { input.withLock { $0 += buffer[..<count] } }
    return count > 0
  }

  /// The next answer; nil where the connection ends first.
  func read() -> Response? {
    while true {
      let response: Response? = input.withLock { input in
        guard let end = input.firstRange(of: Array("\r\n\r\n".utf8)) else { return nil }
        let head = Array(input[..<end.upperBound]).text
        let count = head.firstMatch(of: /Content-Length: ([0-9]+)/).flatMap { Int($0.1) } ?? 0
        let length = end.upperBound + count
        if input.count < length { return nil }
        defer { input.removeFirst(length) }
        return Response.read(Array(input[..<length]))?.first
      }
      if let response { return response }
      if !readSome() { return nil }
    }
  }
}
