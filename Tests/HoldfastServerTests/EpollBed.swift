#if os(Linux)
  import Foundation
  import Holdfast
  import HoldfastProtocol
  import Testing

  @testable import HoldfastServer

  #if canImport(Glibc)
    import Glibc
  #elseif canImport(Musl)
    import Musl
  #endif

  /// A reactor on a thread of its own, to which connections are given by hand: one end of a pair of sockets each.
  final class Bed {
    let hub = Hub(limits: .none)
    private let handle: ReactorHandle
    private let annex: NIOAnnex
    private var run = 0
    private var asking: Client?
    private var publisher: HubLoop

    init() throws {
      publisher = HubLoop(hub: hub) {}
      var configuration = ServerConfiguration()
      configuration.port = 0
      guard let handle = ReactorHandle() else { throw NeverHappened("no descriptors") }
      self.handle = handle
      let settings = LoopSettings(configuration, logger: noLogger)
      let budget = ConnectionBudget(files: 100_000, perAddressMax: .max, trustedProxies: [])
      let listener = try ListeningSocket(configuration)
      let annex = NIOAnnex(settings: settings, hub: hub, budget: budget)
      self.annex = annex
      let isStarted = Linux.startThread { [hub] in
        Reactor.run(
          0, of: [handle], listener: listener, settings: settings, hub: hub, budget: budget, annex: annex)
        handle.ended()
      }
      if !isStarted { throw NeverHappened("no thread") }
    }

    func stop() async {
      if let asking { Linux.close(asking.socket) }
      await handle.stop()
      await annex.stop()
    }

    /// The number of a run that has not been.
    func next() -> Int {
      run += 1
      return run
    }

    /// What clients are answered that each send their pieces, have held polls told a message, and go. All of them go on in
    /// step, since what this costs is the changing from thread to thread.
    ///
    /// - Parameter channels: Those that each of them may wait on.
    func answers(_ streams: [[[UInt8]]], told channels: [[String]]) -> [String] {
      var clients = streams.map { _ in connect() }
      for turn in 0..<(streams.map(\.count).max() ?? 0) {
        for index in clients.indices where turn < streams[index].count { clients[index].write(streams[index][turn]) }
        for index in clients.indices { clients[index].waitUntilRead() }
        settle()
      }
      let channels = channels.map { $0.compactMap { try? ChannelName($0) } }
      // One at a time, so that a poll of several is told of one; and one poll's answer may have another be held behind it.
      while case let held = channels.compactMap({ $0.first { hub.channel($0)?.held ?? 0 > 0 } }), !held.isEmpty {
        for channel in held { _ = try? publisher.publish(Draft(Payload(json: "\"told\"")), to: channel, at: .now()) }
        settle()
        for index in clients.indices { clients[index].readSome() }
      }
      for client in clients { Linux.shutdownOutput(client.socket) }
      for index in clients.indices { clients[index].finish() }
      return clients.map(\.normalised)
    }

    private func connect() -> Client {
      var ends: [Int32] = [0, 0]
      let type = CInt(SOCK_STREAM.rawValue) | CInt(SOCK_NONBLOCK.rawValue) | CInt(SOCK_CLOEXEC.rawValue)
      precondition(socketpair(AF_UNIX, type, 0, &ends) == 0)
      handle.count(1)
      handle.send(.take(ends[0], Address(value: 1)))
      return Client(socket: ends[1])
    }

    /// Returns when the reactor has dealt with what it has read, and with what that made due at the end of its turn: another's
    /// two requests are answered after that.
    private func settle() {
      if asking == nil { asking = connect() }
      for _ in 0..<2 {
        asking!.write(Bench.get("/healthz"))
        while asking!.received.last != UInt8(ascii: "}") { asking!.readSome() }
        asking!.received = []
      }
    }
  }

  /// The client's end. It never waits without reading, so that neither side can wait for the other for ever.
  private struct Client {
    let socket: Int32
    var received: [UInt8] = []
    private(set) var isEnded = false
    private var buffer = [UInt8](repeating: 0, count: 64 << 10)

    init(socket: Int32) { self.socket = socket }

    mutating func write(_ piece: [UInt8]) {
      var sent = 0
      isEnded = false
      while sent < piece.count, !isEnded {
        guard let count = Linux.send(socket, piece, from: sent) else {
          isEnded = true
          return
        }
        sent += count
        if sent < piece.count { readSome() }
      }
    }

    /// Returns when the other end has read all that was written, or reads no more.
    mutating func waitUntilRead() {
      while !isEnded, unread > 0 { readSome() }
    }

    mutating func readSome() {
      switch Linux.receive(socket, into: &buffer) {
      case .bytes(let count): received += buffer[..<count]
      case .nothing: sched_yield()
      case .end, .broken: isEnded = true
      }
    }

    /// Reads to the end, and closes.
    mutating func finish() {
      isEnded = false
      while !isEnded { readSome() }
      Linux.close(socket)
    }

    /// How much of what was written the other end has not read yet.
    private var unread: CInt {
      var count: CInt = 0
      _ = ioctl(socket, UInt(TIOCOUTQ), &count)
      return count
    }

    /// What was received, without what differs from run to run or is said only to who waits to send a body.
    var normalised: String {
      let text = received.text
      let range = NSRange(text.startIndex..., in: text)
      return Self.varying.stringByReplacingMatches(in: text, range: range, withTemplate: "")
    }

    private static let varying: NSRegularExpression = {
      let fields = #"\r\n(Date|Retry-After|Content-Length): [^\r]*"#
      let members = #""(id|message_id|cursor|head|oldest)":"[^"]*"|"timestamp":[0-9.]*"#
      let run = "\(ConformanceRequests.mark)[0-9]{\(ConformanceRequests.digits)}"
      do {
        return try NSRegularExpression(pattern: #"HTTP/1\.1 100 Continue\r\n\r\n|\#(fields)|\#(members)|\#(run)"#)
      } catch { preconditionFailure("\(error)") }
    }()
  }
#endif
