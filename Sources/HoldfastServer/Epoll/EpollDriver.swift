import Holdfast
import Logging

/// The driver on Linux's own epoll: a listening socket, and reactors, each a thread, that accept from it.
struct EpollDriver: ServerDriver {
  private let handles: [ReactorHandle]
  /// Where connections go that ask for what a reactor does not do.
  let annex: NIOAnnex
  private let grace: Duration
  private let listener: ListeningSocket
  var port: Int { listener.port }

  static func start(_ configuration: ServerConfiguration, hub: Hub, logger: Logger) async throws -> EpollDriver {
    let listener = try ListeningSocket(configuration)
    let settings = LoopSettings(configuration, logger: logger)
    let budget = ConnectionBudget.ofProcess(configuration)
    let annex = NIOAnnex(settings: settings, hub: hub, budget: budget)
    let handles = (0..<configuration.threads).compactMap { _ in ReactorHandle() }
    var started: [ReactorHandle] = []
    if handles.count == configuration.threads {
      for index in handles.indices {
        let isStarted = Linux.startThread {
          Reactor.run(
            index, of: handles, listener: listener, settings: settings, hub: hub, budget: budget, annex: annex)
          handles[index].ended()
        }
        if isStarted { started.append(handles[index]) }
      }
    }
    let driver = EpollDriver(
      handles: started, annex: annex, grace: configuration.handOverGrace, listener: listener)
    if started.count == configuration.threads { return driver }
    await driver.drain(window: .zero, timeout: .zero)
    throw ListenError(
      host: configuration.host, port: configuration.port,
      reason: "the system gives no thread, or no descriptor that it watches")
  }

  func connectionCount() async -> Int {
    // In this order, so that one that is handed over meanwhile is counted twice rather than not at all.
    let count = handles.reduce(0) { $0 + $1.connections }
    return count + (await annex.connectionCount())
  }

  func drain(window: Duration, timeout: Duration) async {
    let deadline = ContinuousClock.now + timeout
    for handle in handles { handle.send(.beginDrain(window: window)) }
    annex.beginDrain(window: window)
    if grace > .zero {
      handles.first?.send(.dropNew)
      try? await Task.sleep(for: min(grace, timeout))
    }
    // Whoever has connected is counted then, and waited for.
    for handle in handles { await handle.stopListening() }
    listener.close()
    await untilEmpty(deadline)
    for handle in handles { await handle.stop() }
    await annex.stop()
  }
}
