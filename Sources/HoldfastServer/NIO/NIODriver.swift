import Holdfast
import Logging
import NIOCore
import NIOPosix

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// The driver on SwiftNIO: a listening channel, and event loops that the accepted connections are spread over.
struct NIODriver: ServerDriver {
  private let group: MultiThreadedEventLoopGroup
  private let listener: any Channel
  private let loops: [NIOLoopBound<NIOLoop>]

  let port: Int

  static func start(_ configuration: ServerConfiguration, hub: Hub, logger: Logger) async throws -> NIODriver {
    let group = MultiThreadedEventLoopGroup(numberOfThreads: configuration.threads)
    var loops: [NIOLoopBound<NIOLoop>] = []
    do {
      let settings = LoopSettings(configuration, logger: logger)
      let budget = ConnectionBudget.ofProcess(configuration)
      for eventLoop in group.makeIterator() {
        let loop = eventLoop.submit {
          NIOLoopBound(
            NIOLoop(eventLoop: eventLoop, settings: settings, hub: hub, budget: budget), eventLoop: eventLoop)
        }
        loops.append(try await loop.get())
      }
      let byEventLoop = Dictionary(uniqueKeysWithValues: loops.map { (ObjectIdentifier($0.eventLoop), $0) })
      let listener = try await ServerBootstrap(group: group)
        .serverChannelOption(.backlog, value: 4096)
        .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
        .serverChannelOption(.maxMessagesPerRead, value: 64)
        .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
        .childChannelInitializer { channel in
          channel.eventLoop.makeCompletedFuture {
            guard let loop = byEventLoop[ObjectIdentifier(channel.eventLoop)]?.value else {
              throw ChannelError.inappropriateOperationForState
            }
            try loop.configure(channel)
          }
        }
        .bind(host: configuration.host, port: configuration.port).get()
      return NIODriver(group: group, listener: listener, loops: loops, port: listener.localAddress?.port ?? 0)
    } catch {
      for loop in loops { try? await loop.eventLoop.submit { loop.value.stop() }.get() }
      try? await group.shutdownGracefully()
      let reason = (error as? IOError).map { String(cString: strerror($0.errnoCode)) } ?? "\(error)"
      throw ListenError(host: configuration.host, port: configuration.port, reason: reason)
    }
  }

  func connectionCount() async -> Int {
    var count = 0
    for loop in loops { count += (try? await loop.eventLoop.submit { loop.value.openCount }.get()) ?? 0 }
    return count
  }

  func drain(window: Duration, timeout: Duration) async {
    try? await listener.close()
    for loop in loops { loop.eventLoop.execute { loop.value.beginDrain(window: window) } }
    await untilEmpty(timeout: timeout)
    for loop in loops { try? await loop.eventLoop.submit { loop.value.stop() }.get() }
    try? await group.shutdownGracefully()
  }
}
