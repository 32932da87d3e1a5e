extension Bench {
  /// A connection that publishes, one message at a time.
  struct Publisher {
    enum State: UInt8 { case closed, connecting, ready, waiting }
    var descriptor: Int32 = -1
    var state = State.closed
    /// The message under way.
    var channel = 0
    var sequence: UInt32 = 0
    var sentAt: UInt64 = 0
    /// What the socket has not yet taken of a large message.
    var rest: [UInt8] = []
    /// How many messages it has begun in this order.
    var begun = 0
    /// Messages that were due while it waited, in order: channel and the time at which they were.
    var backlog: [(channel: Int, time: UInt64)] = []
    var backlogHead = 0
    var retryDue: UInt64 = 0
  }

  /// A publish order under way.
  struct Publishing {
    let order: PublishOrder
    let start: UInt64
    /// After this nothing new is sent.
    let end: UInt64
    /// After this no acknowledgement is awaited.
    let giveUp: UInt64
    /// Messages begun or put into a backlog.
    var issued = 0
    var stopped = false
    /// Since when no publisher has been able to connect.
    var unreachableSince: UInt64 = 0

    init(_ order: PublishOrder, at now: UInt64) {
      self.order = order
      start = now
      end = Bench.time(now, plus: order.seconds)
      giveUp = Bench.time(end, plus: 10)
    }

    /// The time at which the next paced message is due.
    var nextMessage: UInt64 {
      guard case .perSecond(let rate) = order.pace else { return .max }
      return Bench.time(start, plus: Double(issued) / rate)
    }

    /// Whether nothing new is to be sent.
    func isOver(_ now: UInt64) -> Bool {
      if stopped || now >= end { return true }
      if let messages = order.messages { return issued >= messages }
      return false
    }

    func due(_ now: UInt64) -> UInt64 { isOver(now) ? now + 5_000_000 : min(nextMessage, now + 20_000_000) }
  }
}
