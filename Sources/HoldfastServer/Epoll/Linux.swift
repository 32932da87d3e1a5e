import CLinux
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// The system's calls, as the reactor makes them: this is the one file of it in which there are pointers. Each lends the
/// kernel an array or a number for the length of one call, and says what happened in an enum; none blocks but ``wait`` (and
/// ``listen(host:port:backlog:reusesPort:)``, which may look a name up), and all try again when a signal interrupts them.
enum Linux {
  enum Received: Equatable {
    case bytes(Int)
    /// Nothing has come yet.
    case nothing
    /// The client sends no more.
    case end
    case broken
  }

  static func receive(_ socket: Int32, into buffer: inout [UInt8]) -> Received {
    while true {
      let count = unsafe buffer.withUnsafeMutableBytes { unsafe recv(socket, $0.baseAddress, $0.count, Flag.dontWait) }
      if count > 0 { return .bytes(count) }
      if count == 0 { return .end }
      if errno == EAGAIN { return .nothing }
      if errno != EINTR { return .broken }
    }
  }

  /// - Returns: How many bytes the kernel took of those from `offset` on; nil where the connection is broken.
  static func send(_ socket: Int32, _ bytes: [UInt8], from offset: Int = 0) -> Int? {
    while true {
      let count = unsafe bytes.withUnsafeBytes {
        unsafe Self.send(socket, UnsafeRawBufferPointer(rebasing: $0[offset...]), Flag.noSignal | Flag.dontWait)
      }
      if count >= 0 { return count }
      if errno == EAGAIN { return 0 }
      if errno != EINTR { return nil }
    }
  }

  private static func send(_ socket: Int32, _ bytes: UnsafeRawBufferPointer, _ flags: Int32) -> Int {
    #if canImport(Musl)
      unsafe Musl.send(socket, bytes.baseAddress, bytes.count, flags)
    #else
      unsafe Glibc.send(socket, bytes.baseAddress, bytes.count, flags)
    #endif
  }

  enum Accepted {
    case connection(Int32, Address)
    /// Nobody waits.
    case nobody
    /// Whoever waited has gone.
    case gone
    /// There is no descriptor, or no memory, for the one who waits.
    case noRoom
    /// The socket does not listen any more: another owner of it has shut it down.
    case broken
  }

  static func accept(_ listener: Int32) -> Accepted {
    var high: UInt64 = 0
    var low: UInt64 = 0
    let socket = unsafe clinux_accept(listener, &high, &low)
    if socket >= 0 { return .connection(socket, Address(value: UInt128(high) << 64 | UInt128(low))) }
    switch errno {
    case EAGAIN: return .nobody
    case EMFILE, ENFILE, ENOBUFS, ENOMEM: return .noRoom
    case EBADF, EINVAL, ENOTSOCK: return .broken
    // Errors of the connection that would have been accepted, of which the manual lists many; the next may be well.
    default: return .gone
    }
  }

  /// Waits for events, at most `nanoseconds`; negative waits for ever.
  /// - Returns: How many there are.
  static func wait(_ epoll: Int32, _ events: inout Events, nanoseconds: Int64) -> Int {
    let count = unsafe events.list.withUnsafeMutableBufferPointer {
      unsafe clinux_epoll_wait(epoll, $0.baseAddress, Int32($0.count), nanoseconds)
    }
    precondition(count >= 0, "epoll_wait fails only for programmers' errors: \(errno)")
    return Int(count)
  }

  /// - Returns: Whether it is watched now. The system may have no memory for it, or a limit (`max_user_watches`).
  static func watch(_ epoll: Int32, _ descriptor: Int32, for interest: Readiness, tag: UInt64) -> Bool {
    clinux_epoll_add(epoll, descriptor, interest.rawValue, tag) == 0
  }

  static func rewatch(_ epoll: Int32, _ descriptor: Int32, for interest: Readiness, tag: UInt64) {
    let result = clinux_epoll_modify(epoll, descriptor, interest.rawValue, tag)
    assert(result == 0, "it is watched already: \(errno)")
  }

  static func unwatch(_ epoll: Int32, _ descriptor: Int32) { _ = clinux_epoll_remove(epoll, descriptor) }

  /// What ``wait`` found. Of an event only numbers are read, though the system's own type could hold a pointer.
  @safe struct Events {
    fileprivate var list: [epoll_event]

    init(capacity: Int) { unsafe list = Array(repeating: epoll_event(), count: capacity) }

    subscript(_ index: Int) -> (tag: UInt64, ready: Readiness) {
      unsafe (list[index].data.u64, Readiness(rawValue: list[index].events))
    }
  }

  /// What a descriptor is watched for, and what it is ready for.
  struct Readiness: OptionSet {
    var rawValue: UInt32

    static let input = Readiness(EPOLLIN)
    static let output = Readiness(EPOLLOUT)
    /// The client has ended its side.
    static let endOfInput = Readiness(EPOLLRDHUP)
    /// Both sides have ended, or the connection broke. Always watched for.
    static let hangUp = Readiness(EPOLLHUP)
    static let error = Readiness(EPOLLERR)
    /// Of several epolls that watch a descriptor, about one is to be told.
    static let exclusively = Readiness(EPOLLEXCLUSIVE)

    init(rawValue: UInt32) { self.rawValue = rawValue }

    private init(_ event: EPOLL_EVENTS) { rawValue = event.rawValue }
  }

  private enum Flag {
    static let dontWait = Int32(MSG_DONTWAIT)
    static let noSignal = Int32(MSG_NOSIGNAL)
  }

  /// Nothing more will be sent.
  static func shutdownOutput(_ socket: Int32) { _ = shutdown(socket, Int32(SHUT_WR)) }

  /// Ends both sides, which the socket's epoll will tell.
  static func shutdownAll(_ socket: Int32) { _ = shutdown(socket, Int32(SHUT_RDWR)) }

  static func openNothing() -> Int32 { unsafe open("/dev/null", O_RDONLY | O_CLOEXEC) }

  static func close(_ descriptor: Int32) {
    #if canImport(Musl)
      _ = Musl.close(descriptor)
    #else
      _ = Glibc.close(descriptor)
    #endif
  }

  // MARK: Listening

  /// - Returns: A socket that listens, or why there is none.
  static func listen(host: String, port: Int, backlog: Int32, reusesPort: Bool) throws(ListenError) -> Descriptor {
    var lookupError: Int32 = 0
    let socket = unsafe clinux_listen(host, UInt16(port), backlog, reusesPort ? 1 : 0, &lookupError)
    if socket >= 0 { return Descriptor(socket) }
    let isSystems = lookupError == 0 || lookupError == EAI_SYSTEM
    let reason = isSystems ? unsafe String(cString: strerror(errno)) : unsafe String(cString: gai_strerror(lookupError))
    throw ListenError(host: host, port: port, reason: reason)
  }

  /// Whether a descriptor is a stream socket that listens. It does not block from then on, and is closed on exec.
  static func adopt(_ socket: Int32) -> Bool {
    let flags = fcntl(socket, F_GETFL)
    return flags >= 0 && clinux_is_listening(socket) == 1 && fcntl(socket, F_SETFL, flags | O_NONBLOCK) == 0
      && fcntl(socket, F_SETFD, FD_CLOEXEC) == 0
  }

  static func duplicate(_ descriptor: Int32) -> Int32? {
    let number = fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
    return number >= 0 ? number : nil
  }

  static func dropNew(_ listener: Int32) { _ = clinux_drop_new(listener) }

  static func setBacklog(_ listener: Int32, _ backlog: Int32) { _ = Self.listen(listener, backlog) }

  private static func listen(_ socket: Int32, _ backlog: Int32) -> Int32 {
    #if canImport(Musl)
      Musl.listen(socket, backlog)
    #else
      Glibc.listen(socket, backlog)
    #endif
  }

  static func localPort(_ socket: Int32) -> Int { Int(max(0, clinux_local_port(socket))) }

  /// How connections whose other side has gone without a word are noticed: after ``idleSeconds`` of silence it is asked,
  /// and then every ``intervalSeconds``; ``probesMax`` without an answer end it. So do bytes that stay unacknowledged for
  /// as long as all that takes, two minutes.
  enum Probing {
    static let idleSeconds: Int32 = 60
    static let intervalSeconds: Int32 = 15
    static let probesMax: Int32 = 4
  }

  /// Sets up a connection, or those that a listener will be asked for. What is not of TCP has nothing to be set up.
  static func watchPeers(_ socket: Int32) {
    _ = clinux_watch_peers(socket, Probing.idleSeconds, Probing.intervalSeconds, Probing.probesMax)
  }

  // MARK: Waking up

  static func makeEvent() -> Descriptor? {
    let event = clinux_eventfd_create()
    return event >= 0 ? Descriptor(event) : nil
  }

  static func makeEpoll() -> Descriptor? {
    let epoll = clinux_epoll_create()
    return epoll >= 0 ? Descriptor(epoll) : nil
  }

  static func signal(_ event: borrowing Descriptor) { _ = clinux_eventfd_signal(event.number) }
  static func clear(_ event: borrowing Descriptor) { _ = clinux_eventfd_clear(event.number) }

  // MARK: Threads

  private final class Body {
    let run: @Sendable () -> Void
    init(_ run: @escaping @Sendable () -> Void) { self.run = run }
  }

  /// Runs `body` on a thread of its own, which ends with it.
  /// - Returns: Whether there is one.
  static func startThread(_ body: @escaping @Sendable () -> Void) -> Bool {
    var thread = pthread_t()
    let owned = unsafe Unmanaged.passRetained(Body(body))
    let status = unsafe pthread_create(
      &thread, nil,
      { argument in
        unsafe Unmanaged<Body>.fromOpaque(argument!).takeRetainedValue().run()
        return nil
      }, owned.toOpaque())
    if status == 0 {
      pthread_detach(thread)
    } else {
      unsafe owned.release()
    }
    return status == 0
  }
}
