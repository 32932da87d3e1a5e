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
  private let listener: NIOListener
  private let loops: [NIOLoopBound<NIOLoop>]
  private let grace: Duration

  var port: Int { listener.port }

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
      let bootstrap = ServerBootstrap(group: group)
        .serverChannelOption(.maxMessagesPerRead, value: 64)
        .serverChannelInitializer { channel in
          channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(AcceptPause()) }
        }
        .childChannelInitializer { channel in
          channel.eventLoop.makeCompletedFuture {
            guard let loop = byEventLoop[ObjectIdentifier(channel.eventLoop)]?.value else {
              throw ChannelError.inappropriateOperationForState
            }
            #if os(Linux)
              if configuration.listeningSocket != nil, let socket = channel.socket { Linux.watchPeers(socket) }
            #endif
            try loop.configure(channel)
          }
        }
      return NIODriver(
        group: group, listener: try await NIOListener(configuration, bootstrap), loops: loops,
        grace: configuration.handOverGrace)
    } catch {
      for loop in loops { try? await loop.eventLoop.submit { loop.value.stop() }.get() }
      try? await group.shutdownGracefully()
      if error is ListenError { throw error }
      let reason = (error as? IOError).map { unsafe String(cString: strerror($0.errnoCode)) } ?? "\(error)"
      throw ListenError(host: configuration.host, port: configuration.port, reason: reason)
    }
  }

  func connectionCount() async -> Int {
    var count = 0
    for loop in loops { count += (try? await loop.eventLoop.submit { loop.value.openCount }.get()) ?? 0 }
    return count
  }

  func drain(window: Duration, timeout: Duration) async {
    let deadline = ContinuousClock.now + timeout
    for loop in loops { loop.eventLoop.execute { loop.value.beginDrain(window: window) } }
    if grace > .zero {
      listener.dropNew()
      try? await Task.sleep(for: min(grace, timeout))
    }
    for (number, socket) in await listener.close().enumerated() {
      let loop = loops[number % loops.count]
      loop.eventLoop.execute { loop.value.take(socket) }
    }
    await untilEmpty(deadline)
    for loop in loops { try? await loop.eventLoop.submit { loop.value.stop() }.get() }
    try? await group.shutdownGracefully()
  }
}
