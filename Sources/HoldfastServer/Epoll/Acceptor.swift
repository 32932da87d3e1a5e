/// One reactor's use of the listening socket.
///
/// When the process has no descriptor left the one who waits is told so: a spare descriptor is let go of for as long as
/// that takes. Where even that does not help, or the socket gives an error and nobody, it is not watched until the next tick;
/// watched, it would be reported as ready over and over, and a processor would do nothing else.
struct Acceptor: ~Copyable {
  static let tag = UInt64.max - 1
  /// Connections accepted in one turn, so that a crowd that comes does not keep those waiting who are there.
  static let perTurn = 64

  enum Next {
    case connection(Int32, Address)
    /// Whoever it was has gone.
    case gone
    /// It is to be refused.
    case surplus(Int32)
  }

  private var listener: ListeningSocket?
  private var spare: Descriptor?
  /// Whether a tick is to call ``resume(_:)``.
  private(set) var isPaused = true
  private let epoll: Int32
  /// Errors in a row, without a connection.
  private var errors = 0

  init(_ listener: ListeningSocket, epoll: Int32) {
    self.listener = listener
    self.epoll = epoll
    spare = Descriptor.spare()
    resume()
  }

  mutating func next() -> Next? {
    guard let listener, !isPaused else { return nil }
    if spare == nil { spare = Descriptor.spare() }
    switch listener.accept() {
    case .connection(let socket, let address):
      errors = 0
      return .connection(socket, address)
    case .nobody: return nil
    case .gone:
      errors += 1
      if errors < Self.perTurn { return .gone }
    case .noRoom:
      if spare != nil {
        spare = nil
        if case .connection(let socket, _) = listener.accept() { return .surplus(socket) }
      }
    case .broken: break
    }
    errors = 0
    isPaused = true
    listener.unwatch(epoll)
    return nil
  }

  /// Watches the socket, unless it is watched.
  mutating func resume() {
    guard isPaused, let listener else { return }
    isPaused = !listener.watch(epoll, tag: Self.tag)
  }

  /// Whether the socket is not closed by letting go of it.
  var isLeft: Bool { listener?.isLeft ?? true }

  func dropNew() { listener?.dropNew() }

  /// Lets go of the socket.
  mutating func stop() {
    if !isPaused { listener?.unwatch(epoll) }
    isPaused = false
    listener = nil
    spare = nil
  }
}
