import Synchronization

/// A socket that listens, shared by those who accept from it.
///
/// A server that ends must not lose who has connected to it. Closing the socket would reset those who wait in its queue, so
/// that is emptied first (``isLeft``). And where another process listens on the same port (`SO_REUSEPORT`) the kernel goes on
/// giving this socket its share until it is closed; so first nobody new comes here any more (``dropNew()``), then after
/// ``handOverGrace`` those have come who were about to, and then it is closed. Who was dropped tries again by himself a
/// second later, and reaches the other process.
final class ListeningSocket: Sendable {
  /// Nobody uses it once it is closed.
  private let socket: Int32
  private let owned: Mutex<Descriptor?>
  let port: Int
  /// Whether the socket stays when this process lets go of it, and with it who waits to be accepted.
  let isLeft: Bool

  /// As many connections may wait to be accepted, if the system's own limit (`net.core.somaxconn`) is not lower.
  static let backlog: Int32 = 4096
  /// For connections that have begun when ``dropNew()`` is called: as long as a handshake nearly always takes.
  static let handOverGrace = Duration.milliseconds(300)

  init(_ configuration: ServerConfiguration) throws(ListenError) {
    if let adopted = configuration.listeningSocket {
      guard Linux.adopt(adopted) else {
        throw ListenError(
          host: configuration.host, port: configuration.port,
          reason: "descriptor \(adopted), which was passed, is no stream socket that listens")
      }
      socket = adopted
      owned = Mutex(Descriptor(adopted))
      isLeft = true
    } else {
      let made = try Linux.listen(
        host: configuration.host, port: configuration.port, backlog: Self.backlog, reusesPort: configuration.reusesPort)
      socket = made.number
      owned = Mutex(made)
      isLeft = false
    }
    port = Linux.localPort(socket)
    Linux.watchPeers(socket)
  }

  /// Closes the socket, so that who connects from now on is refused. To be called when nobody accepts from it any more.
  func close() { owned.withLock { $0 = nil } }

  func accept() -> Linux.Accepted { Linux.accept(socket) }

  /// Has the kernel drop who connects from now on, in favour of another process on the same port.
  func dropNew() { Linux.dropNew(socket) }

  func watch(_ epoll: Int32, tag: UInt64) -> Bool {
    Linux.watch(epoll, socket, for: [.input, .exclusively], tag: tag)
  }

  func unwatch(_ epoll: Int32) { Linux.unwatch(epoll, socket) }

  /// Another descriptor of the same socket, for who closes it by himself; nil where there is none left.
  func duplicate() -> Int32? { Linux.duplicate(socket) }

  func restoreBacklog() { Linux.setBacklog(socket, Self.backlog) }
}
