/// What a driver does for a ``ServerLoop``: bytes out, and ends of connections. A token is the driver's name of a
/// connection: a small integer, used again only after the loop was told that it closed.
///
/// A transport never calls the loop back from within these; what it has to say comes in a later turn.
protocol Transport {
  /// Sends bytes. What the kernel does not take at once is kept and sent later; then ``ServerLoop/drained(_:at:)`` is due.
  /// - Returns: Whether all was taken.
  mutating func send(_ bytes: [UInt8], to token: Int32) -> Bool

  /// Stops or goes on reading, so that a client who does not take answers cannot go on asking.
  mutating func setReading(_ isReading: Bool, _ token: Int32)

  /// Tells the client that nothing more comes. What it still sends goes on being read. Only where nothing is kept for it.
  mutating func shutdownOutput(_ token: Int32)

  /// Whether there is another driver beside, for what this one does not do, and it can take a connection now.
  var handsOver: Bool { get }

  /// Gives a connection to that driver, with the bytes that have come and were not answered. Nothing is kept for it, and
  /// ``ServerLoop/closed(_:)`` does not follow. Only where ``handsOver``.
  mutating func handOver(_ token: Int32, _ bytes: [UInt8])

  /// Closes at once. ``ServerLoop/closed(_:)`` does not follow.
  mutating func close(_ token: Int32)
}

extension Transport {
  var handsOver: Bool { false }
  mutating func handOver(_: Int32, _: [UInt8]) { preconditionFailure("there is no driver beside this one") }
}
