import Synchronization

/// The waiters of the async API: a ``HubLoop`` under a lock, whose tokens stand for continuations. Whoever publishes runs
/// its turn, which does no more than resume them.
final class AsyncWaiters: Sendable {
  private struct Wait {
    var token: Int32
    /// nil until the caller is suspended, which is after it became a waiter.
    var continuation: CheckedContinuation<Answer, any Error>?
    /// What came before the caller was suspended.
    var result: Result<Answer, any Error>?
  }

  private struct State: ~Copyable {
    var loop: HubLoop
    var waits: [UInt64: Wait] = [:]
    /// The wait behind each token; ids are never used again, so a late time-out or cancellation hits nobody else.
    var ids: [UInt64] = []
    var freeTokens: [Int32] = []
    var lastID: UInt64 = 0

    /// Ends a wait, once. The continuation, if there is one, is to be resumed outside the lock.
    mutating func settle(
      _ id: UInt64, _ result: (inout HubLoop, Int32) -> Result<Answer, any Error>?
    ) -> Resumption? {
      guard let wait = waits[id], wait.result == nil, let result = result(&loop, wait.token) else { return nil }
      freeTokens.append(wait.token)
      guard let continuation = wait.continuation else {
        waits[id]?.result = result
        return nil
      }
      waits[id] = nil
      return Resumption(continuation: continuation, result: result)
    }
  }

  private struct Resumption {
    var continuation: CheckedContinuation<Answer, any Error>
    var result: Result<Answer, any Error>

    func callAsFunction() { continuation.resume(with: result) }
  }

  /// Leads from the loop's mailbox back here without keeping this alive.
  private final class Relay: Sendable {
    private struct Target { weak var waiters: AsyncWaiters? }
    private let target = Mutex(Target())

    func lead(to waiters: AsyncWaiters) { target.withLock { $0.waiters = waiters } }
    func wake() { target.withLock { $0.waiters }?.deliver() }
  }

  private let state: Mutex<State>

  init(core: HubCore) {
    let relay = Relay()
    state = Mutex(State(loop: HubLoop(core: core) { relay.wake() }))
    relay.lead(to: self)
  }

  func poll(_ slots: [HubLoop.Slot], limit: ReadLimit, timeout: Duration) async throws -> Answer {
    let id: UInt64
    switch begin(slots, limit) {
    case .success(.answer(let answer)): return answer
    case .success(.held(let held)): id = held
    case .failure(let refusal): throw refusal
    }
    async let _: Void = timeOut(id, after: timeout)
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { suspend(id, $0) }
    } onCancel: {
      state.withLock { state in
        state.settle(id) { loop, token in
          loop.cancel(token)
          return .failure(CancellationError())
        }
      }?()
    }
  }

  private enum Beginning {
    case answer(Answer)
    case held(UInt64)
  }

  private func begin(_ slots: [HubLoop.Slot], _ limit: ReadLimit) -> Result<Beginning, HoldRefusal> {
    state.withLock { state in
      let token = state.freeTokens.last ?? Int32(state.ids.count)
      switch state.loop.poll(token, on: slots, limit: limit, holder: nil, at: .now()) {
      case .answer(let answer): return .success(.answer(answer))
      case .refused(let refusal): return .failure(refusal)
      case .held: break
      }
      state.lastID += 1
      if state.freeTokens.popLast() == nil { state.ids.append(0) }
      state.ids[Int(token)] = state.lastID
      state.waits[state.lastID] = Wait(token: token)
      return .success(.held(state.lastID))
    }
  }

  private func suspend(_ id: UInt64, _ continuation: CheckedContinuation<Answer, any Error>) {
    let result = state.withLock { state in
      if let result = state.waits[id]?.result {
        state.waits[id] = nil
        return Optional(result)
      }
      state.waits[id]?.continuation = continuation
      return nil
    }
    if let result { continuation.resume(with: result) }
  }

  private func deliver() {
    var due: [Resumption] = []
    state.withLock { state in
      var batch = HubLoop.Batch()
      if !state.loop.collect(into: &batch, at: .now()) { return }
      for delivery in batch.deliveries {
        let answer = batch.answers[Int(delivery.answer)]
        if let resumption = state.settle(state.ids[Int(delivery.token)], { _, _ in .success(answer) }) {
          due.append(resumption)
        }
      }
    }
    for resume in due { resume() }
  }

  private func timeOut(_ id: UInt64, after timeout: Duration) async {
    // A clock cannot count beyond all measure.
    guard (try? await Task.sleep(for: min(timeout, .seconds(365 * 86_400)))) != nil else { return }
    state.withLock { state in
      state.settle(id) { loop, token in loop.timeOut(token, at: .now()).map { .success($0) } }
    }?()
  }
}
