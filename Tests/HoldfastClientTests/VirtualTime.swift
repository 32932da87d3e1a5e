@testable import HoldfastClient
import Synchronization

/// A clock that only the waits move: each returns at once and is written down. Chance always says `random`.
final class VirtualTime: Sendable {
  private let state = Mutex<(now: Duration, waits: [Duration], deadlines: [Duration])>((.zero, [], []))

  var waits: [Duration] { state.withLock { $0.waits } }
  var deadlines: [Duration] { state.withLock { $0.deadlines } }

  /// A client over real sockets, in this time.
  ///
  /// - Parameter deadlinePasses: returns when a request's time is over; by default it never is.
  func client(
    _ server: ScriptedServer, random: Double = 0.5, maxRetries: Int? = nil,
    deadlinePasses: @escaping @Sendable () async -> Void = VirtualTime.never
  ) throws -> HoldfastClient {
    var configuration = HoldfastClient.Configuration()
    configuration.maxRetries = maxRetries
    var world = ClientWorld.system(.holdfast)
    world.now = { self.state.withLock { $0.now } }
    world.sleep = { duration in
      // What waits for something else than time.
      if duration >= .centuries { await VirtualTime.never() }
      try Task.checkCancellation()
      self.state.withLock {
        $0.now += duration
        $0.waits.append(duration)
      }
    }
    world.deadline = { duration in
      self.state.withLock { $0.deadlines.append(duration) }
      await deadlinePasses()
      try Task.checkCancellation()
    }
    world.random = { random }
    return try HoldfastClient(server: server.address, configuration: configuration, world: world)
  }

  /// Returns only when the task is cancelled.
  @Sendable static func never() async {
    let (stream, continuation) = AsyncStream<Never>.makeStream()
    for await _ in stream {}
    continuation.finish()
  }
}
