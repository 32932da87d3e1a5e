import HoldfastProtocol

/// What a subscription knows between two polls, and what follows from an answer or a failure.
///
///     request ──► poll ──┬─ answered ──► .proceed(events, pause) ──► request ...
///        ▲               └─ failed ──┬─► .reconnect(after) ──┐
///        └────────────────────────── │ ◄────────────────────┘
///                                    └─► .end(error)
///
/// The cursor moves only with an answer that was read to its end, so a lost or half answer repeats the same poll and
/// gives the same messages: nothing is skipped and nothing comes twice.
struct SubscriptionState {
  enum Step: Equatable {
    /// Give these to the consumer; before the next poll, wait so long.
    case proceed([SubscriptionEvent], pause: Duration)
    case reconnect(Reconnection)
    case end(HoldfastClientError)
  }

  /// An empty answer sooner than this came "at once".
  static let promptAnswerMax = Duration.seconds(1)

  private(set) var cursor: String
  /// Messages up to this timestamp are not wanted: the start was `.since`.
  private var droppedThrough: Double?
  private let pollTimeout: Duration
  private var policy = ReconnectPolicy()

  init(from start: SubscriptionStart, pollTimeout: Duration) {
    cursor = start.cursor
    if case .since(let timestamp) = start { droppedThrough = timestamp }
    self.pollTimeout = pollTimeout
  }

  /// How long the next poll may be held.
  ///
  /// `now` is turned into a real cursor by a poll that is not held: were the first held poll lost, a second `now` would
  /// stand behind the messages in between.
  var timeout: Duration {
    cursor.split(separator: WireCursor.slotSeparator).contains { $0 == WireCursor.now } ? .zero : pollTimeout
  }

  /// - Parameters:
  ///   - elapsed: from the request to the end of its answer.
  ///   - random: from 0 to 1.
  mutating func answered(_ page: MessagePage, elapsed: Duration, random: Double) -> Step {
    let cameAtOnce = elapsed < (timeout > .zero ? min(Self.promptAnswerMax, timeout) : Self.promptAnswerMax)
    cursor = page.cursor
    var pause = Duration.zero
    if page.messages.isEmpty && cameAtOnce {
      pause = policy.answeredEmpty(random: random)
    } else {
      policy.succeeded()
    }
    // A log that began anew may have timestamps before the old one's: all that is in it is later news.
    if page.gaps.contains(where: { $0.reason == .reset }) { droppedThrough = nil }
    let wanted = page.messages.filter { message in droppedThrough.map { message.timestamp > $0 } ?? true }
    return .proceed(page.gaps.map(SubscriptionEvent.gap) + wanted.map(SubscriptionEvent.message), pause: pause)
  }

  /// - Parameter random: from 0 to 1.
  mutating func failed(_ error: HoldfastClientError, random: Double) -> Step {
    guard error.isTransient else { return .end(error) }
    let delay = policy.failed(retryAfter: error.retryAfter, random: random)
    return .reconnect(Reconnection(attempt: policy.failures, delay: delay, error: error))
  }
}
