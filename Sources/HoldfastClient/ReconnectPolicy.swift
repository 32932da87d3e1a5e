/// Decides how long to wait before the next request, and nothing else: time and randomness are parameters.
///
/// After a failure the wait is full jitter: anything between nothing and a ceiling that doubles from ``delayMin`` to
/// ``delayMax``, so that ten thousand clients that lost one server do not come back in one moment. A `Retry-After` is a
/// lower bound. The first good answer makes the next failure a first one again.
///
/// An answer that comes at once with nothing in it is legitimate: a server that is shutting down answers so. It is
/// followed at once by one more poll; from the second in a row on, the same ceiling applies, so that a broken proxy
/// that answers every poll out of a cache costs a request every now and then and not a processor.
struct ReconnectPolicy: Equatable {
  static let delayMin = Duration.seconds(1)
  static let delayMax = Duration.seconds(30)
  /// A longer `Retry-After` is taken as this, so that one mistaken header cannot silence a subscriber for a day.
  static let retryAfterMax = Duration.seconds(300)

  /// Failures since the last good answer.
  private(set) var failures = 0
  /// Answers in a row that came at once and empty.
  private var emptyAnswers = 0

  /// An answer that brought something, or that waited as it should.
  mutating func succeeded() {
    failures = 0
    emptyAnswers = 0
  }

  /// An answer that came at once and empty. Returns the wait before the next poll.
  ///
  /// - Parameter random: from 0 to 1.
  mutating func answeredEmpty(random: Double) -> Duration {
    failures = 0
    emptyAnswers += 1
    return emptyAnswers == 1 ? .zero : Self.ceiling(emptyAnswers - 1) * random
  }

  /// No answer, or one that says to come back later. Returns the wait before the next attempt.
  ///
  /// - Parameter random: from 0 to 1.
  mutating func failed(retryAfter: Duration?, random: Double) -> Duration {
    failures += 1
    let delay = Self.ceiling(failures) * random
    return max(delay, min(retryAfter ?? .zero, Self.retryAfterMax))
  }

  /// The longest wait after so many failures: 1 s, 2 s, 4 s and so on to 30 s.
  static func ceiling(_ failures: Int) -> Duration {
    min(delayMax, delayMin * (1 << min(failures - 1, 16)))
  }
}
