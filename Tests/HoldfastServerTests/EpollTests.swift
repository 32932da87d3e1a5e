#if os(Linux)
  import Holdfast
  import HoldfastProtocol
  import Synchronization
  import Testing

  @testable import HoldfastServer

  #if canImport(Glibc)
    import Glibc
  #elseif canImport(Musl)
    import Musl
  #endif

  /// What is the reactor's alone: its rows, and how what it keeps for slow clients is sent.
  @Suite struct EpollTests {
    /// Two sockets that are connected, neither of which blocks.
    private func pair() -> (near: Int32, far: Int32) {
      var ends: [Int32] = [0, 0]
      let type = CInt(SOCK_STREAM.rawValue) | CInt(SOCK_NONBLOCK.rawValue) | CInt(SOCK_CLOEXEC.rawValue)
      precondition(socketpair(AF_UNIX, type, 0, &ends) == 0)
      return (ends[0], ends[1])
    }

    private func makeEpoll() throws -> Descriptor {
      guard let epoll = Linux.makeEpoll() else { throw NeverHappened("no epoll") }
      return epoll
    }

    private func add(_ socket: Int32, to transport: inout EpollTransport) throws -> Int32 {
      guard let token = transport.add(socket) else { throw NeverHappened("not watched") }
      return token
    }

    private func write(_ bytes: [UInt8], to socket: Int32) { #expect(Linux.send(socket, bytes) == bytes.count) }

    /// The tags of what is ready.
    private func ready(_ epoll: borrowing Descriptor) -> [UInt64: Linux.Readiness] {
      var events = Linux.Events(capacity: 16)
      let count = Linux.wait(epoll.number, &events, nanoseconds: 0)
      return Dictionary(uniqueKeysWithValues: (0..<count).map { (events[$0].tag, events[$0].ready) })
    }

    @Test func `What came for a connection that was closed is not taken for the one that has its row now`() throws {
      let epoll = try makeEpoll()
      var transport = EpollTransport(epoll: epoll.number, backlogBytesMax: 9_500_000)
      let (old, oldPeer) = pair()
      let token = try add(old, to: &transport)
      write([1], to: oldPeer)
      // The batch that is being gone through when the connection is closed, and another takes its place.
      let batch = ready(epoll)
      let tag = try #require(batch.keys.first)
      let before = transport.token(of: tag)
      transport.close(token)
      let closed = transport.token(of: tag)
      for (token, _, _) in transport.takeEnded() { transport.free(token) }
      let (new, newPeer) = pair()
      let next = try add(new, to: &transport)
      let stale = transport.token(of: tag)
      #expect(before == token && closed == nil && next == token && stale == nil)
      write([2], to: newPeer)
      let now = ready(epoll).keys.compactMap { transport.token(of: $0) }
      #expect(now == [next])
      transport.close(next)
      for socket in [oldPeer, newPeer] { Linux.close(socket) }
    }

    @Test func `Rows are used again, the last one first, and never before their connections were let go of`() throws {
      let epoll = try makeEpoll()
      var transport = EpollTransport(epoll: epoll.number, backlogBytesMax: 9_500_000)
      var peers: [Int32] = []
      var tokens: [Int32] = []
      for _ in 0..<3 {
        let (near, far) = pair()
        peers.append(far)
        tokens.append(try add(near, to: &transport))
      }
      #expect(tokens == [0, 1, 2])
      transport.close(1)
      let (near, far) = pair()
      peers.append(far)
      let beyond = transport.add(near)
      #expect(beyond == 3, "1 was not let go of yet")
      for (token, _, _) in transport.takeEnded() { transport.free(token) }
      let (again, farAgain) = pair()
      peers.append(farAgain)
      let reused = transport.add(again)
      #expect(reused == 1)
      for token: Int32 in 0...3 { transport.close(token) }
      for socket in peers { Linux.close(socket) }
    }

    @Test func `What the kernel does not take is sent when there is room, in order`() throws {
      let epoll = try makeEpoll()
      var transport = EpollTransport(epoll: epoll.number, backlogBytesMax: 9_500_000)
      let (near, far) = pair()
      let token = try add(near, to: &transport)
      let first = (0..<1_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31 / 7) }
      let second: [UInt8] = Array("the end".utf8)
      let isFirstTaken = transport.send(first, to: token)
      let isSecondTaken = transport.send(second, to: token)
      #expect(!isFirstTaken && !isSecondTaken)
      var received: [UInt8] = []
      var buffer = [UInt8](repeating: 0, count: 50_000)
      var isDrained = false
      reading: while true {
        switch Linux.receive(far, into: &buffer) {
        case .bytes(let count): received += buffer[..<count]
        case .nothing:
          let isReady = ready(epoll).values.contains { $0.contains(.output) }
          #expect(isReady && !isDrained)
          isDrained = transport.flush(token)
          if isDrained { transport.shutdownOutput(token) }
        case .end: break reading
        case .broken:
          Issue.record("broken")
          break reading
        }
      }
      #expect(isDrained && received == first + second)
      let isWaiting = ready(epoll).values.contains { $0.contains(.output) }
      #expect(!isWaiting, "without a backlog nobody asks for room")
      transport.close(token)
      Linux.close(far)
    }

    @Test func `Beyond the bound those are given up who have been taking the longest, and others go on`() throws {
      let epoll = try makeEpoll()
      var transport = EpollTransport(epoll: epoll.number, backlogBytesMax: 9_500_000)
      var peers: [Int32] = []
      for index: Int32 in 0..<12 {
        let (near, far) = pair()
        peers.append(far)
        _ = try add(near, to: &transport)
        let isTaken = transport.send([UInt8](repeating: UInt8(index), count: 1_000_000), to: index)
        #expect(!isTaken)
      }
      let ended = ready(epoll).filter { $0.value.contains(.hangUp) }.keys.compactMap { transport.token(of: $0) }
      #expect(ended.sorted() == [0, 1, 2], "a quarter is made free, and so the next are not met at once")
      for token: Int32 in 0..<12 { transport.close(token) }
      for socket in peers { Linux.close(socket) }
    }

    @Test func `A listening socket that another owner has shut down is not watched until the next tick`() throws {
      var configuration = ServerConfiguration()
      configuration.port = 0
      let listener = try ListeningSocket(configuration)
      guard let epoll = Linux.makeEpoll(), let other = listener.duplicate() else {
        throw NeverHappened("no descriptors")
      }
      var acceptor = Acceptor(listener, epoll: epoll.number)
      #expect(acceptor.next() == nil && !acceptor.isPaused)
      Linux.shutdownAll(other)
      Linux.close(other)
      var events = Linux.Events(capacity: 4)
      #expect(Linux.wait(epoll.number, &events, nanoseconds: 1_000_000_000) == 1)
      #expect(acceptor.next() == nil && acceptor.isPaused)
      #expect(Linux.wait(epoll.number, &events, nanoseconds: 0) == 0)
      acceptor.stop()
    }

    @Test func `A reactor that could not be woken is none`() {
      let good = ReactorHandle()
      // It is open, and watches nothing.
      let watchless = ReactorHandle(epoll: Descriptor.spare())
      let eventless = ReactorHandle(event: nil)
      #expect(good != nil && watchless == nil && eventless == nil)
    }

    /// Runs a reactor over sockets and orders that are there before it begins, until it is told to stop.
    private func run(_ orders: [ReactorHandle.Order], _ body: (ReactorHandle) async throws -> Void) async throws {
      var configuration = ServerConfiguration()
      configuration.port = 0
      let hub = Hub(limits: .none)
      guard let handle = ReactorHandle() else { throw NeverHappened("no descriptors") }
      let settings = LoopSettings(configuration, logger: noLogger)
      let budget = ConnectionBudget(files: 1000, perAddressMax: .max, trustedProxies: [])
      let annex = NIOAnnex(settings: settings, hub: hub, budget: budget)
      let listener = try ListeningSocket(configuration)
      for order in orders { handle.send(order) }
      let ends = Atomic(0)
      let isStarted = Linux.startThread {
        Reactor.run(0, of: [handle], listener: listener, settings: settings, hub: hub, budget: budget, annex: annex)
        ends.add(1, ordering: .releasing)
      }
      if !isStarted { throw NeverHappened("no thread") }
      try await body(handle)
      try await becomes(1, "reactors ended") { ends.load(ordering: .acquiring) }
    }

    @Test func `A connection that is given to a reactor behind the order to stop is closed`() async throws {
      let (near, far) = pair()
      try await run([.stop, .take(near, Address(value: 1))]) { _ in }
      var buffer: [UInt8] = [0]
      #expect(Linux.receive(far, into: &buffer) == .end)
      Linux.close(far)
    }

    @Test func `A client that ends its side behind much that it sent does not keep others waiting for all of that`()
      async throws
    {
      let (much, little) = (pair(), pair())
      var room: CInt = 1 << 20
      for end in [much.near, much.far] {
        for option in [SO_SNDBUF, SO_RCVBUF] {
          setsockopt(end, SOL_SOCKET, option, &room, socklen_t(MemoryLayout<CInt>.size))
        }
      }
      var count = 0
      let publish = Bench.post("/api/publish/a", "\"" + String(repeating: "x", count: 4000) + "\"")
      while Linux.send(much.far, publish) == publish.count { count += 1 }
      // Four reads of 64 KiB are a turn's.
      #expect(count * publish.count > 256 << 10)
      Linux.shutdownOutput(much.far)
      write(Bench.post("/api/publish/a", "1"), to: little.far)
      let orders = [much, little].map { ReactorHandle.Order.take($0.near, Address(value: 1)) }
      var answer: [UInt8] = []
      try await run(orders) { handle in
        try await becomes(1, "answers") {
          var buffer = [UInt8](repeating: 0, count: 1000)
          if case .bytes(let count) = Linux.receive(little.far, into: &buffer) { answer += buffer[..<count] }
          return Response.read(answer)?.count ?? 0
        }
        handle.send(.stop)
      }
      let id = Response.read(answer)?.first?.json["message_id"] as? String ?? ""
      let sequence = try #require(Int(id.split(separator: "-")[1]))
      #expect(sequence < count, "of \(count) and one")
      for (_, far) in [much, little] { Linux.close(far) }
    }
  }
#endif
