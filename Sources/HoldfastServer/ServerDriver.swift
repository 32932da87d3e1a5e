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

  /// Throws where the process may not open the files that a server needs before anybody connects. NIO and libdispatch, whose
  /// timers and signals are among them, would end the process in the middle of a sentence. To be called before a
  /// `ServiceGroup` runs, too, where a server is in one.
  public func checkFiles() throws(ListenError) {
    // An event loop takes three; the others are for listening, accepting, timers and signals.
    let count = 3 * threads + 10
    if OpenFiles.areLeft(count) { return }
    throw ListenError(
      host: host, port: port, reason: "the process may open too few files; \(count) more are needed (ulimit -n)")
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
