import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// How many connections may be open: as many as the process may have files, less a reserve. A connection beyond is
/// accepted, told so, and closed; without the reserve the system could not even accept it, and would report it as waiting
/// over and over.
final class ConnectionBudget: Sendable {
  private static let reserve = 64

  private let left: Atomic<Int>

  init(files: Int) { left = Atomic(max(1, files - Self.reserve)) }

  /// What the system grants this process now.
  static func ofProcess() -> ConnectionBudget {
    #if canImport(Darwin)
      let resource = RLIMIT_NOFILE
    #else
      let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    #endif
    var limit = rlimit()
    guard getrlimit(resource, &limit) == 0 else { return ConnectionBudget(files: 1024) }
    return ConnectionBudget(files: Int(clamping: limit.rlim_cur))
  }

  func take() -> Bool {
    if left.subtract(1, ordering: .relaxed).newValue >= 0 { return true }
    left.add(1, ordering: .relaxed)
    return false
  }

  func giveBack() { left.add(1, ordering: .relaxed) }
}
