/// A socket that listens, shared by the reactors that accept from it. It is closed when the last of them lets go of it.
final class ListeningSocket: Sendable {
  private let socket: Descriptor
  let port: Int

  /// As many connections may wait to be accepted, if the system's own limit (`net.core.somaxconn`) is not lower.
  static let backlog: Int32 = 4096

  init(_ configuration: ServerConfiguration) throws(ListenError) {
    socket = try Linux.listen(
      host: configuration.host, port: configuration.port, backlog: Self.backlog, reusesPort: false)
    port = Linux.localPort(socket.number)
    Linux.watchPeers(socket.number)
  }

  func accept() -> Linux.Accepted { Linux.accept(socket.number) }

  func watch(_ epoll: Int32, tag: UInt64) -> Bool {
    Linux.watch(epoll, socket.number, for: [.input, .exclusively], tag: tag)
  }

  func unwatch(_ epoll: Int32) { Linux.unwatch(epoll, socket.number) }
}
