/// Where a read of a log starts.
public enum ReadStart: Hashable, Sendable {
  /// At the end: nothing is there yet, and what comes later counts.
  case now
  /// With the oldest message retained.
  case earliest
  /// With the first message of a later timestamp.
  case since(Timestamp)
  /// After a message.
  case after(Position)

  public init(_ slot: Cursor.Slot) {
    switch slot {
    case .now: self = .now
    case .earliest: self = .earliest
    case .after(let position): self = .after(position)
    }
  }
}

/// What one read of one log gave.
public struct Page: Hashable, Sendable {
  public var messages: [Message] = []
  /// What could no longer be given, before the messages.
  public var gap: Gap?
  /// The cursor of somebody who takes nothing of this page.
  public var origin: Cursor.Slot
  /// The cursor after the last message, or at the head of the log where there are none.
  public var next: Position
  /// Whether more messages than these are retained.
  public var more = false
  /// Of the newest message the log ever held, whether or not it is still there; 0 where none is remembered. Who reads
  /// by timestamp goes on from here when there is nothing to take.
  public var timestamp = Timestamp(microseconds: 0)

  public init(
    messages: [Message] = [], gap: Gap? = nil, origin: Cursor.Slot, next: Position, more: Bool = false,
    timestamp: Timestamp = Timestamp(microseconds: 0)
  ) {
    self.messages = messages
    self.gap = gap
    self.origin = origin
    self.next = next
    self.more = more
    self.timestamp = timestamp
  }

  /// Whether there is nothing to tell, so that a poll waits.
  public var isEmpty: Bool { messages.isEmpty && gap == nil }
}
