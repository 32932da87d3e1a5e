import NIOCore
import NIOPosix
import Synchronization

#if canImport(Darwin)
  import Darwin
#endif

/// What NIO accepts connections from. On Linux it is a ``ListeningSocket`` that NIO has a descriptor of; so who waits in its
/// queue can still be accepted when NIO has stopped.
final class NIOListener: Sendable {
  private let channel: any Channel
  let port: Int

  #if os(Linux)
    /// nil once it is closed.
    private let socket: Mutex<ListeningSocket?>

    init(_ configuration: ServerConfiguration, _ bootstrap: ServerBootstrap) async throws {
      let socket = try ListeningSocket(configuration)
      guard let duplicate = socket.duplicate() else {
        throw ListenError(host: configuration.host, port: configuration.port, reason: "the system gives no descriptor")
      }
      channel = try await bootstrap.withBoundSocket(duplicate).get()
      // NIO has set its own.
      socket.restoreBacklog()
      port = socket.port
      self.socket = Mutex(socket)
    }

    /// Has the kernel give nobody new to this socket.
    func dropNew() { socket.withLock { $0?.dropNew() } }

    /// - Returns: The sockets of those who waited to be accepted.
    func close() async -> [CInt] {
      try? await channel.close()
      return socket.withLock { socket in
        var left: [CInt] = []
        guard let listener = socket else { return left }
        defer {
          listener.close()
          socket = nil
        }
        if listener.isLeft { return left }
        for _ in 0...ListeningSocket.backlog {
          switch listener.accept() {
          case .connection(let descriptor, _): left.append(descriptor)
          case .gone: continue
          case .nobody, .noRoom, .broken: return left
          }
        }
        return left
      }
    }
  #else
    init(_ configuration: ServerConfiguration, _ bootstrap: ServerBootstrap) async throws {
      if let adopted = configuration.listeningSocket {
        channel = try await bootstrap.withBoundSocket(adopted).get()
      } else {
        let reusesPort = ChannelOptions.Types.SocketOption(level: .socket, name: .init(rawValue: SO_REUSEPORT))
        channel =
          try await bootstrap
          .serverChannelOption(.backlog, value: 4096)
          .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
          .serverChannelOption(reusesPort, value: configuration.reusesPort ? 1 : 0)
          .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
          .bind(host: configuration.host, port: configuration.port).get()
      }
      port = channel.localAddress?.port ?? 0
    }

    func dropNew() {}

    func close() async -> [CInt] {
      try? await channel.close()
      return []
    }
  #endif
}
