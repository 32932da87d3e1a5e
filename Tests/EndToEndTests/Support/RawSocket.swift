import Glibc

/// A TCP connection over plain sockets: every byte is the test's own, and every wait has a deadline.
///
/// Descriptors are close-on-exec, so that a server started by another test never keeps a connection of ours open.
final class RawSocket {
  private var descriptor: Int32

  /// Connects to `port` on 127.0.0.1, from `source`, which may be any address in 127.0.0.0/8.
  init(port: UInt16, from source: String? = nil, receiveBufferBytes: Int32? = nil) throws {
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { throw Failure("socket: \(errnoText())") }
    do {
      if let receiveBufferBytes { try set(SOL_SOCKET, SO_RCVBUF, receiveBufferBytes) }
      try set(Int32(IPPROTO_TCP), TCP_NODELAY, 1)
      if let source {
        // The port is chosen when connecting, so that two connections may share it towards different ports.
        try set(Int32(IPPROTO_IP), IP_BIND_ADDRESS_NO_PORT, 1)
        let bound = RawSocket.withAddress(source, 0) { Glibc.bind(descriptor, $0, $1) }
        guard bound == 0 else { throw Failure("bind \(source): \(errnoText())") }
      }
      var connected = RawSocket.withAddress("127.0.0.1", port) { Glibc.connect(descriptor, $0, $1) }
      while connected != 0, errno == EINTR {
        connected = RawSocket.withAddress("127.0.0.1", port) { Glibc.connect(descriptor, $0, $1) }
      }
      guard connected == 0 || errno == EISCONN else { throw Failure("connect to \(port): \(errnoText())") }
      let flags = fcntl(descriptor, F_GETFL)
      guard fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) == 0 else { throw Failure("fcntl: \(errnoText())") }
    } catch {
      Glibc.close(descriptor)
      descriptor = -1
      throw error
    }
  }

  deinit { close() }

  /// Takes what there is room for in the kernel, and says how much that was.
  func sendSome(_ bytes: ArraySlice<UInt8>) throws -> Int {
    let sent = bytes.withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
    if sent >= 0 { return sent }
    if errno == EAGAIN || errno == EINTR { return 0 }
    throw Failure("send: \(errnoText())")
  }

  func withDescriptor<Result>(_ body: (Int32) throws -> Result) rethrows -> Result { try body(descriptor) }

  /// What `receiveSome` found.
  enum Received {
    case bytes([UInt8])
    case nothingYet
    /// The other side closed, in order or (after bytes of ours that it did not read) with a reset.
    case closed
  }

  func receiveSome() throws -> Received {
    var buffer = [UInt8](repeating: 0, count: 65536)
    let count = recv(descriptor, &buffer, buffer.count, 0)
    if count > 0 { return .bytes(Array(buffer[0..<count])) }
    if count == 0 || errno == ECONNRESET || errno == EPIPE { return .closed }
    if errno == EAGAIN || errno == EINTR { return .nothingYet }
    throw Failure("recv: \(errnoText())")
  }

  /// Waits until there is something to receive (or, if asked, room to send) or the deadline has passed.
  @discardableResult
  func wait(orRoomToSend: Bool = false, until deadline: Deadline) -> Bool {
    var entry = pollfd(fd: descriptor, events: Int16(POLLIN) | (orRoomToSend ? Int16(POLLOUT) : 0), revents: 0)
    return Glibc.poll(&entry, 1, deadline.milliseconds) > 0
  }

  /// Closes in order: the other side sees FIN.
  func close() {
    guard descriptor >= 0 else { return }
    Glibc.close(descriptor)
    descriptor = -1
  }

  /// Closes at once: the other side sees RST.
  func reset() throws {
    var linger = linger(l_onoff: 1, l_linger: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<Glibc.linger>.size))
    close()
  }

  private func set(_ level: Int32, _ option: Int32, _ value: Int32) throws {
    var value = value
    guard setsockopt(descriptor, level, option, &value, socklen_t(MemoryLayout<Int32>.size)) == 0 else {
      throw Failure("setsockopt \(option): \(errnoText())")
    }
  }

  private static func withAddress(
    _ text: String, _ port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
  ) -> Int32 {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    inet_pton(AF_INET, text, &address.sin_addr)
    return withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
    }
  }
}

/// `errno` as a sentence.
func errnoText() -> String { String(cString: strerror(errno)) }
