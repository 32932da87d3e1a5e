import Glibc

extension Bench {
  /// CLOCK_MONOTONIC in nanoseconds, the same in all processes of a machine.
  static func now() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }

  /// The CPU time that this process has used, in seconds.
  static func cpuSeconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }

  /// The sum of a number of seconds to a time of `now`.
  static func time(_ start: UInt64, plus seconds: Double) -> UInt64 { start + UInt64(seconds * 1e9) }
}
