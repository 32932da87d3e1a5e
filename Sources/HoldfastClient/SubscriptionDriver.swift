import Synchronization

/// Does what the ``SubscriptionMachine`` decides. All of it happens in the consumer's own task, within `next`: between two
/// calls nothing is under way.
final class SubscriptionDriver: Sendable {
  /// One iteration.
  fileprivate struct Place {
    let number: Int
    let interrupts = Interrupts()
  }

  private struct State {
    var machine: SubscriptionMachine
    var current: Place?
    /// Those that wait for the end of the current one, in order.
    var waiting: [Place] = []
    var lastNumber = 0
    var isTelling = false

    /// The current one is over; the one that waited the longest begins.
    mutating func handOn() -> Place? {
      current = waiting.isEmpty ? nil : waiting.removeFirst()
      if current != nil { machine.start() }
      return current
    }
  }

  private let client: HoldfastClient
  private let channels: [String]
  private let limit: Int?
  private let store: (any CursorStore)?
  private let onNotice: (@Sendable (Subscription.Notice) -> Void)?
  private let state: Mutex<State>

  init(
    _ options: SubscriptionMachine.Options, client: HoldfastClient, limit: Int?, store: (any CursorStore)?,
    onNotice: (@Sendable (Subscription.Notice) -> Void)?
  ) {
    self.client = client
    channels = options.channels
    self.limit = limit
    self.store = store
    self.onNotice = onNotice
    state = Mutex(State(machine: SubscriptionMachine(options)))
  }

  deinit { client.core.unfollow(self) }

  private var world: ClientWorld { client.core.world }

  func machine<Value: Sendable>(_ body: (inout SubscriptionMachine) -> Value) -> Value {
    state.withLock { body(&$0.machine) }
  }

  /// A new iteration, which begins at once unless there is another.
  func begin() -> SubscriptionRun {
    let place = state.withLock { state in
      state.lastNumber += 1
      let place = Place(number: state.lastNumber)
      if state.current == nil {
        state.current = place
        state.machine.start()
      } else {
        state.waiting.append(place)
      }
      return place
    }
    tell()
    return SubscriptionRun(driver: self, place: place)
  }

  func stop() {
    let stopped = state.withLock { state in
      state.machine.stop()
      let stopped = state.waiting + [state.current].compactMap(\.self)
      state.waiting = []
      if !state.machine.isInHand { state.current = nil }
      return stopped
    }
    for place in stopped { place.interrupts.interrupt() }
    tell()
  }

  func sleep() {
    state.withLock { $0.machine.sleep() ? $0.current : nil }?.interrupts.interrupt()
    tell()
  }

  func wake() {
    let now = world.now()
    state.withLock { $0.machine.wake(at: now) ? $0.current : nil }?.interrupts.interrupt()
    tell()
  }

  /// Ends one iteration.
  ///
  /// - Parameter isGone: nobody will ask for what follows, so that what was given last was not handled.
  fileprivate func end(_ place: Place, isGone: Bool) {
    let concerned = state.withLock { state -> Place? in
      guard state.current?.number == place.number else {
        state.waiting.removeAll { $0.number == place.number }
        return nil
      }
      if isGone { state.machine.abandon() } else { state.machine.stop() }
      return state.machine.isInHand ? nil : state.handOn()
    }
    place.interrupts.interrupt()
    concerned?.interrupts.interrupt()
    tell()
  }

  /// Tells what there is to tell. What a consumer of it brings about is told behind it, never within it.
  private func tell() {
    let isFirst = state.withLock { state in
      defer { state.isTelling = true }
      return !state.isTelling
    }
    guard isFirst else { return }
    while let notice = nextNotice() { onNotice?(notice) }
  }

  private func nextNotice() -> Subscription.Notice? {
    state.withLock { state in
      guard state.machine.notices.isEmpty else { return state.machine.notices.removeFirst() }
      state.isTelling = false
      return nil
    }
  }
}

// MARK: The loop

extension SubscriptionDriver {
  fileprivate func next(_ place: Place) async throws(HoldfastClientError) -> SubscriptionEvent? {
    let result = await withTaskCancellationHandler {
      await nextEvent(place)
    } onCancel: {
      end(place, isGone: false)
    }
    return try result.get()
  }

  private func nextEvent(_ place: Place) async -> Result<SubscriptionEvent?, HoldfastClientError> {
    state.withLock { if $0.current?.number == place.number { $0.machine.handled() } }
    while true {
      // Who is told of a connection may end it: so first tell, then decide, and tell what that changed.
      tell()
      let ticket = place.interrupts.ticket
      let step = nextStep(place)
      tell()
      switch step {
      case .load: await load()
      case .store(let cursor): await keep(cursor)
      case .give(let event): return .success(event)
      case .poll(let cursor, let timeout):
        let outcome = await place.interrupts.run(ticket, on: world.executor) { [self] in
          await client.page(channels, cursor: cursor, timeout: timeout, limit: limit)
        }
        if let outcome { take(outcome) }
      case .wait(let duration):
        _ = await place.interrupts.run(ticket, on: world.executor) { [world = world] in try? await world.sleep(duration)
        }
      case .end(let error):
        if let error { return .failure(error) }
        return .success(nil)
      }
    }
  }

  private func nextStep(_ place: Place) -> SubscriptionMachine.Step {
    let now = world.now()
    let (step, successor) = state.withLock { state -> (SubscriptionMachine.Step, Place?) in
      guard state.current?.number == place.number else {
        let isWaiting = state.waiting.contains { $0.number == place.number }
        return (isWaiting ? .wait(.centuries) : .end(nil), nil)
      }
      let step = state.machine.nextStep(at: now)
      if case .end = step { return (step, state.handOn()) }
      return (step, nil)
    }
    successor?.interrupts.interrupt()
    return step
  }

  private func take(_ outcome: Result<MessagePage, HoldfastClientError>) {
    let now = world.now()
    state.withLock { state in
      switch outcome {
      case .success(let page): state.machine.answered(page, at: now, random: world.random)
      case .failure(let error): state.machine.failed(error, at: now, random: world.random)
      }
    }
  }

  private func load() async {
    do {
      let cursor = try await store?.get()
      machine { $0.loaded(cursor) }
    } catch {
      machine {
        $0.report(.storeFailed(error))
        $0.loaded(nil)
      }
    }
  }

  private func keep(_ cursor: String) async {
    do {
      try await store?.set(cursor)
    } catch {
      machine { $0.report(.storeFailed(error)) }
    }
  }
}

/// What an iterator holds: when the last copy of that is gone, so is the consumer.
final class SubscriptionRun: Sendable {
  private let driver: SubscriptionDriver
  private let place: SubscriptionDriver.Place

  fileprivate init(driver: SubscriptionDriver, place: SubscriptionDriver.Place) {
    self.driver = driver
    self.place = place
  }

  deinit { driver.end(place, isGone: true) }

  func next() async throws(HoldfastClientError) -> SubscriptionEvent? { try await driver.next(place) }
}
