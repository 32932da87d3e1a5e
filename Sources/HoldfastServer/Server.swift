public import Holdfast
public import Logging
public import ServiceLifecycle

/// Serves a hub over HTTP.
///
/// ```swift
/// let server = Server(hub: Hub(), logger: Logger(label: "holdfast"))
/// try await ServiceGroup(services: [server], gracefulShutdownSignals: [.sigterm], logger: logger).run()
/// ```
///
/// On a graceful shutdown it stops listening, refuses new publishes, answers held polls with their own cursors over a
/// short window, and returns when all connections have ended or ``ServerConfiguration/shutdownTimeout`` has passed.
public struct Server: Service {
  private let configuration: ServerConfiguration
  private let hub: Hub
  private let logger: Logger
  private let onListening: @Sendable (_ port: Int) -> Void

  /// - Parameters:
  ///   - hub: What is served. Its limits and its store are its own; the configuration's are for whoever makes one.
  ///   - onListening: Called once connections are accepted, with the port, which the system chose if it was 0.
  public init(
    configuration: ServerConfiguration = ServerConfiguration(), hub: Hub, logger: Logger,
    onListening: @escaping @Sendable (_ port: Int) -> Void = { _ in }
  ) {
    self.configuration = configuration
    self.hub = hub
    self.logger = logger
    self.onListening = onListening
  }

  /// - Throws: ``ListenError`` where the address cannot be listened on, or the process may open too few files.
  public func run() async throws {
    try configuration.checkFiles()
    // The first timer of a process opens a descriptor, and libdispatch traps where none is left. So it is had before anybody
    // can connect.
    try? await Task.sleep(for: .milliseconds(1))
    let driver = try await configuration.startDriver(hub: hub, logger: logger)
    onListening(driver.port)
    await withTaskGroup(of: Void.self) { group in
      group.addTask { await hub.run() }
      try? await gracefulShutdown()
      let connections = await driver.connectionCount()
      logger.info("stopping", metadata: ["connections": "\(connections)"])
      await driver.drain(window: configuration.drainWindow, timeout: configuration.shutdownTimeout)
      group.cancelAll()
    }
    logger.info("stopped")
  }
}

/// Why a server did not start.
public struct ListenError: Error, Sendable, CustomStringConvertible {
  public var host: String
  public var port: Int
  /// As the system says it: `Address already in use`.
  public var reason: String

  public var description: String { "cannot listen on \(host):\(port): \(reason)" }
}
