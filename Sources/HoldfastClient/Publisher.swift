import Synchronization

/// Decides what becomes of one message whose attempts fail. A value without clock or chance, like ``SubscriptionMachine``.
///
/// A message whose fate is unknown (it was sent, and no answer of Holdfast's told what became of it) is sent again only as
/// long as the server is sure to remember its key.
struct PublishMachine {
  /// The server remembers a key for ten minutes.
  static let fateUnknownMax = Duration.seconds(540)

  let delays: RetryDelays
  let maxRetries: Int?
  private var failures = 0
  private var unknownSince: Duration?
  private var last: HoldfastClientError?

  init(delays: RetryDelays, maxRetries: Int?) {
    self.delays = delays
    self.maxRetries = maxRetries
  }

  /// An attempt failed.
  ///
  /// - Parameters:
  ///   - began: when the attempt began.
  ///   - wasOffline: whether the network was known to be away then, so that nothing was sent.
  ///   - random: gives what is from 0 to 1.
  /// - Returns: the wait before the next attempt.
  /// - Throws: what is the message's end.
  mutating func failed(
    _ error: HoldfastClientError, began: Duration, wasOffline: Bool, at now: Duration, random: () -> Double
  ) throws(HoldfastClientError) -> RetryWait {
    guard error.isTransient, failures < maxRetries ?? .max else { throw error }
    failures += 1
    last = error
    let wasNotPublished = wasOffline || error.isProblem || error.code == .tokenFailed
    if !wasNotPublished && unknownSince == nil { unknownSince = began }
    return delays.wait(after: failures, retryAfter: error.retryAfter, now: now, random: random())
  }

  /// The wait is over.
  func mayGoOn(at now: Duration) throws(HoldfastClientError) {
    guard let unknownSince, now - unknownSince >= Self.fateUnknownMax else { return }
    throw HoldfastClientError(
      .fateUnknown, "The message may have been published", detail: last?.description ?? "")
  }
}

/// Sends one message after another, in the order in which they came.
///
/// There is no task of its own: each message is sent by the task that publishes it, when its turn comes. A task that is
/// cancelled leaves the queue, and the next one has its turn.
final class Publisher: Sendable {
  private struct Place {
    let number: Int
    let interrupts = Interrupts()
  }

  private struct State {
    /// The first has its turn.
    var queue: [Place] = []
    var lastNumber = 0
    /// What the first one waits for.
    var wait: RetryWait?
  }

  private let configuration: HoldfastClient.Configuration
  private let world: ClientWorld
  private let state = Mutex(State())

  init(_ configuration: HoldfastClient.Configuration, world: ClientWorld) {
    self.configuration = configuration
    self.world = world
  }

  /// - Parameter attempt: sends the message once.
  func publish<Receipt: Sendable>(
    isOffline: () -> Bool, _ attempt: () async throws(HoldfastClientError) -> Receipt
  ) async throws(HoldfastClientError) -> Receipt {
    let place = try join()
    defer { leave(place) }
    try await turn(of: place)
    var machine = PublishMachine(delays: configuration.delays, maxRetries: configuration.maxRetries)
    while true {
      let wasOffline = isOffline()
      let began = world.now()
      do {
        return try await attempt()
      } catch {
        let wait = try machine.failed(
          error, began: began, wasOffline: wasOffline, at: world.now(), random: world.random)
        try await sit(wait, at: place)
        try machine.mayGoOn(at: world.now())
      }
    }
  }

  /// The network is back.
  func wake(at now: Duration) {
    state.withLock { state -> Place? in
      guard state.wait != nil else { return nil }
      state.wait?.cut()
      return state.queue.first
    }?.interrupts.interrupt()
  }

  private func join() throws(HoldfastClientError) -> Place {
    let max = configuration.publishQueueMax
    let place = state.withLock { state -> Place? in
      guard state.queue.count < max else { return nil }
      state.lastNumber += 1
      let place = Place(number: state.lastNumber)
      state.queue.append(place)
      return place
    }
    guard let place else {
      throw HoldfastClientError(.queueFull, "Too many messages wait to be published", detail: "\(max) do")
    }
    return place
  }

  private func leave(_ place: Place) {
    let next = state.withLock { state -> Place? in
      let wasFirst = state.queue.first?.number == place.number
      state.queue.removeAll { $0.number == place.number }
      return wasFirst ? state.queue.first : nil
    }
    next?.interrupts.interrupt()
  }

  private func turn(of place: Place) async throws(HoldfastClientError) {
    while true {
      let ticket = place.interrupts.ticket
      if state.withLock({ $0.queue.first?.number == place.number }) { return }
      try await sleep(.centuries, ticket, place)
    }
  }

  private func sit(_ wait: RetryWait, at place: Place) async throws(HoldfastClientError) {
    state.withLock { $0.wait = wait }
    defer { state.withLock { $0.wait = nil } }
    while true {
      let ticket = place.interrupts.ticket
      let now = world.now()
      let left = state.withLock { $0.wait?.left(at: now) ?? .zero }
      if left <= .zero { return }
      try await sleep(left, ticket, place)
    }
  }

  private func sleep(_ duration: Duration, _ ticket: Int, _ place: Place) async throws(HoldfastClientError) {
    _ = await place.interrupts.run(ticket, on: world.executor) { [world = world] in try? await world.sleep(duration) }
    if Task.isCancelled { throw .cancelled }
  }
}
