import Histogram

extension Bench {
  /// What a run found; as JSON with these very names, in snake case.
  struct Report: Encodable {
    var load: Load
    var target: Target
    var url: String
    var polls: Int
    var channels: Int
    var activeChannels: Int
    /// Messages a second, or nil for as fast as acknowledged.
    var rate: Double?
    var publishers: Int
    var payloadBytes: Int
    var durationSeconds: Double
    var rounds: [Round] = []
    var publishes: Publishes?
    var deliveries: Deliveries?
    var server: Server?
    var generator: Generator
    var troubles = Troubles()
    /// The share of the machine's CPU time that went to programs other than the server and the generator meanwhile.
    var othersCpuShare: Double?
    /// Why the run was broken off, if it was.
    var broken: String?
    /// From the first message to the last delivery, or the time of holding.
    var measuredSeconds = 0.0
    var wallSeconds = 0.0

    struct Round: Encodable {
      var held: Int
      var heldAtEnd = 0
      var connectSeconds: Double
      var memoryHeldBytes: Int?
      var memoryPerHeldPollBytes: Double?
      var memoryAfterBytes: Int?
    }

    struct Publishes: Encodable {
      var acknowledged: Int
      var failed: Int
      var unsent: Int
      var perSecond: Double
      var latencyMicroseconds: Quantiles?
      /// How late the load generator was with a message, at worst.
      var latenessMaxMicroseconds: Double
    }

    struct Deliveries: Encodable {
      var expected: Int
      var received: Int
      var lost: Int
      var duplicated: Int
      var outOfOrder: Int
      var perSecond: Double
      /// Answers that carried them: an answer to a poll may hold several messages.
      var answers: Int
      var latencyMicroseconds: Quantiles?
    }

    struct Quantiles: Encodable {
      var p50, p90, p99, p999, max, mean: Double

      init?(_ histogram: Histogram<UInt64>) {
        guard histogram.totalCount > 0 else { return nil }
        func at(_ percentile: Double) -> Double { Double(histogram.valueAtPercentile(percentile)) / 1000 }
        (p50, p90, p99, p999) = (at(50), at(90), at(99), at(99.9))
        (max, mean) = (Double(histogram.max) / 1000, histogram.mean / 1000)
      }
    }

    struct Server: Encodable {
      var processes: Int
      var memoryBaselineBytes: Int?
      /// User and system time of all its processes while it was measured.
      var cpuSeconds: Double?
      var cpuMicrosecondsPerDelivery: Double?
      var cpuMicrosecondsPerPublish: Double?
    }

    struct Generator: Encodable {
      var processes: Int
      var cpuSeconds: Double?
      var cpuMicrosecondsPerDelivery: Double?
      var cpuMicrosecondsPerPublish: Double?
    }

    init(_ settings: Bench, processes: Int) {
      load = settings.load
      target = settings.target
      url = "http://\(settings.host):\(settings.port)\(settings.pathPrefix)"
      polls = settings.pollsInAll
      channels = settings.channelsInAll
      activeChannels = settings.activeChannels ?? settings.channelsInAll
      if case .perSecond(let value) = settings.paceInUse { rate = value }
      publishers = settings.publishersInUse
      payloadBytes = settings.payloadBytes
      durationSeconds = settings.seconds
      generator = Generator(processes: processes)
    }

    /// Whether everything that was owed came, once and in order, and nothing broke.
    var isClean: Bool {
      broken == nil && troubles.total == 0 && rounds.allSatisfy { $0.held == polls }
        && (publishes.map { $0.failed == 0 && $0.unsent == 0 } ?? true)
        && (deliveries.map { $0.lost == 0 && $0.duplicated == 0 && $0.outOfOrder == 0 } ?? true)
    }

    mutating func take(_ published: Published, _ drained: Drained) {
      publishes = Publishes(
        acknowledged: published.acknowledged, failed: published.failed, unsent: published.unsent,
        perSecond: Self.ratio(Double(published.acknowledged), published.seconds) ?? 0,
        latencyMicroseconds: Quantiles(published.latency),
        latenessMaxMicroseconds: Double(published.latenessMax) / 1000)
      if polls > 0 {
        deliveries = Deliveries(
          expected: published.expected, received: drained.received, lost: drained.lost,
          duplicated: drained.duplicated, outOfOrder: drained.outOfOrder,
          perSecond: Self.ratio(Double(drained.received), measuredSeconds) ?? 0, answers: drained.answers,
          latencyMicroseconds: Quantiles(drained.latency))
      }
      generator.cpuSeconds = drained.cpuSeconds
      let delivered = Double(drained.received + drained.duplicated)
      generator.cpuMicrosecondsPerDelivery = Self.ratio(drained.cpuSeconds * 1e6, delivered)
      generator.cpuMicrosecondsPerPublish = Self.ratio(drained.cpuSeconds * 1e6, Double(published.acknowledged))
      guard let cpu = server?.cpuSeconds else { return }
      server?.cpuMicrosecondsPerDelivery = Self.ratio(cpu * 1e6, delivered)
      server?.cpuMicrosecondsPerPublish = Self.ratio(cpu * 1e6, Double(published.acknowledged))
    }

    private static func ratio(_ value: Double, _ count: Double) -> Double? { count > 0 ? value / count : nil }
  }
}
