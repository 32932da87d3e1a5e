import Holdfast
import Logging

/// What runs a ``ServerLoop``: sockets, threads and clocks. It listens from when it was started.
protocol ServerDriver: Sendable {
  /// The port it listens on.
  var port: Int { get }

  /// How many connections are open.
  func connectionCount() async -> Int

  /// Stops listening, answers what is held over `window`, and ends when no connection is left, the time-out passes, or
  /// the task is cancelled. To be called once.
  func drain(window: Duration, timeout: Duration) async
}

extension ServerDriver {
  /// Returns when no connection is left, the deadline has passed, or the task is cancelled.
  func untilEmpty(_ deadline: ContinuousClock.Instant) async {
    while !Task.isCancelled, ContinuousClock.now < deadline, await connectionCount() > 0 {
      try? await Task.sleep(for: .milliseconds(20))
    }
  }
}

extension ServerConfiguration {
  /// How long to go on accepting once nobody new is to come; see `ListeningSocket`.
  var handOverGrace: Duration {
    #if os(Linux)
      reusesPort && listeningSocket == nil ? ListeningSocket.handOverGrace : .zero
    #else
      .zero
    #endif
  }

  /// Starts the driver that was chosen.
  /// - Throws: ``ListenError``.
  func startDriver(hub: Hub, logger: Logger) async throws -> any ServerDriver {
    #if os(Linux)
      if driver.resolved == .epoll { return try await EpollDriver.start(self, hub: hub, logger: logger) }
    #else
      if driver == .epoll { throw ListenError(host: host, port: port, reason: "the driver 'epoll' is for Linux only") }
    #endif
    return try await NIODriver.start(self, hub: hub, logger: logger)
  }
}
