/// How long a client waits after failures.
struct RetryDelays: Sendable, Equatable {
  /// A longer `Retry-After` is taken as this, so that one mistaken header cannot silence a client for a day.
  static let retryAfterMax = Duration.seconds(300)

  var min: Duration
  var max: Duration

  /// The longest wait after so many failures in a row: it doubles from ``min`` to ``max``.
  func ceiling(_ failures: Int) -> Duration {
    Swift.min(max, min * (1 << Swift.min(failures - 1, 32)))
  }

  /// The wait that begins `now`: full jitter, anything between nothing and the ceiling, so that ten thousand clients
  /// that lost one server do not come back in one moment; and at least what the server asked for.
  ///
  /// - Parameter random: from 0 to 1.
  func wait(after failures: Int, retryAfter: Duration? = nil, now: Duration, random: Double) -> RetryWait {
    let asked = Swift.min(retryAfter ?? .zero, Self.retryAfterMax)
    return RetryWait(began: now, asked: asked, delay: Swift.max(ceiling(failures) * random, asked))
  }
}

/// A wait before the next attempt.
struct RetryWait: Equatable {
  let began: Duration
  /// What the server asked for; it is waited whatever the network does.
  let asked: Duration
  private(set) var delay: Duration

  init(began: Duration, asked: Duration, delay: Duration) {
    self.began = began
    self.asked = asked
    self.delay = delay
  }

  func left(at now: Duration) -> Duration { began + delay - now }

  /// The network is back: only what the server asked for is left of it.
  mutating func cut() { delay = asked }
}
