import Glibc

/// A port of 127.0.0.1 that nobody else is given: bound, but not listened on, which lets others listen there who ask for
/// it by its number.
final class ReservedPort: Sendable {
  let number: UInt16
  private let descriptor: Int32

  init() throws { (descriptor, number) = try boundSocket() }

  deinit { close(descriptor) }
}

/// A socket on a port of 127.0.0.1 that the kernel chose.
func boundSocket() throws -> (descriptor: Int32, port: UInt16) {
  let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
  var yes: Int32 = 1
  setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
  var address = sockaddr_in()
  address.sin_family = sa_family_t(AF_INET)
  address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
  var size = socklen_t(MemoryLayout<sockaddr_in>.size)
  let isBound = withUnsafeMutablePointer(to: &address) { pointer in
    pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
      bind(descriptor, $0, size) == 0 && getsockname(descriptor, $0, &size) == 0
    }
  }
  if !isBound {
    defer { close(descriptor) }
    throw Failure("no port to be had: \(errnoText())")
  }
  return (descriptor, UInt16(bigEndian: address.sin_port))
}
