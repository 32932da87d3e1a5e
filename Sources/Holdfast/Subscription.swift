import DequeModule

/// All that comes on some channels; see ``Hub/subscribe(to:from:)``.
public struct Subscription: AsyncSequence, Sendable {
  public enum Event: Hashable, Sendable {
    case message(Message)
    /// Messages that can no longer be given; told before the channel's next one.
    case gap(Gap)
  }

  let hub: Hub
  let channels: [ChannelName]
  let cursor: Cursor

  public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(hub: hub, channels: channels, cursor: cursor) }

  public struct AsyncIterator: AsyncIteratorProtocol {
    private let hub: Hub
    private let channels: [ChannelName]
    private var events: Deque<Event> = []
    /// The cursor of the last answer, all of whose events it is past.
    private var fetched: Cursor
    /// Past what `next()` has handed out: to be kept, and given to ``Hub/subscribe(to:after:)`` after a restart.
    public private(set) var cursor: Cursor

    init(hub: Hub, channels: [ChannelName], cursor: Cursor) {
      self.hub = hub
      self.channels = channels
      self.cursor = cursor
      fetched = cursor
    }

    /// - Throws: ``HoldRefusal``, `CancellationError`.
    public mutating func next() async throws -> Event? {
      while events.isEmpty {
        let answer = try await hub.poll(channels, after: fetched)
        fetched = answer.cursor
        cursor = answer.isEmpty ? fetched : cursor
        events.append(contentsOf: answer.gaps.map { .gap($0) })
        events.append(contentsOf: answer.messages.map { .message($0) })
      }
      let event = events.removeFirst()
      if events.isEmpty {
        cursor = fetched
      } else if case .message(let message) = event, let index = channels.firstIndex(of: message.channel) {
        cursor.slots[index] = .after(message.id)
      }
      return event
    }
  }
}
