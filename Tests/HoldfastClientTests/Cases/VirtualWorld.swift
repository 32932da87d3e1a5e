@testable import HoldfastClient
import Synchronization

/// A world for a client in which time, network and chance are the test's, and all tasks run on the test's own thread.
/// Requests stay open until the test answers them.
final class VirtualWorld: Sendable {
  /// A request that was not answered.
  struct Open: Sendable {
    var number: Int
    var request: WireRequest
    var head: CheckedContinuation<WireResponse, any Error>?
    var body: CheckedContinuation<[UInt8], any Error>?

    var isPublish: Bool { request.method == .post }
  }

  struct Answer: Sendable {
    var status = 200
    var fields: [String: String] = [:]
    var body = ""
  }

  private struct Timer {
    var due: Duration
    var continuation: CheckedContinuation<Void, any Error>
  }

  private struct State {
    /// Far from 0, so that nothing takes that for a moment.
    var now = Duration.seconds(1_000_000)
    var timers: [Int: Timer] = [:]
    var open: [Open] = []
    var randoms: [Double]
    var numbers = 0
    var keys = 0

    mutating func number() -> Int {
      numbers += 1
      return numbers
    }
  }

  let executor = ManualExecutor()
  private let state: Mutex<State>
  private let sent: @Sendable (WireRequest) -> Void
  private let aborted: @Sendable (WireRequest) -> Void

  /// - Parameter randoms: in turn, the last for ever.
  init(
    randoms: [Double], sent: @escaping @Sendable (WireRequest) -> Void,
    aborted: @escaping @Sendable (WireRequest) -> Void
  ) {
    state = Mutex(State(randoms: randoms))
    self.sent = sent
    self.aborted = aborted
  }

  /// What the client is given.
  var parts: ClientWorld {
    ClientWorld(
      now: { self.state.withLock { $0.now } },
      sleep: { try await self.sleep($0) },
      deadline: { try await self.sleep($0) },
      random: { self.state.withLock { $0.randoms.count > 1 ? $0.randoms.removeFirst() : $0.randoms[0] } },
      newID: {
        self.state.withLock { state in
          state.keys += 1
          return "key-\(state.keys)"
        }
      },
      send: { try await self.send($0) },
      executor: executor)
  }

  func sleep(_ duration: Duration) async throws {
    let number = state.withLock { $0.number() }
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
        guard !Task.isCancelled else { return continuation.resume(throwing: CancellationError()) }
        state.withLock { $0.timers[number] = Timer(due: $0.now + duration, continuation: continuation) }
      }
    } onCancel: {
      state.withLock { $0.timers.removeValue(forKey: number) }?.continuation.resume(throwing: CancellationError())
    }
  }

  /// Lets time pass; each timer ends at its moment, and all that follows from it happens before the next.
  func advance(_ duration: Duration) {
    let end = state.withLock { $0.now + duration }
    while true {
      executor.drain()
      let due = state.withLock { state -> Timer? in
        // A microsecond is lost in products with fractions.
        guard let next = state.timers.min(by: { ($0.value.due, $0.key) < ($1.value.due, $1.key) }),
          next.value.due <= end + .microseconds(1)
        else { return nil }
        state.now = max(state.now, next.value.due)
        return state.timers.removeValue(forKey: next.key)
      }
      guard let due else { break }
      due.continuation.resume()
    }
    state.withLock { $0.now = end }
  }

  private func send(_ request: WireRequest) async throws -> WireResponse {
    let number = state.withLock { $0.number() }
    sent(request)
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        guard !Task.isCancelled else { return continuation.resume(throwing: CancellationError()) }
        state.withLock { $0.open.append(Open(number: number, request: request, head: continuation)) }
      }
    } onCancel: {
      abort(number)
    }
  }

  private func abort(_ number: Int) {
    guard let request = take(where: { $0.number == number }) else { return }
    aborted(request.request)
    request.fail(CancellationError())
  }

  /// The oldest open request to publish, or to poll.
  func open(publish: Bool) -> Open? { state.withLock { $0.open.first { $0.isPublish == publish } } }

  private func take(where isWanted: (Open) -> Bool) -> Open? {
    state.withLock { state in state.open.firstIndex(where: isWanted).map { state.open.remove(at: $0) } }
  }

  /// The head comes, the body does not.
  func stall(_ request: Open) {
    let number = request.number
    let response = WireResponse(status: 200, field: { _ in nil }, body: { try await self.stalledBody(number) })
    state.withLock { state -> CheckedContinuation<WireResponse, any Error>? in
      guard let index = state.open.firstIndex(where: { $0.number == number }) else { return nil }
      defer { state.open[index].head = nil }
      return state.open[index].head
    }?.resume(returning: response)
  }

  private func stalledBody(_ number: Int) async throws -> [UInt8] {
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        state.withLock { state in
          guard let index = state.open.firstIndex(where: { $0.number == number }) else { return }
          state.open[index].body = continuation
        }
      }
    } onCancel: {
      abort(number)
    }
  }

  func answer(_ request: Open, _ answer: Answer) {
    let fields = Dictionary(uniqueKeysWithValues: answer.fields.map { ($0.key.lowercased(), $0.value) })
    take { $0.number == request.number }?.head?
      .resume(
        returning: WireResponse(
          status: answer.status, field: { fields[$0] }, body: { Array(answer.body.utf8) }))
  }

  /// The connection breaks.
  func fail(_ request: Open) {
    take { $0.number == request.number }?.fail(HoldfastClientError(.unreachable, "The server cannot be reached"))
  }
}

extension VirtualWorld.Open {
  fileprivate func fail(_ error: any Error) {
    head?.resume(throwing: error)
    body?.resume(throwing: error)
  }
}
