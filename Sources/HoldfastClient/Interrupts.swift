import Synchronization

/// Lets one thing be waited for that somebody else may end.
///
/// Take a ``ticket`` first, then decide what to wait for, then ``run(_:on:_:)``. Whoever changes what the decision was
/// made from calls ``interrupt()`` afterwards. So no interrupt is lost: one that comes between the ticket and the wait
/// makes the wait end before it begins.
final class Interrupts: Sendable {
  private struct State {
    var number = 0
    var cancel: (@Sendable () -> Void)?
  }

  private let state = Mutex(State())

  var ticket: Int { state.withLock { $0.number } }

  func interrupt() {
    let cancel = state.withLock { state in
      state.number += 1
      defer { state.cancel = nil }
      return state.cancel
    }
    cancel?()
  }

  /// What `body` gives, or `nil` when it was interrupted; then `body` was cancelled, or did not begin.
  func run<Value: Sendable>(
    _ ticket: Int, on executor: (any TaskExecutor)?, _ body: @escaping @Sendable () async -> Value
  ) async -> Value? {
    let begun = state.withLock { state -> Task<Value, Never>? in
      guard state.number == ticket else { return nil }
      let task = Task(executorPreference: executor, operation: body)
      state.cancel = { task.cancel() }
      return task
    }
    guard let task = begun else { return nil }
    let value = await withTaskCancellationHandler {
      await task.value
    } onCancel: {
      task.cancel()
    }
    return state.withLock { state in
      guard state.number == ticket else { return nil }
      state.cancel = nil
      return value
    }
  }
}
