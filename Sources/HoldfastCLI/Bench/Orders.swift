import Histogram

extension Bench {
  /// What the parent tells a worker, one JSON value a line on its standard input. Each is answered by one final
  /// `WorkerEvent`, `stop` by the one of the order that it cuts short.
  enum Order: Codable {
    case connect
    case publish(PublishOrder)
    /// Count from here on: the numbers are the last ones published on each channel.
    case measure(last: [UInt32])
    /// Wait until all that was published has come, `graceSeconds` at most without one that does.
    case drain(last: [UInt32], voids: Set<UInt64>, graceSeconds: Double)
    case disconnect
    case stop
  }

  struct PublishOrder: Codable {
    var pace: Pace
    /// Only the channels below this number are published to.
    var channels: Int
    /// So many messages in all; nil: until the time is over.
    var messages: Int?
    var seconds: Double
  }

  /// What a worker says, one JSON value a line on its standard output.
  struct WorkerEvent: Codable {
    enum Kind: String, Codable { case progress, done }
    var kind: Kind
    var tally: Tally
    var published: Published?
    var drained: Drained?
  }

  /// A worker's running counts.
  struct Tally: Codable {
    /// Polls whose request is with the server.
    var held = 0
    var acknowledged = 0
    var received = 0
    var troubles = Troubles()

    static func += (sum: inout Tally, other: Tally) {
      sum.held += other.held
      sum.acknowledged += other.acknowledged
      sum.received += other.received
      sum.troubles += other.troubles
    }
  }

  /// What went other than it should, since the worker started.
  struct Troubles: Codable {
    /// Answers by their status, where it was not the one asked for.
    var statuses: [Int: Int] = [:]
    /// Connections that could not be made, or broke.
    var connections = 0
    /// Answers that could not be read.
    var malformed = 0
    /// Messages that came on another channel than theirs.
    var misdirected = 0
    /// Answers that told of a gap.
    var gaps = 0
    /// Polls that ended with nothing: no trouble by itself.
    var timeouts = 0
    /// The first of each kind, in words.
    var samples: [String] = []

    mutating func sample(_ text: @autoclosure () -> String) {
      guard samples.count < 5 else { return }
      let words = text()
      if !samples.contains(words) { samples.append(words) }
    }

    static func += (sum: inout Troubles, other: Troubles) {
      sum.statuses.merge(other.statuses, uniquingKeysWith: +)
      sum.connections += other.connections
      sum.malformed += other.malformed
      sum.misdirected += other.misdirected
      sum.gaps += other.gaps
      sum.timeouts += other.timeouts
      for words in other.samples { sum.sample(words) }
    }

    var total: Int { statuses.values.reduce(0, +) + connections + malformed + misdirected }
  }

  /// How a publish order ended.
  struct Published: Codable {
    var acknowledged = 0
    /// Without a good answer. Such a message may have been published or not, so nobody is owed it.
    var failed = 0
    /// Due, but not sent when the time was over.
    var unsent = 0
    /// The server could not be reached any more, and the order was not ended.
    var isUnreachable = false
    /// What the acknowledged messages owe in deliveries.
    var expected = 0
    var seconds = 0.0
    /// The longest that this process noticed a message later than it was due: the load generator's own fault.
    var latenessMax: UInt64 = 0
    /// From sending a message to its acknowledgement, in nanoseconds.
    var latency = Latencies.empty()
    var last: [UInt32] = []
    /// Numbers of failed messages: channel << 32 | number.
    var voids: Set<UInt64> = []
  }

  /// What the polls of one worker received since `measure`.
  struct Drained: Codable {
    var received = 0
    var duplicated = 0
    var outOfOrder = 0
    /// Messages that were owed and did not come.
    var lost = 0
    var answers = 0
    /// From publishing to the poll's having it, in nanoseconds.
    var latency = Latencies.empty()
    var cpuSeconds = 0.0

    static func += (sum: inout Drained, other: Drained) {
      sum.received += other.received
      sum.duplicated += other.duplicated
      sum.outOfOrder += other.outOfOrder
      sum.lost += other.lost
      sum.answers += other.answers
      sum.latency.add(other.latency)
      sum.cpuSeconds += other.cpuSeconds
    }
  }

  /// Times in nanoseconds to three digits, from a microsecond to two minutes.
  enum Latencies {
    static let max: UInt64 = 120_000_000_000

    static func empty() -> Histogram<UInt64> {
      Histogram(lowestDiscernibleValue: 1000, highestTrackableValue: max, numberOfSignificantValueDigits: .three)
    }
  }
}
