#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// How many files the system lets the process have open.
enum OpenFiles {
  static var limit: Int {
    #if canImport(Darwin)
      let resource = RLIMIT_NOFILE
    #else
      let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    #endif
    var limit = rlimit()
    return unsafe getrlimit(resource, &limit) == 0 ? Int(clamping: limit.rlim_cur) : 1024
  }

  /// Whether the process may open so many more. None is opened to see that: another thread may need the last ones meanwhile.
  static func areLeft(_ count: Int) -> Bool {
    var left = count
    var number = CInt(clamping: limit)
    while left > 0, number > 0 {
      number -= 1
      if fcntl(number, F_GETFD) < 0 { left -= 1 }
    }
    return left == 0
  }
}
