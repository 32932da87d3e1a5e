/// The values of `status` in an answer.
public enum WireStatus: String, Sendable, CaseIterable {
  /// A poll or a history with its list of messages, which may be empty beside a `gap` or in a history.
  case messages
  /// One message, in the simple form (`since`).
  case message
  /// Nothing came within the poll's timeout.
  case timeout
  case published
  /// An item of a batch that was refused; its `code` says why.
  case failed
  case deleted
  case ok
  case ready
  case draining
}

/// Why messages after a cursor can no longer be given.
public enum WireGapReason: String, Sendable, CaseIterable {
  /// Retention removed them, and `missed` is their exact number (or `null` after a `since`, which cannot tell).
  case expired
  /// The cursor names a log that is gone; nobody can tell how many were missed.
  case reset
}

/// The words that stand for a position in place of a cursor.
public enum WireCursor {
  /// Only what comes next.
  public static let now = "now"
  /// All that is retained.
  public static let earliest = "earliest"
  /// What joins the slots of a cursor of several channels.
  public static let slotSeparator = "."
}
