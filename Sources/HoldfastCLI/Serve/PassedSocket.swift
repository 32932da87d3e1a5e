import ArgumentParser

#if os(Linux)
  import CLinux
#endif
#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// A listening socket that whoever started this process made for it, as systemd does (`man sd_listen_fds`): descriptor 3,
/// where `LISTEN_PID` names this process and `LISTEN_FDS` is 1. While the server restarts, clients wait in its queue.
struct PassedSocket {
  static let first: CInt = 3

  let descriptor = first
  /// Where it listens: an IP address, or the path of a Unix socket.
  let host: String

  /// Takes it out of the environment, so that no child believes it is its own.
  /// - Returns: nil where there is none.
  static func take() throws -> PassedSocket? {
    defer { for name in ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"] { unsetenv(name) } }
    guard let process = number("LISTEN_PID"), process == Int(getpid()), let count = number("LISTEN_FDS"), count > 0
    else {
      return nil
    }
    if count > 1 {
      throw ValidationError("LISTEN_FDS: \(count) sockets were passed, and one is served; give ListenStream= only once")
    }
    guard let host = address() else {
      throw ValidationError("LISTEN_FDS: descriptor \(first), which was passed, is no socket")
    }
    return PassedSocket(host: host)
  }

  private static func number(_ name: String) -> Int? { getenv(name).flatMap { Int(String(cString: $0)) } }

  private static func address() -> String? {
    #if os(Linux)
      withUnsafeTemporaryAllocation(of: CChar.self, capacity: 128) { text in
        clinux_local_address(first, text.baseAddress, text.count) == 0 ? String(cString: text.baseAddress!) : nil
      }
    #else
      nil
    #endif
  }
}
