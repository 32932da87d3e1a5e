import Glibc
import Synchronization

/// A client behind a proxy: it polls from its cursor on, again after every answer and every break.
final class Subscriber: Sendable {
  struct Seen: Sendable {
    /// What the messages said, in order.
    var data: [String] = []
    /// The reasons of the gaps that it was told of.
    var gaps: [String] = []
    /// Polls that were not answered with 200.
    var breaks: [String] = []
  }

  private let state = Mutex(Seen())
  private let isOver = Atomic<Bool>(false)

  /// Begins with the next message. Ends with ``end()`` and not before.
  init(_ proxy: Proxy, _ channel: String, _ version: Curl.Version) throws {
    let first = try proxy.ask("/api/poll/\(channel)?timeout=0", version).json()
    guard let now = first["cursor"]?.string else { throw Failure("no cursor in \(first)") }
    startThread { [self] in
      var cursor = now
      while !isOver.load(ordering: .relaxed) {
        do {
          let reply = try proxy.ask("/api/poll/\(channel)?timeout=3&cursor=\(cursor)", version)
          try expect(reply.status, is: 200, "the status of \(reply)")
          cursor = try take(reply.json())
        } catch {
          state.withLock { $0.breaks.append("\(error)") }
          poll(nil, 0, 50)
        }
      }
    }
  }

  var seen: Seen { state.withLock { $0 } }

  func end() { isOver.store(true, ordering: .relaxed) }

  /// Waits until so many messages have come.
  func expectCount(_ count: Int) throws {
    try eventually(within: Connection.patience, "\(count) messages come") {
      seen
    } until: {
      $0.data.count >= count
    }
  }

  /// - Returns: The cursor to go on with.
  private func take(_ answer: JSON) throws -> String {
    guard let cursor = answer["cursor"]?.string else { throw Failure("no cursor in \(answer)") }
    state.withLock { seen in
      seen.data += (answer["messages"]?.array ?? []).map { $0["data"]?.scalarText ?? "" }
      seen.gaps += (answer["gap"]?.array ?? []).map { $0["reason"]?.string ?? "" }
    }
    return cursor
  }
}
