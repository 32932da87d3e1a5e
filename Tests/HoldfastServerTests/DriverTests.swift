import Foundation
import Holdfast
import HoldfastProtocol
import Logging
import Synchronization
import Testing

@testable import HoldfastServer

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Any driver over real sockets: what is said here holds for each of them. Every wait is for a condition, and ends: a
/// disconnect that got lost is to be a failure that says so, not a run that never ends.
@Suite(.serialized, .timeLimit(.minutes(10))) struct DriverTests {
  @Test(arguments: ServerConfiguration.Driver.all) func `Messages reach 300 polls on two threads from one`(
    kind: ServerConfiguration.Driver
  ) async throws {
    try await withDriver(kind, threads: 2) { port, hub, driver in
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

  @Test(arguments: ServerConfiguration.Driver.all)
  func `What is published by a request that a tick answers is delivered at once, and not with the next tick`(
    kind: ServerConfiguration.Driver
  ) async throws {
    try await withDriver(kind) { port, hub, _ in
      let (a, b) = (try ChannelName("a"), try ChannelName("b"))
      var shortest = Duration.seconds(60)
      // However busy the machine is, a tick would lie between in each of ten rounds.
      for _ in 0..<10 {
        let crowd = (0..<20).map { _ in Socket(port) }
        for client in crowd { client.write(Bench.get("/api/poll/b?timeout=60")) }
        try await held(hub, 20, on: [b])
        let publisher = Socket(port)
        publisher.write(Bench.get("/api/poll/a?timeout=0.1") + Bench.post("/api/publish/b", "1"))
        try await held(hub, 1, on: [a])
        #expect(publisher.read()?.kind == "timeout" && publisher.read()?.kind == "published")
        let told = ContinuousClock.now
        for client in crowd { #expect(client.read()?.data == ["1"]) }
        shortest = min(shortest, ContinuousClock.now - told)
      }
      #expect(shortest < .milliseconds(60))
    }
  }

  @Test(arguments: ServerConfiguration.Driver.all) func `A client's FIN or RST while its poll is held frees its place`(
    kind: ServerConfiguration.Driver
  ) async throws {
    try await withDriver(kind, holds: HoldLimits(perClientMax: 1, perAddressMax: 1, perChannelMax: 1, totalMax: 1)) {
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

  @Test(arguments: ServerConfiguration.Driver.all)
  func `No wake-up between two threads is lost, whichever of poll and publish comes first`(
    kind: ServerConfiguration.Driver
  ) async throws {
    try await withDriver(kind, threads: 2) { port, _, _ in
      let polling = (0..<20).map { _ in Socket(port) }
      let publishing = (0..<20).map { _ in Socket(port) }
      for round in 0..<50 {
        for index in polling.indices {
          let poll = Bench.get("/api/poll/c\(round)-\(index)?timeout=60&cursor=earliest")
          let publish = Bench.post("/api/publish/c\(round)-\(index)", "\(round)")
          if (round + index) % 2 == 0 {
            polling[index].write(poll)
            publishing[index].write(publish)
          } else {
            publishing[index].write(publish)
            polling[index].write(poll)
          }
        }
        for index in polling.indices {
          #expect(polling[index].read()?.data == ["\(round)"])
          #expect(publishing[index].read()?.kind == "published")
        }
      }
    }
  }

  @Test(arguments: ServerConfiguration.Driver.all)
  func `Connections that come and go never get each other's answers, nor leave anything behind`(
    kind: ServerConfiguration.Driver
  ) async throws {
    try await withDriver(kind, threads: 2) { port, hub, driver in
      var random = SeededGenerator(testSeed)
      for round in 0..<60 {
        // Of ten, some leave before their answers, so that descriptors are used again while answers are under way.
        let clients = (0..<10).map { _ in Socket(port) }
        for (index, client) in clients.enumerated() {
          client.write(Bench.post("/api/publish/r\(round)c\(index)", "\(round * 10 + index)"))
          client.write(Bench.get("/api/poll/r\(round)c\(index)?cursor=earliest&timeout=60"))
          if random.below(3) == 0 { client.close(isReset: random.below(2) == 0) }
        }
        for (index, client) in clients.enumerated() where !client.isClosed {
          #expect(client.read()?.json["channel"] as? String == "r\(round)c\(index)")
          #expect(client.read()?.data == ["\(round * 10 + index)"])
          client.close(isReset: random.below(2) == 0)
        }
      }
      try await connections(driver, 0)
      try await held(hub, 0, on: hub.channels(limit: 1000))
    }
  }

  @Test(arguments: ServerConfiguration.Driver.all)
  func `A short time-out behind a long one is kept`(kind: ServerConfiguration.Driver) async throws {
    try await withDriver(kind) { port, hub, _ in
      let client = Socket(port)
      for round in 0..<3 {
        client.write(Bench.get("/api/poll/a?timeout=60"))
        try await held(hub, 1)
        try await hub.publish(Payload(json: "\(round)"), to: .a)
        #expect(client.read()?.data == ["\(round)"])
        client.write(Bench.get("/api/poll/a?timeout=0.2"))
        #expect(client.read()?.kind == "timeout", "within the patience of this client, a third of the long one")
      }
    }
  }

  #if os(Linux)
    @Test(arguments: ServerConfiguration.Driver.all)
    func `The system is asked to notice a client that has gone without a word`(
      kind: ServerConfiguration.Driver
    ) async throws {
      try await withDriver(kind) { port, _, _ in
        let client = Socket(port)
        client.write(Bench.get("/healthz"))
        #expect(client.read()?.kind == "ok")
        let descriptorsMax = CInt(clamping: min(sysconf(CInt(_SC_OPEN_MAX)), 1 << 20))
        let options = (0..<descriptorsMax).filter {
          Socket.port(of: $0) == port && Socket.port(of: $0, isPeer: true) == client.port
        }
        .map { socket in
          [
            (SOL_SOCKET, SO_KEEPALIVE), (CInt(IPPROTO_TCP), TCP_KEEPIDLE), (CInt(IPPROTO_TCP), TCP_KEEPINTVL),
            (CInt(IPPROTO_TCP), TCP_KEEPCNT),
            (CInt(IPPROTO_TCP), TCP_USER_TIMEOUT), (CInt(IPPROTO_TCP), TCP_NODELAY),
          ].map { Socket.option($0, $1, of: socket) }
        }
        #expect(options == [[1, 60, 15, 4, 120_000, 1]])
      }
    }
  #endif

  @Test(arguments: ServerConfiguration.Driver.all)
  func `An answer of a megabyte to a client that does not read hurts nobody and arrives whole when it does`(
    kind: ServerConfiguration.Driver
  ) async throws {
    try await withDriver(kind) { port, hub, _ in
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

  /// Channels with answers of a megabyte, each its own.
  private func fill(_ hub: Hub, _ count: Int) async throws {
    for index in 0..<count {
      let data = "\"" + String(repeating: "\(index % 10)", count: 250_000) + "\""
      for _ in 0..<4 { try await hub.publish(Payload(json: data), to: ChannelName("big\(index)")) }
    }
  }

  /// As many answers of a megabyte as no kernel takes for a client that does not read.
  private static let bigCount = 8

  private func beyondTheKernel(_ index: Int) -> [UInt8] {
    Array(repeatElement(Bench.get("/api/poll/big\(index)?cursor=earliest"), count: Self.bigCount).joined())
  }

  /// Returns when a driver of one thread, and what is beside it, has dealt with what clients did before: another's requests
  /// are answered after that.
  private func settle(_ asking: [Socket]) {
    for _ in 0..<3 {
      for client in asking {
        client.write(Bench.get("/healthz"))
        #expect(client.read()?.kind == "ok")
      }
    }
  }

  /// Two clients, one of which was handed over where there is a driver beside.
  private func asking(_ port: Int) -> [Socket] {
    let clients = [Socket(port), Socket(port)]
    clients[1].write(HandOverTests.upgrade)
    #expect(clients[1].read()?.status == 200)
    return clients
  }

  @Test(arguments: ServerConfiguration.Driver.all)
  func `A client that ends its side while it is being answered gets that whole, and what else it asked, and the end`(
    kind: ServerConfiguration.Driver
  ) async throws {
    try await withDriver(kind) { port, hub, driver in
      try await fill(hub, 1)
      let asking = asking(port)
      for upgrade in [[], HandOverTests.upgrade] {
        for isAtOnce in [true, false] {
          let client = Socket(port, receiveBuffer: 4096)
          client.write(upgrade + beyondTheKernel(0) + Bench.get("/healthz"))
          if !isAtOnce { settle(asking) }
          client.endOutput()
          settle(asking)
          if !upgrade.isEmpty { #expect(client.read()?.status == 200) }
          for number in 0..<Self.bigCount { #expect(client.read()?.body.count ?? 0 > 1_000_000, "\(number)") }
          #expect(client.read()?.kind == "ok")
          #expect(client.read() == nil)
          try await connections(driver, asking.count)
        }
      }
    }
  }

  @Test(arguments: ServerConfiguration.Driver.all)
  func `A client that sends a request and ends its side is answered where that needs no wait`(
    kind: ServerConfiguration.Driver
  ) async throws {
    try await withDriver(kind) { port, hub, driver in
      try await fill(hub, 1)
      for (request, kind) in [
        (Bench.post("/api/publish/a", "1"), "published"), (Bench.get("/api/history/a"), "messages"),
        (Bench.get("/api/poll/b?timeout=0"), "timeout"), (Bench.get("/api/poll/a?cursor=earliest"), "messages"),
        (Bench.get("/api/history/big0"), "messages"), (Bench.get("/none"), "404"),
      ] {
        let client = Socket(port, receiveBuffer: 4096)
        client.write(request)
        client.endOutput()
        let answer = client.read()
        #expect(answer?.kind == kind || "\(answer?.status ?? 0)" == kind, "\(request.text)")
        #expect(client.read() == nil)
      }
      try await connections(driver, 0)
    }
  }

  @Test(arguments: ServerConfiguration.Driver.all)
  func `A poll that would be held ends a connection whose client has ended its side, behind another answer too`(
    kind: ServerConfiguration.Driver
  ) async throws {
    try await withDriver(kind) { port, hub, driver in
      try await fill(hub, 1)
      let asking = asking(port)
      for upgrade in [[], HandOverTests.upgrade] {
        for isBehind in [false, true] {
          let client = Socket(port, receiveBuffer: 4096)
          client.write(upgrade)
          if isBehind { client.write(beyondTheKernel(0)) }
          client.write(Bench.get("/api/poll/a?timeout=60") + Bench.get("/healthz"))
          client.endOutput()
          settle(asking)
          if !upgrade.isEmpty { #expect(client.read()?.status == 200) }
          for _ in 0..<(isBehind ? Self.bigCount : 0) { #expect(client.read()?.body.count ?? 0 > 1_000_000) }
          #expect(client.read() == nil)
          try await held(hub, 0)
          try await connections(driver, asking.count)
        }
      }
    }
  }

  @Test(arguments: ServerConfiguration.Driver.all)
  func `A client that ends its side and never reads is closed after the time for taking an answer`(
    kind: ServerConfiguration.Driver
  ) async throws {
    try await withDriver(kind, configure: { $0.sendTimeout = .milliseconds(300) }) { port, hub, driver in
      try await fill(hub, 1)
      let clients = [[], HandOverTests.upgrade].map { upgrade in
        let client = Socket(port, receiveBuffer: 4096)
        client.write(upgrade + beyondTheKernel(0))
        client.endOutput()
        return client
      }
      try await connections(driver, 0)
      withExtendedLifetime(clients) {}
    }
  }

  @Test(arguments: ServerConfiguration.Driver.all)
  func `What is kept for slow clients is bounded, and beyond that those are given up who have been taking the longest`(
    kind: ServerConfiguration.Driver
  ) async throws {
    try await withDriver(kind, configure: { $0.backlogBytesMax = 4 << 20 }) { port, hub, driver in
      try await fill(hub, 12)
      let asking = asking(port)
      for upgrade in [[], HandOverTests.upgrade] {
        let clients = (0..<12).map { index in
          let client = Socket(port, receiveBuffer: 4096)
          client.write(upgrade + beyondTheKernel(index))
          return client
        }
        settle(asking)
        let whole = clients.indices.filter { index in
          if !upgrade.isEmpty { #expect(clients[index].read()?.status == 200) }
          return (0..<Self.bigCount).allSatisfy { _ in clients[index].read() != nil }
        }
        #expect(whole.last == 11 && whole == Array((whole.first ?? 0)...11), "\(whole)")
        #expect(whole.count < 5 && whole.count > 1, "a megabyte each is kept, \(whole) arrived")
        for client in clients { client.close(isReset: false) }
        try await connections(driver, asking.count)
      }
    }
  }

  @Test(arguments: ServerConfiguration.Driver.all)
  func `A client that reads as fast as it can gets large answers one after the other`(kind: ServerConfiguration.Driver)
    async throws
  {
    try await withDriver(kind) { port, hub, _ in
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

  @Test(arguments: ServerConfiguration.Driver.all)
  func `A client that goes away in the middle of a large answer leaves nothing behind`(kind: ServerConfiguration.Driver)
    async throws
  {
    try await withDriver(kind) { port, hub, driver in
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

  @Test(arguments: ServerConfiguration.Driver.all)
  func `A drained server answers what is held, says close, and ends when its clients have`(
    kind: ServerConfiguration.Driver
  ) async throws {
    var configuration = ServerConfiguration()
    configuration.driver = kind
    configuration.port = 0
    let hub = Hub(limits: .none)
    let driver = try await configuration.startDriver(hub: hub, logger: noLogger)
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

  @Test(arguments: ServerConfiguration.Driver.all) func `A server that cannot listen leaves nothing behind in its hub`(
    kind: ServerConfiguration.Driver
  ) async throws {
    try await withDriver(kind) { port, hub, _ in
      var configuration = ServerConfiguration()
      configuration.driver = kind
      configuration.port = port
      for _ in 0..<70 {
        await #expect(throws: (any Error).self) { try await configuration.startDriver(hub: hub, logger: noLogger) }
      }
    }
  }

  @Test(arguments: ServerConfiguration.Driver.all)
  func `A server whose task is cancelled ends at once, whoever is connected`(kind: ServerConfiguration.Driver)
    async throws
  {
    var configuration = ServerConfiguration()
    configuration.driver = kind
    configuration.port = 0
    configuration.shutdownTimeout = .seconds(3600)
    let hub = Hub(limits: .none)
    let (ports, told) = AsyncStream.makeStream(of: Int.self)
    let server = Server(
      configuration: configuration, hub: hub, logger: noLogger
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

  @Test(arguments: ServerConfiguration.Driver.all) func `A hub outlives any number of its servers`(
    kind: ServerConfiguration.Driver
  ) async throws {
    var configuration = ServerConfiguration()
    configuration.driver = kind
    configuration.port = 0
    let hub = Hub(limits: .none)
    // More than a hub has places for loops.
    for _ in 0..<70 {
      let driver = try await configuration.startDriver(hub: hub, logger: noLogger)
      await driver.drain(window: .zero, timeout: .zero)
    }
  }
}
