@testable import HoldfastClient
import Synchronization

/// A clock that only the waits move: each returns at once and is written down. Chance always says `random`.
final class VirtualTime: Sendable {
  private let state = Mutex<(now: Duration, waits: [Duration], deadlines: [Duration])>((.zero, [], []))

  var waits: [Duration] { state.withLock { $0.waits } }
  var deadlines: [Duration] { state.withLock { $0.deadlines } }

  /// - Parameter deadlinePasses: returns when a request's time is over; by default it never is.
  func timing(
    random: Double = 0.5, deadlinePasses: @escaping @Sendable () async -> Void = VirtualTime.never
  ) -> ClientTiming {
    ClientTiming(
      now: { self.state.withLock { $0.now } },
      sleep: { duration in
        try Task.checkCancellation()
        self.state.withLock {
          $0.now += duration
          $0.waits.append(duration)
        }
      },
      deadline: { duration in
        self.state.withLock { $0.deadlines.append(duration) }
        await deadlinePasses()
        try Task.checkCancellation()
      },
      random: { random })
  }

  /// Returns only when the task is cancelled.
  @Sendable static func never() async {
    let (stream, continuation) = AsyncStream<Never>.makeStream()
    for await _ in stream {}
    continuation.finish()
  }
}
