import HoldfastClient
import Synchronization

/// A task that iterates, and what it was given.
final class Follower: Sendable {
  private struct Seen {
    var events: [String] = []
    var hasEnded = false
    var error: HoldfastClientError?
  }

  private final class Log: Sendable {
    let seen = Mutex(Seen())
  }

  private let log = Log()
  private let task: Task<Void, Never>

  /// - Parameter gate: the first event is handled when this ends.
  init(_ subscription: Subscription, after gate: AsyncStream<Void>? = nil) {
    task = Task { [log] in
      do throws(HoldfastClientError) {
        for try await event in subscription {
          let text =
            switch event {
            case .message(let message): String(decoding: message.data, as: UTF8.self)
            case .gap(let gap): "gap \(gap.reason)"
            }
          log.seen.withLock { $0.events.append(text) }
          if let gate { for await _ in gate {} }
        }
      } catch {
        log.seen.withLock { $0.error = error }
      }
      log.seen.withLock { $0.hasEnded = true }
    }
  }

  deinit { task.cancel() }

  func cancel() { task.cancel() }

  var events: [String] { log.seen.withLock { $0.events } }

  var error: HoldfastClientError? { log.seen.withLock { $0.error } }

  /// Exactly these were given so far, or will have been soon.
  func expect(_ events: [String]) throws {
    try eventually(within: .seconds(60), "the \(events.count) events that were published") {
      log.seen.withLock { $0.events }
    } until: {
      $0.count >= events.count
    }
    let seen = log.seen.withLock { $0.events }
    guard seen == events else {
      let first = zip(seen, events).enumerated().first { $0.element.0 != $0.element.1 }
      throw Failure("\(seen.count) events, the first wrong \(String(describing: first)), last \(seen.suffix(5))")
    }
  }

  func expectEnd() throws {
    try eventually(within: .seconds(20), "the end of the iteration") {
      log.seen.withLock { $0.hasEnded }
    } until: {
      $0
    }
  }
}
