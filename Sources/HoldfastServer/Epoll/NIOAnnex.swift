import Holdfast
import NIOCore
import NIOPosix
import Synchronization

/// NIO beside the reactors: one event loop for the connections that ask for what a reactor does not do. It serves the same
/// hub by the same protocol, and nothing ever comes back from it. It is started by the first such connection; most servers
/// never have one.
final class NIOAnnex: Sendable {
  private enum State {
    case idle
    case running(MultiThreadedEventLoopGroup, NIOLoopBoundBox<NIOLoop?>)
    case stopped
  }

  private struct Shared {
    var state = State.idle
    /// nil while nobody is asked to go.
    var drainWindow: Duration?
  }

  private let settings: LoopSettings
  private let hub: Hub
  private let budget: ConnectionBudget
  private let shared = Mutex(Shared())
  /// Connections on their way to the event loop.
  private let coming = Atomic<Int>(0)

  init(settings: LoopSettings, hub: Hub, budget: ConnectionBudget) {
    self.settings = settings
    self.hub = hub
    self.budget = budget
  }

  /// Whether it can take connections. It is started for that, unless the system has no descriptors for it.
  func isReady() -> Bool {
    shared.withLock { shared in
      if case .idle = shared.state { shared.state = start(drainWindow: shared.drainWindow) }
      if case .running = shared.state { return true }
      return false
    }
  }

  /// Takes a connection over, from any thread, after it was ready. Its socket is the annex's from then on.
  func take(_ socket: Int32, _ connection: HandedOver) {
    let isTaken = shared.withLock { shared in
      guard case .running(_, let loop) = shared.state else { return false }
      coming.add(1, ordering: .relaxed)
      loop.eventLoop.execute {
        self.coming.subtract(1, ordering: .releasing)
        loop.value?.take(socket, handedOver: connection)
      }
      return true
    }
    if isTaken { return }
    Linux.close(socket)
    budget.giveBack(connection.address)
  }

  private func start(drainWindow: Duration?) -> State {
    // NIO ends the process where the system has no descriptors for an event loop.
    if !OpenFiles.areLeft(4) { return .idle }
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let eventLoop = group.next()
    let box = NIOLoopBoundBox<NIOLoop?>.makeEmptyBox(eventLoop: eventLoop)
    eventLoop.execute { [settings, hub, budget] in
      let loop = NIOLoop(eventLoop: eventLoop, settings: settings, hub: hub, budget: budget)
      if let drainWindow { loop.beginDrain(window: drainWindow) }
      box.value = loop
    }
    return .running(group, box)
  }

  func connectionCount() async -> Int {
    guard case .running(_, let loop) = shared.withLock({ $0.state }) else { return 0 }
    // In this order, so that one that arrives meanwhile is counted twice rather than not at all.
    let coming = coming.load(ordering: .acquiring)
    return coming + ((try? await loop.eventLoop.submit { loop.value?.openCount ?? 0 }.get()) ?? 0)
  }

  func beginDrain(window: Duration) {
    shared.withLock { shared in
      shared.drainWindow = window
      guard case .running(_, let loop) = shared.state else { return }
      loop.eventLoop.execute { loop.value?.beginDrain(window: window) }
    }
  }

  /// Closes whatever is left, and what comes from now on.
  func stop() async {
    let state = shared.withLock { shared in
      defer { shared.state = .stopped }
      return shared.state
    }
    guard case .running(let group, let loop) = state else { return }
    try? await loop.eventLoop.submit {
      loop.value?.stop()
      loop.value = nil
    }.get()
    try? await group.shutdownGracefully()
  }
}
