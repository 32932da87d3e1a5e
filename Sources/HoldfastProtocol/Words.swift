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
