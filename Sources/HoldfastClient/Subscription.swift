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
  /// What follows a cursor: the id of a message, ``Subscription/cursor``, or the cursor of a ``MessagePage``.
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

  /// Messages up to this one are not wanted.
  var timestamp: Double? {
    if case .since(let timestamp) = self { timestamp } else { nil }
  }
}

extension HoldfastClient {
  /// Follows channels: every message after the start, in order, each once, until it is stopped.
  ///
  ///     for try await event in client.subscribe(to: ["news", "alerts"], from: .earliest) {
  ///       switch event {
  ///       case .message(let message): print(message.channel, message.id)
  ///       case .gap(let gap): print("missed", gap.missed ?? 0, "of", gap.channel)
  ///       }
  ///     }
  ///
  /// A lost connection, a server that is away, overloaded or restarting is no end: the subscription waits (at random up
  /// to 1 s, then 2 s, 4 s and so on to 30 s, as ``Configuration`` says; at least the server's `Retry-After`) and asks
  /// again with the same cursor.
  ///
  /// - Parameters:
  ///   - channels: 1 to 64 channels, each once; all of them in one request.
  ///   - start: Where to begin, unless the store says otherwise.
  ///   - limit: Most messages in one answer, 1 to 1000; 100 unless given.
  ///   - store: Keeps the cursor, so that the next process goes on where this one was. What it holds goes before `start`.
  ///   - onNotice: Told of what happens beside the messages, one thing after another, on whatever thread it happens. It
  ///     must return soon.
  /// - Returns: A sequence that ends with `nil` when its task is cancelled or it is stopped. It throws where asking again
  ///   cannot help: the server refused the request (a 4xx other than 408 and 429), or more failed in a row than
  ///   ``Configuration/maxRetries``.
  public func subscribe(
    to channels: [String], from start: SubscriptionStart = .now, limit: Int? = nil, store: (any CursorStore)? = nil,
    onNotice: (@Sendable (Subscription.Notice) -> Void)? = nil
  ) -> Subscription {
    let options = SubscriptionMachine.Options(
      channels: channels, start: start, pollTimeout: configuration.pollTimeout, delays: configuration.delays,
      maxRetries: configuration.maxRetries, hasStore: store != nil)
    let driver = SubscriptionDriver(options, client: self, limit: limit, store: store, onNotice: onNotice)
    core.follow(driver)
    return Subscription(driver: driver)
  }

  /// Follows one channel; see ``subscribe(to:from:limit:store:onNotice:)-([String],_,_,_,_)``.
  ///
  ///     for try await event in client.subscribe(to: "news") { print(event) }
  public func subscribe(
    to channel: String, from start: SubscriptionStart = .now, limit: Int? = nil, store: (any CursorStore)? = nil,
    onNotice: (@Sendable (Subscription.Notice) -> Void)? = nil
  ) -> Subscription {
    subscribe(to: [channel], from: start, limit: limit, store: store, onNotice: onNotice)
  }
}

/// The messages and gaps of channels, as they come.
///
/// A message counts as handled when the next one is asked for. Only then does the cursor move past it, and only when all
/// of an answer is handled is the server asked for more: a slow consumer has one answer in memory and holds no request.
///
/// An iteration that ends, because its task was cancelled, because of ``stop()`` or because the loop was left, ends the
/// request at once. Iterating again goes on where it was: the message at which a loop was *left* was not handled and comes
/// again; the one at which it was *stopped* does not, if the loop then asked for the next. There is one iteration at a
/// time: one that begins beside another waits for its end.
public struct Subscription: AsyncSequence, Sendable {
  public typealias Element = SubscriptionEvent
  public typealias Failure = HoldfastClientError

  /// Where a subscription is.
  public enum State: String, Sendable {
    /// Nobody iterates.
    case stopped
    /// Asking for the first good answer, after the start or a failure.
    case connecting
    /// The last answer was good.
    case connected
    /// The last attempt failed, and the next one is due later.
    case waiting
  }

  /// A change of ``Subscription/state``.
  public struct Change: Sendable, Equatable {
    public let state: State
    public let previous: State
    /// How long it waits before the next attempt, where it is ``State/waiting``.
    public let delay: Duration?
    /// Why, where it is ``State/waiting`` or ``State/stopped``.
    public let reason: HoldfastClientError?
  }

  /// What happens beside the messages.
  public enum Notice: Sendable, Equatable {
    /// A good answer came, after there was none.
    case connected
    /// No longer connected, or ended, and why; `retrying` says whether it goes on by itself.
    case disconnected(HoldfastClientError, retrying: Bool)
    /// Something is wrong that it lives with: ``HoldfastClientError/Code/answersEmpty`` or
    /// ``HoldfastClientError/Code/storeFailed``.
    case error(HoldfastClientError)
    /// Any change of state; it comes before ``connected`` or ``disconnected(_:retrying:)``.
    case state(Change)
  }

  let driver: SubscriptionDriver

  public var state: State { driver.machine { $0.state } }

  /// The cursor behind all that was handled; give it to a later subscription of the same channels as
  /// ``SubscriptionStart/cursor(_:)``.
  public var cursor: String { driver.machine { $0.cursor } }

  /// Ends the iteration, and any that waits for it: a request or a wait at once; a loop that handles a message when it
  /// asks for the next one. It may be called at any time, any number of times.
  public func stop() { driver.stop() }

  public func makeAsyncIterator() -> Iterator { Iterator(run: driver.begin()) }

  public struct Iterator: AsyncIteratorProtocol {
    let run: SubscriptionRun

    public mutating func next() async throws(HoldfastClientError) -> SubscriptionEvent? {
      try await run.next()
    }

    public mutating func next(
      isolation actor: isolated (any Actor)?
    ) async throws(HoldfastClientError) -> SubscriptionEvent? {
      try await run.next()
    }
  }
}
