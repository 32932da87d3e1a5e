import Foundation
import Holdfast
import HoldfastProtocol
import Logging
import Synchronization
import Testing

@testable import HoldfastServer

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

extension ServerConfiguration.Driver {
  /// Those there are here. What a test of a driver says has to hold for each.
  static var all: [ServerConfiguration.Driver] {
    #if os(Linux)
      [.epoll, .nio]
    #else
      [.nio]
    #endif
  }
}

let noLogger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

/// Starts a driver on a port that the system chooses, and ends it whatever happens.
func withDriver(
  _ kind: ServerConfiguration.Driver, threads: Int = 1, holds: HoldLimits = .none,
  configure: (inout ServerConfiguration) -> Void = { _ in },
  _ body: (Int, Hub, any ServerDriver) async throws -> Void
) async throws {
  var configuration = ServerConfiguration()
  configuration.driver = kind
  configuration.port = 0
  configuration.threads = threads
  // A test may have to wait for its turn; that is no slow client.
  configuration.headTimeout = .seconds(600)
  configuration.bodyTimeout = .seconds(600)
  configuration.idleTimeout = .seconds(600)
  configure(&configuration)
  let hub = Hub(limits: holds)
  let driver = try await configuration.startDriver(hub: hub, logger: noLogger)
  do { try await body(driver.port, hub, driver) } catch {
    await driver.drain(window: .zero, timeout: .zero)
    throw error
  }
  await driver.drain(window: .zero, timeout: .zero)
}

func held(_ hub: Hub, _ count: Int, on channels: [ChannelName] = [.a]) async throws {
  try await becomes(count, "polls held") { channels.reduce(0) { $0 + (hub.channel($1)?.held ?? 0) } }
}

func connections(_ driver: any ServerDriver, _ count: Int) async throws {
  try await becomes(count, "connections open") { await driver.connectionCount() }
}

/// Asks again until `count` has the wanted value; throws the last one if it never has.
func becomes(_ wanted: Int, _ what: String, count: () async -> Int) async throws {
  let end = ContinuousClock.now + .seconds(60)
  while true {
    let last = await count()
    if last == wanted { return }
    if ContinuousClock.now > end { throw NeverHappened("\(what): never \(wanted), but \(last) in the end") }
    await Task.yield()
  }
}

/// What a test waited for in vain.
struct NeverHappened: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}

/// A client's socket that blocks.
final class Socket: Sendable {
  private let descriptor: CInt
  private let input = Mutex<[UInt8]>([])

  init(_ port: Int, receiveBuffer: CInt? = nil) {
    descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
    if var size = receiveBuffer {
      setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<CInt>.size))
    }
    // So that a missing answer is a failure and not a test that never ends.
    var patience = timeval(tv_sec: 60, tv_usec: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    let result = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    precondition(result == 0, "connect: \(errno)")
  }

  deinit { close(isReset: false) }

  private let closed = Mutex(false)
  var isClosed: Bool { closed.withLock { $0 } }

  func close(isReset: Bool) {
    if closed.withLock({ closed in
      defer { closed = true }; return closed
    }) {
      return
    }
    if isReset {
      var linger = linger(l_onoff: 1, l_linger: 0)
      setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<Glibc.linger>.size))
    }
    _ = Glibc.close(descriptor)
  }

  var port: Int { Socket.port(of: descriptor) ?? 0 }

  /// The port at either end of any connection over IPv4 of this process; nil where there is none.
  static func port(of descriptor: CInt, isPeer: Bool = false) -> Int? {
    var address = sockaddr_in()
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let result = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        isPeer ? getpeername(descriptor, $0, &size) : getsockname(descriptor, $0, &size)
      }
    }
    return result == 0 && address.sin_family == sa_family_t(AF_INET) ? Int(in_port_t(bigEndian: address.sin_port)) : nil
  }

  static func option(_ level: CInt, _ name: CInt, of descriptor: CInt) -> CInt {
    var value: CInt = -1
    var size = socklen_t(MemoryLayout<CInt>.size)
    getsockopt(descriptor, level, name, &value, &size)
    return value
  }

  func write(_ bytes: [UInt8]) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL)) }
      precondition(count > 0, "send: \(errno)")
      rest = rest.dropFirst(count)
    }
  }

  /// Ends the client's own side: it sends no more, and goes on reading.
  func endOutput() { _ = shutdown(descriptor, CInt(SHUT_WR)) }

  /// False at the end.
  @discardableResult func readSome() -> Bool {
    var buffer = [UInt8](repeating: 0, count: 64 << 10)
    let count = buffer.withUnsafeMutableBytes { recv(descriptor, $0.baseAddress, $0.count, 0) }
    if count > 0 { input.withLock { $0 += buffer[..<count] } }
    return count > 0
  }

  /// The next answer; nil where the connection ends first.
  func read() -> Response? {
    while true {
      let response: Response? = input.withLock { input in
        guard let end = input.firstRange(of: Array("\r\n\r\n".utf8)) else { return nil }
        let head = Array(input[..<end.upperBound]).text
        let count = head.firstMatch(of: /Content-Length: ([0-9]+)/).flatMap { Int($0.1) } ?? 0
        let length = end.upperBound + count
        if input.count < length { return nil }
        defer { input.removeFirst(length) }
        return Response.read(Array(input[..<length]))?.first
      }
      if let response { return response }
      if !readSome() { return nil }
    }
  }
}
