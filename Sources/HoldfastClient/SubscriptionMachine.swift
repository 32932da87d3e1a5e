import HoldfastProtocol

/// Decides all that a subscription does, and does nothing: moments and chance are parameters, so that it runs in virtual
/// time. PROTOCOL.md ("Clients") has the rules.
///
///                  start                 good answer
///      ┌─────────┐ ────────► ┌────────────┐ ────────► ┌───────────┐ ──┐ good answer: give its events,
///      │ stopped │           │ connecting │           │ connected │   │ poll again
///      └─────────┘ ◄───────  └────────────┘           └───────────┘ ◄─┘
///           ▲     stop or      │  ▲ the wait is over,   │
///           │     refusal,     ▼  │ or cut by wake      │ failure
///           └───────────── ┌─────────┐ ◄───────────────┘
///        too many failures │ waiting │ ◄── failure while connecting
///                          └─────────┘
///
/// A driver asks for ``nextStep(at:)``, takes it, tells what came of it, and asks again; whatever else happens (``stop()``,
/// ``sleep()``, ``wake(at:)``) is told in between, and says whether the step under way is to be given up.
///
/// Guarantees: one poll at a time at most. The cursor moves over an event only when that was handled, so a lost answer, or
/// one that was not taken to its end, is asked for again from there: nothing is skipped and nothing comes twice.
struct SubscriptionMachine {
  /// What is to be done next.
  enum Step: Equatable {
    /// Read the store, then say what it held with ``loaded(_:)``.
    case load
    /// Write this to the store.
    case store(String)
    /// Give this to the consumer; when it asks for more, say ``handled()``.
    case give(SubscriptionEvent)
    /// Poll, then say ``answered(_:at:random:)`` or ``failed(_:at:random:)``.
    case poll(cursor: String, timeout: Duration)
    /// Wait so long, or until interrupted.
    case wait(Duration)
    /// The iteration ends: by itself for the error, or as it was told.
    case end(HoldfastClientError?)
  }

  struct Options {
    var channels: [String]
    var start: SubscriptionStart
    var pollTimeout = Duration.seconds(30)
    var delays = RetryDelays(min: .seconds(1), max: .seconds(30))
    var maxRetries: Int?
    var hasStore = false
  }

  /// An empty answer sooner than this came "at once", and a poll begun later than this ago is as good as a new one.
  static let promptly = Duration.seconds(1)

  /// What the consumer is to be told, oldest first. The driver takes them off.
  var notices: [Subscription.Notice] = []

  private let options: Options
  private(set) var cursor: String
  private(set) var state = Subscription.State.stopped
  /// Why it stopped by itself.
  private var end: HoldfastClientError?
  /// Messages up to this timestamp are not wanted: the start was `.since`.
  private var droppedThrough: Double?
  private var delivery: Delivery?
  private var poll: (began: Duration, timeout: Duration)?
  private var wait: RetryWait? { didSet { isWaitNew = oldValue == nil } }
  private var isWaitNew = false
  private var isAsleep = false
  private var needsLoad = false
  /// Whether the cursor is what the store held, unless it has moved.
  private var isLoaded = false
  private var hasMoved = false
  private var unstored: String?
  /// In a row.
  private var failures = 0
  private var emptyAnswers = 0

  init(_ options: Options) {
    self.options = options
    cursor = options.start.cursor
    droppedThrough = options.start.timestamp
  }

  /// Whether the consumer has an event that it has not handled.
  var isInHand: Bool { delivery?.isInHand ?? false }

  mutating func nextStep(at now: Duration) -> Step {
    if let text = unstored {
      unstored = nil
      return .store(text)
    }
    if state == .stopped {
      defer { end = nil }
      return .end(end)
    }
    if needsLoad { return .load }
    if let event = nextEvent() { return .give(event) }
    if isAsleep { return .wait(.centuries) }
    if let wait {
      let left = wait.left(at: now)
      // One of no length is a wait too: others have their turn between two attempts, and see the state.
      guard left <= .zero && !isWaitNew else {
        isWaitNew = false
        return .wait(max(left, .zero))
      }
      self.wait = nil
      if state == .waiting { change(to: .connecting) }
    }
    let timeout = pollTimeout
    poll = (now, timeout)
    return .poll(cursor: cursor, timeout: timeout)
  }

  /// The first poll after a start or a failure is not held, so that it is known at once whether there is a connection. Nor
  /// is one with `now`: were it lost, a second `now` would stand behind the messages in between.
  private var pollTimeout: Duration {
    let hasNow = cursor.split(separator: WireCursor.slotSeparator).contains { $0 == WireCursor.now }
    return state != .connected || hasNow ? .zero : options.pollTimeout
  }

  private mutating func nextEvent() -> SubscriptionEvent? {
    guard let event = delivery?.next() else {
      if let delivery { move(to: delivery.cursor) }
      delivery = nil
      return nil
    }
    return event
  }

  private mutating func move(to next: String?) {
    guard let next, next != cursor else { return }
    cursor = next
    hasMoved = true
    if options.hasStore { unstored = next }
  }

  private mutating func change(
    to next: Subscription.State, because reason: HoldfastClientError? = nil, delay: Duration? = nil
  ) {
    let previous = state
    guard next != previous else { return }
    state = next
    notices.append(.state(Subscription.Change(state: next, previous: previous, delay: delay, reason: reason)))
    if next == .connected { notices.append(.connected) }
    if let reason, previous == .connected || next == .stopped {
      notices.append(.disconnected(reason, retrying: next != .stopped))
    }
  }
}

// MARK: What happens

extension SubscriptionMachine {
  /// Begins, or goes on where it was.
  mutating func start() {
    guard state == .stopped else { return }
    failures = 0
    emptyAnswers = 0
    end = nil
    needsLoad = options.hasStore && !hasMoved
    change(to: .connecting)
  }

  /// Ends it. What the consumer has in hand still counts when it is handled; what follows is asked for again.
  mutating func stop(because reason: HoldfastClientError = .stopped) {
    change(to: .stopped, because: reason)
    poll = nil
    wait = nil
    isAsleep = false
    if !isInHand { delivery = nil }
  }

  /// The consumer is gone with what it had in hand: that was not handled.
  mutating func abandon() {
    stop()
    delivery = nil
  }

  /// The consumer has handled what it had in hand.
  mutating func handled() {
    guard isInHand else { return }
    delivery?.handled()
    move(to: delivery?.cursor)
    if state == .stopped { delivery = nil }
  }

  /// - Parameter cursor: What the store held; nothing where it failed or was empty.
  mutating func loaded(_ cursor: String?) {
    needsLoad = false
    guard let cursor, !hasMoved else { return }
    self.cursor = cursor
    droppedThrough = nil
    isLoaded = true
  }

  mutating func report(_ error: HoldfastClientError) { notices.append(.error(error)) }

  /// - Parameter random: gives what is from 0 to 1.
  mutating func answered(_ page: MessagePage, at now: Duration, random: () -> Double) {
    guard let poll else { return }
    self.poll = nil
    let isFirst = state != .connected
    let isPrompt = now - poll.began < (poll.timeout > .zero ? min(Self.promptly, poll.timeout) : Self.promptly)
    let isReset = page.gaps.contains { $0.reason == .reset }
    // A log that begins anew each time is no news either.
    let isIdle = (page.messages.isEmpty || isReset) && !isFirst
    emptyAnswers = isIdle && isPrompt ? emptyAnswers + 1 : 0
    failures = 0
    change(to: .connected)
    // A log that began anew may have timestamps before the old one's: all that is in it is later news.
    if isReset { droppedThrough = nil }
    if page.messages.isEmpty && page.gaps.isEmpty {
      move(to: page.cursor)
    } else {
      delivery = Delivery(page, from: cursor, channels: options.channels) { message in
        droppedThrough.map { message.timestamp > $0 } ?? true
      }
    }
    // Such answers are legitimate: a server gives one on each connection that is open still, for the second that it takes to
    // shut down. A row that goes on, paced as it is, is a broken proxy's.
    guard emptyAnswers > 1 else { return }
    if emptyAnswers == 5 { report(.answersEmpty) }
    wait = options.delays.wait(after: emptyAnswers - 1, now: now, random: random())
  }

  /// - Parameter random: gives what is from 0 to 1.
  mutating func failed(_ error: HoldfastClientError, at now: Duration, random: () -> Double) {
    guard poll != nil else { return }
    poll = nil
    if isLoaded && !hasMoved && error.code == .cursorMalformed {
      isLoaded = false
      report(.storeFailed(error))
      cursor = options.start.cursor
      droppedThrough = options.start.timestamp
      return
    }
    guard error.isTransient, failures < options.maxRetries ?? .max else {
      end = error
      return stop(because: error)
    }
    failures += 1
    let wait = options.delays.wait(after: failures, retryAfter: error.retryAfter, now: now, random: random())
    self.wait = wait
    change(to: .waiting, because: error, delay: wait.delay)
  }

  /// The process is about to be frozen: nothing is asked until ``wake(at:)``.
  ///
  /// - Returns: Whether the step under way is to be given up.
  mutating func sleep() -> Bool {
    guard state != .stopped else { return false }
    isAsleep = true
    poll = nil
    return true
  }

  /// The process goes on, or the network is back. A poll under way may be on a dead connection, so it is repeated, unless
  /// it is quite new: such signs come several at once.
  ///
  /// - Returns: Whether the step under way is to be given up.
  mutating func wake(at now: Duration) -> Bool {
    isAsleep = false
    wait?.cut()
    if let poll {
      guard now - poll.began >= Self.promptly else { return false }
      self.poll = nil
    }
    return true
  }
}
