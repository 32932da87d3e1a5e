import Holdfast
import Synchronization

/// How other threads reach a ``Reactor``: orders, and a wake-up of which at most one is under way, whoever asks for it.
final class ReactorHandle: Sendable {
  enum Order {
    /// A connection that another reactor accepted.
    case take(Int32, Address)
    /// Nobody new is to be given to the socket by the kernel.
    case dropNew
    /// Nobody is accepted any more, once those are who have connected.
    case stopListening(CheckedContinuation<Void, Never>)
    case beginDrain(window: Duration)
    /// Closes whatever is left, and ends the thread.
    case stop
  }

  private enum End {
    case running
    case awaited(CheckedContinuation<Void, Never>)
    case over
  }

  /// What epoll reports a wake-up by.
  static let wakeUpTag = UInt64.max

  let epoll: Descriptor
  let event: Descriptor
  /// Connections that it has, or was given and has yet to take.
  private let connectionCount = Atomic<Int>(0)
  private let isWoken = Atomic<Bool>(false)
  private let orders = Mutex<[Order]>([])
  private let end = Mutex<End>(.running)

  /// nil where the system gives no descriptors, or does not watch them.
  init?(epoll: consuming Descriptor? = Linux.makeEpoll(), event: consuming Descriptor? = Linux.makeEvent()) {
    guard let epoll, let event, Linux.watch(epoll.number, event.number, for: .input, tag: Self.wakeUpTag) else {
      return nil
    }
    self.epoll = epoll
    self.event = event
  }

  deinit {
    for case .take(let socket, _) in takeOrders() { Linux.close(socket) }
  }

  var connections: Int { connectionCount.load(ordering: .relaxed) }

  func count(_ change: Int) { connectionCount.wrappingAdd(change, ordering: .relaxed) }

  func wake() {
    if !isWoken.exchange(true, ordering: .acquiringAndReleasing) { Linux.signal(event) }
  }

  func send(_ order: Order) {
    orders.withLock { $0.append(order) }
    wake()
  }

  // MARK: On the reactor's thread

  /// Ends the wake-up. What is asked for from now on needs another; so this comes before looking at what there is.
  func clear() {
    Linux.clear(event)
    isWoken.store(false, ordering: .sequentiallyConsistent)
  }

  func takeOrders() -> [Order] {
    orders.withLock { orders in
      defer { orders = [] }
      return orders
    }
  }

  func ended() {
    let awaited: CheckedContinuation<Void, Never>? = end.withLock { end in
      defer { end = .over }
      if case .awaited(let continuation) = end { return continuation }
      return nil
    }
    awaited?.resume()
  }

  // MARK: On any other

  /// Returns when the reactor accepts nobody any more and all whom it has accepted are counted.
  func stopListening() async { await withCheckedContinuation { send(.stopListening($0)) } }

  /// Stops the reactor and returns when its thread has let go of everything. To be called once.
  func stop() async {
    send(.stop)
    await withCheckedContinuation { continuation in
      let isOver = end.withLock { end in
        if case .over = end { return true }
        end = .awaited(continuation)
        return false
      }
      if isOver { continuation.resume() }
    }
  }
}
