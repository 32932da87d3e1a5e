import Glibc
import Synchronization

/// A node that is the test's own: it keeps what it is sent, and answers as it is told. It is always ready.
final class StubNode: Sendable {
  struct Request: Sendable {
    /// The lines of its head.
    var head: [String]
    /// The number of the connection that it came on, from 0.
    var connection: Int

    func values(_ name: String) -> [String] {
      head.compactMap { line in
        let parts = line.split(separator: ":", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == name else { return nil }
        return String(parts[1].drop { $0 == " " })
      }
    }
  }

  /// What the node does when it has read a request whole.
  enum Deed: Sendable {
    /// It sends these bytes, and goes on.
    case send(String)
    /// It closes without an answer.
    case close
  }

  let port: UInt16
  private let listener: Int32
  private let deed: @Sendable (_ requestsBefore: Int) -> Deed
  private let state = Mutex(State())

  private struct State {
    var requests: [Request] = []
    /// The descriptors of the connections by their number; nil: the connection has ended.
    var connections: [Int32?] = []
  }

  init(_ deed: @escaping @Sendable (_ requestsBefore: Int) -> Deed) throws {
    self.deed = deed
    (listener, port) = try boundSocket()
    guard listen(listener, 100) == 0 else { throw Failure("listen: \(errnoText())") }
    startThread { [self] in
      while true {
        let descriptor = accept(listener, nil, nil)
        if descriptor < 0, errno == EINTR { continue }
        if descriptor < 0 { break }
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        startThread { [self] in serve(descriptor) }
      }
      Glibc.close(listener)
    }
  }

  /// Takes no more connections. Those there are end with the proxy.
  func stop() { shutdown(listener, Int32(SHUT_RDWR)) }

  /// What came, but for looks at whether the node is ready.
  var requests: [Request] { state.withLock { $0.requests } }

  /// Whether the connection that a request came on is there still.
  func isOpen(_ request: Request) -> Bool { state.withLock { $0.connections[request.connection] != nil } }

  /// Sends more of an answer.
  func send(_ text: String, to request: Request) throws {
    let isSent = state.withLock { state in
      state.connections[request.connection].map { StubNode.send(text, $0) } ?? false
    }
    try expect(isSent, "the connection is gone to which the rest was to be sent")
  }

  /// An answer of 200 with this much of its body.
  static func answer(_ body: String, length: Int? = nil) -> String {
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: \(length ?? body.utf8.count)\r\n\r\n\(body)"
  }

  private func serve(_ descriptor: Int32) {
    let connection = state.withLock { state in
      state.connections.append(descriptor)
      return state.connections.count - 1
    }
    var bytes: [UInt8] = []
    while let head = StubNode.request(from: &bytes, descriptor) {
      if head[0].hasPrefix("GET /readyz ") {
        _ = StubNode.send(StubNode.answer(""), descriptor)
        continue
      }
      let before = state.withLock { state in
        state.requests.append(Request(head: head, connection: connection))
        return state.requests.count - 1
      }
      guard case .send(let text) = deed(before), StubNode.send(text, descriptor) else { break }
    }
    state.withLock { $0.connections[connection] = nil }
    // A child that was started just when this was accepted may have it too.
    shutdown(descriptor, Int32(SHUT_RDWR))
    Glibc.close(descriptor)
  }

  private static func send(_ text: String, _ descriptor: Int32) -> Bool {
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      let sent = rest.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
      if sent < 0, errno == EINTR { continue }
      if sent < 0 { return false }
      rest = rest.dropFirst(sent)
    }
    return true
  }

  /// Reads one request whole, and returns the lines of its head; nil when the other side has closed.
  private static func request(from bytes: inout [UInt8], _ descriptor: Int32) -> [String]? {
    while true {
      let text = String(decoding: bytes, as: UTF8.self)
      if let end = text.firstRange(of: "\r\n\r\n") {
        let head = text[..<end.lowerBound].split(separator: "\r\n").map(String.init)
        let length = Request(head: head, connection: 0).values("content-length").first.flatMap { Int($0) } ?? 0
        let whole = text[..<end.upperBound].utf8.count + length
        if bytes.count >= whole {
          bytes.removeFirst(whole)
          return head
        }
      }
      var buffer = [UInt8](repeating: 0, count: 65536)
      let count = recv(descriptor, &buffer, buffer.count, 0)
      if count < 0, errno == EINTR { continue }
      if count <= 0 { return nil }
      bytes += buffer[0..<count]
    }
  }
}
