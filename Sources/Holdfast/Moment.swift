#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// One reading of both clocks. Ages, time-outs and windows go by ``uptime``, which nobody can set back; only
/// timestamps, which people read, go by ``unix``. Everything that decides takes a moment as a parameter.
public struct Moment: Sendable, Equatable {
  /// Nanoseconds since an arbitrary start; never goes back.
  public var uptime: Int64
  /// Microseconds since 1970; goes wherever the administrator sets it.
  public var unix: Int64

  public init(uptime: Int64, unix: Int64) {
    self.uptime = uptime
    self.unix = unix
  }

  /// What this machine's clocks say.
  public static func now() -> Moment {
    Moment(uptime: uptimeNow(), unix: read(CLOCK_REALTIME) / 1000)
  }

  /// Only the monotonic clock, in nanoseconds.
  public static func uptimeNow() -> Int64 { read(CLOCK_MONOTONIC) }

  /// The uptime `duration` from this moment; for ever where that is beyond what an `Int64` holds.
  public func uptime(after duration: Duration) -> Int64 {
    let (sum, overflow) = uptime.addingReportingOverflow(duration.nanoseconds)
    return overflow ? .max : sum
  }

  private static func read(_ clock: clockid_t) -> Int64 {
    var time = timespec()
    clock_gettime(clock, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }
}

extension Duration {
  /// Whole nanoseconds; a duration beyond 292 years stays at the most an `Int64` holds.
  public var nanoseconds: Int64 {
    Int64(clamping: attoseconds / 1_000_000_000)
  }
}

/// Unix time in microseconds, as a message carries it. Within a channel timestamps rise strictly.
public struct Timestamp: Hashable, Comparable, Sendable, CustomStringConvertible {
  /// Microseconds since 1970, never negative.
  public var microseconds: Int64

  public init(microseconds: Int64) { self.microseconds = max(0, microseconds) }

  /// Seconds with six decimals: `1790000000.123456`.
  public var description: String {
    let fraction = String(microseconds % 1_000_000)
    return "\(microseconds / 1_000_000)." + String(repeating: "0", count: 6 - fraction.utf8.count) + fraction
  }

  public static func < (a: Timestamp, b: Timestamp) -> Bool { a.microseconds < b.microseconds }
}
