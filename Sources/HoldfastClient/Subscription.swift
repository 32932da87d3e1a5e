import HoldfastProtocol

/// What a subscription gives.
public enum SubscriptionEvent: Sendable, Equatable {
  case message(Message)
  /// Messages were missed; it comes before any later message.
  case gap(Gap)
}

/// Where a subscription begins.
public enum SubscriptionStart: Sendable, Equatable {
  /// Only what comes next.
  case now
  /// All that is retained.
  case earliest
  /// What follows a cursor: the id of a message, or the cursor of a ``MessagePage``.
  case cursor(String)
  /// What has a later timestamp than these Unix seconds.
  ///
  /// All that is retained is read, and what is not later is dropped: this is exact for several channels too, which the
  /// protocol's own `since` is not made for. It cannot tell whether later messages were dropped by retention before.
  case since(Double)

  var cursor: String {
    switch self {
    case .now: WireCursor.now
    case .earliest, .since: WireCursor.earliest
    case .cursor(let text): text
    }
  }
}

/// That a poll failed and will be repeated.
public struct Reconnection: Sendable, Equatable {
  /// 1 for the first failure after a good answer.
  public let attempt: Int
  /// How long it waits before the next poll.
  public let delay: Duration
  public let error: HoldfastClientError
}

extension HoldfastClient {
  /// Follows channels: every message after the start, in order, each once, until the task is cancelled.
  ///
  /// A lost connection, a server that is away, overloaded or restarting is no end: the subscription waits (at random up
  /// to 1 s, then 2 s, 4 s and so on to 30 s; at least the server's `Retry-After`) and asks again with the same cursor.
  /// It asks for more only when all that came was taken, so a slow consumer has at most one answer in memory.
  ///
  /// - Parameters:
  ///   - channels: 1 to 64 channels, each once.
  ///   - start: Where to begin.
  ///   - pollTimeout: How long the server may hold each poll. A poll is given up 5 s after that.
  ///   - onReconnect: Told of each failure before the wait, for a log.
  /// - Returns: A sequence that ends when the task is cancelled, and throws where asking again cannot help: the server
  ///   refused the request (a 4xx other than 408 and 429), or its address is not valid. Each iteration is a
  ///   subscription of its own from the same start.
  public func subscribe(
    to channels: [String], from start: SubscriptionStart = .now, pollTimeout: Duration = .seconds(30),
    onReconnect: (@Sendable (Reconnection) -> Void)? = nil
  ) -> Subscription {
    Subscription(
      client: self, channels: channels, start: start, pollTimeout: pollTimeout, onReconnect: onReconnect)
  }
}

/// The messages and gaps of channels, as they come. See ``HoldfastClient/subscribe(to:from:pollTimeout:onReconnect:)``.
public struct Subscription: AsyncSequence, Sendable {
  public typealias Element = SubscriptionEvent
  public typealias Failure = HoldfastClientError

  let client: HoldfastClient
  let channels: [String]
  let start: SubscriptionStart
  let pollTimeout: Duration
  let onReconnect: (@Sendable (Reconnection) -> Void)?

  public func makeAsyncIterator() -> Iterator {
    Iterator(subscription: self, state: SubscriptionState(from: start, pollTimeout: pollTimeout))
  }

  public struct Iterator: AsyncIteratorProtocol {
    let subscription: Subscription
    var state: SubscriptionState
    private var pending: ArraySlice<SubscriptionEvent> = []
    private var pause = Duration.zero
    private var hasEnded = false

    init(subscription: Subscription, state: SubscriptionState) {
      self.subscription = subscription
      self.state = state
    }

    public mutating func next() async throws(HoldfastClientError) -> SubscriptionEvent? {
      try await next(isolation: nil)
    }

    public mutating func next(
      isolation actor: isolated (any Actor)?
    ) async throws(HoldfastClientError) -> SubscriptionEvent? {
      while !hasEnded {
        if let event = pending.popFirst() { return event }
        switch await poll() {
        case .proceed(let events, let pause):
          pending = events[...]
          self.pause = pause
        case .reconnect(let reconnection):
          subscription.onReconnect?(reconnection)
          pause = reconnection.delay
        case .end(let error):
          hasEnded = true
          if error.code != .cancelled { throw error }
        }
      }
      return nil
    }

    /// Waits as it was told, polls once, and says what follows.
    private mutating func poll(isolation: isolated (any Actor)? = #isolation) async -> SubscriptionState.Step {
      let client = subscription.client
      let timing = client.timing
      if pause > .zero {
        do { try await timing.sleep(pause) } catch { return .end(.cancelled) }
      }
      let start = timing.now()
      do {
        let page = try await client.poll(subscription.channels, cursor: state.cursor, timeout: state.timeout)
        return state.answered(page, elapsed: timing.now() - start, random: timing.random())
      } catch {
        return state.failed(error, random: timing.random())
      }
    }
  }
}
