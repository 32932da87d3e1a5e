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
  /// Returns when no connection is left, the time-out has passed, or the task is cancelled.
  func untilEmpty(timeout: Duration) async {
    let deadline = ContinuousClock.now + timeout
    while !Task.isCancelled, ContinuousClock.now < deadline, await connectionCount() > 0 {
      try? await Task.sleep(for: .milliseconds(20))
    }
  }
}

extension ServerConfiguration {
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
