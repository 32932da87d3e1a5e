import Holdfast
import Logging

/// A server's configuration as its loops use it: in ticks and bytes. Only what they use: it is copied for every request.
struct LoopSettings: Sendable {
  let pollTimeout: Duration
  let pollTimeoutMax: Duration
  let backlogBytesMax: Int
  let partialBytesMax: Int
  let http: HTTP1Limits
  let sendTicks: UInt32
  let prefix: [UInt8]
  let origins: OriginPolicy
  let holders: HolderPolicy
  let pages: Pages
  let logger: Logger
  let logsRequests: Bool

  /// How many channels the lists of one loop may look at in a tick: some 20 ms of its 100.
  var listedPerTick = 100_000

  /// How long a connection may still send after its last answer.
  static let finishTicks: UInt32 = 20

  init(_ configuration: ServerConfiguration, logger: Logger) {
    pollTimeoutMax = configuration.pollTimeoutMax
    pollTimeout = min(configuration.pollTimeout, pollTimeoutMax)
    backlogBytesMax = configuration.backlogBytesMax
    partialBytesMax = configuration.partialBytesMax
    self.logger = logger
    logsRequests = logger.logLevel <= .debug
    var http = HTTP1Limits()
    http.bodyBytesMax = configuration.bodyBytesMax
    // The tick that it is counted from is over in part.
    http.headTicks = Self.ticks(configuration.headTimeout) + 1
    http.bodyTicks = Self.ticks(configuration.bodyTimeout) + 1
    http.idleTicks = Self.ticks(configuration.idleTimeout) + 1
    self.http = http
    sendTicks = Self.ticks(configuration.sendTimeout) + 1
    prefix = Array(configuration.prefix.utf8)
    origins = OriginPolicy(configuration.corsOrigins, trustedProxies: configuration.trustedProxies)
    pages = Pages(prefix: configuration.prefix)
    holders = HolderPolicy(trustedProxies: configuration.trustedProxies)
  }

  /// Whole ticks, at least the duration; at most a quarter of what the wheel's counter spans.
  static func ticks(_ duration: Duration) -> UInt32 {
    let nanoseconds = max(0, duration.nanoseconds)
    return UInt32(min(nanoseconds / 100_000_000 + (nanoseconds % 100_000_000 > 0 ? 1 : 0), 1 << 30))
  }
}
