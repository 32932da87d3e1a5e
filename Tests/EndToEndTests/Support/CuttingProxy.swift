import Glibc
import Synchronization

/// A proxy that breaks each connection in the middle of what comes from the server, after a number of bytes that a seed
/// decides. So answers end in their heads, in their bodies, or between two.
final class CuttingProxy: Sendable {
  let port: UInt16
  private let listener: Int32
  private let state: Mutex<(random: UInt64, cuts: Int)>
  private let bytesMax: Int
  private let target: UInt16

  var url: String { "http://127.0.0.1:\(port)" }
  /// Connections that were broken so far.
  var cuts: Int { state.withLock { $0.cuts } }

  /// - Parameter bytesMax: no connection carries more answers than this.
  init(to target: UInt16, seed: UInt64, bytesMax: Int) throws {
    self.target = target
    self.bytesMax = bytesMax
    state = Mutex((seed, 0))
    let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard listener >= 0, listen(listener, 64) == 0 else { throw Failure("cannot listen: \(errnoText())") }
    var address = sockaddr_in()
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let named = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(listener, $0, &length) }
    }
    guard named == 0 else { throw Failure("getsockname: \(errnoText())") }
    port = address.sin_port.bigEndian
    self.listener = listener
  }

  /// Takes connections until ``stop()``.
  func start() {
    startThread { [self] in
      while true {
        let client = accept(listener, nil, nil)
        guard client >= 0 else { break }
        _ = fcntl(client, F_SETFD, FD_CLOEXEC)
        serve(client)
      }
      Glibc.close(listener)
    }
  }

  func stop() { shutdown(listener, Int32(SHUT_RDWR)) }

  private func serve(_ client: Int32) {
    let budget = state.withLock { state in
      state.random = state.random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int((state.random >> 33) % UInt64(bytesMax)) + 1
    }
    startThread { [self] in pump(client, budget) }
  }

  /// Carries bytes both ways until one side ends or the budget is used up.
  private func pump(_ client: Int32, _ budget: Int) {
    defer { Glibc.close(client) }
    guard let server = try? RawSocket(port: target) else { return }
    var left = budget
    server.withDescriptor { server in
      _ = fcntl(server, F_SETFL, fcntl(server, F_GETFL) & ~O_NONBLOCK)
      var buffer = [UInt8](repeating: 0, count: 65536)
      while true {
        var entries = [
          pollfd(fd: client, events: Int16(POLLIN), revents: 0), pollfd(fd: server, events: Int16(POLLIN), revents: 0),
        ]
        guard poll(&entries, 2, -1) > 0 else { return }
        if entries[0].revents != 0 {
          let count = recv(client, &buffer, buffer.count, 0)
          guard count > 0, send(server, buffer, count, Int32(MSG_NOSIGNAL)) == count else { return }
        }
        if entries[1].revents != 0 {
          let count = recv(server, &buffer, buffer.count, 0)
          guard count > 0 else { return }
          let carried = min(count, left)
          guard send(client, buffer, carried, Int32(MSG_NOSIGNAL)) == carried else { return }
          left -= carried
          if left == 0 {
            state.withLock { $0.cuts += 1 }
            return
          }
        }
      }
    }
  }
}
