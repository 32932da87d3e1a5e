import Dispatch
import Glibc

/// Blocking socket code runs on threads of its own: a test that waits in `poll(2)` must never hold one of the few
/// threads of Swift's cooperative pool, or tests would wait for each other.
private let blockingQueue = DispatchQueue(label: "holdfast.tests.blocking", attributes: .concurrent)

/// Runs `body`, which may block, away from the cooperative pool.
func blocking<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
  try await withCheckedThrowingContinuation { continuation in
    blockingQueue.async { continuation.resume(with: Result { try body() }) }
  }
}

/// A moment after which a test gives up. Every wait in these tests is bounded by one.
struct Deadline: Sendable {
  let instant: ContinuousClock.Instant

  static func after(_ duration: Duration) -> Deadline { Deadline(instant: .now + duration) }

  var hasPassed: Bool { instant <= .now }

  /// What `poll(2)` takes: whole milliseconds, rounded up, never negative.
  var milliseconds: Int32 {
    let left = ContinuousClock.now.duration(to: instant)
    guard left > .zero else { return 0 }
    let (seconds, attoseconds) = left.components
    return Int32(clamping: seconds * 1000 + attoseconds / 1_000_000_000_000_000 + 1)
  }
}

/// What went wrong in a test's own machinery, or in what it observed: one sentence.
struct Failure: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}

/// Asks again until the answer is the one looked for, and says what the last one was if it never is.
///
/// Between two questions are a few milliseconds, so that asking is no load test and does not use up the ports.
func eventually<Value>(
  within bound: Duration = .seconds(10), _ what: String, ask: () throws -> Value, until good: (Value) -> Bool
) throws {
  let deadline = Deadline.after(bound)
  while true {
    let value = try ask()
    if good(value) { return }
    if deadline.hasPassed { throw Failure("\(what): not within \(bound); the last answer was \(value)") }
    poll(nil, 0, 5)
  }
}
