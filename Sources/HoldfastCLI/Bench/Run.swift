import Glibc

extension Bench {
  /// One run, from the first connection to the report: the order of things, and nothing of how they are done.
  struct Run {
    let settings: Bench
    let crew: Crew
    let probe: ServerProbe?
    let progress: Progress

    /// Measures and reports; what goes wrong on the server's side is in the report, and only what keeps the run from
    /// being made is thrown.
    func report() throws -> Report {
      var report = Report(settings, processes: crew.count)
      let start = now()
      crew.watch = { tally in
        progress.show(tally)
        return probe?.gone().map { "the server's process \($0) ended during the run" }
      }
      let before = probe?.sample()
      report.server = before.map { Report.Server(processes: $0.processes, memoryBaselineBytes: $0.memoryBytes) }
      for number in 1...settings.rounds where crew.broken == nil {
        try round(number, &report, before?.memoryBytes)
      }
      report.broken = crew.broken ?? report.broken
      report.troubles = crew.tally.troubles
      report.wallSeconds = Double(now() - start) / 1e9
      progress.end()
      return report
    }

    private func round(_ number: Int, _ report: inout Report, _ baseline: Int?) throws {
      progress.phase = settings.rounds > 1 ? "round \(number): connecting" : "connecting"
      let start = now()
      _ = try crew.carryOut(.connect, within: 60 + Double(settings.pollsInAll) / 500)
      var round = Report.Round(held: crew.tally.held, connectSeconds: Double(now() - start) / 1e9)
      settle()
      round.memoryHeldBytes = probe?.sample().memoryBytes
      if let held = round.memoryHeldBytes, let baseline, round.held > 0 {
        round.memoryPerHeldPollBytes = Double(held - baseline) / Double(round.held)
      }
      if crew.broken == nil {
        if settings.load == .hold { try hold(&report) } else { try publish(&report) }
      }
      round.heldAtEnd = crew.tally.held
      progress.phase = "disconnecting"
      _ = try crew.carryOut(.disconnect, within: 30)
      if crew.broken == nil { settle() }
      round.memoryAfterBytes = probe?.sample().memoryBytes
      report.rounds.append(round)
    }

    /// Lets the server come to rest. Without its process id there is nothing to look at, and a second has to do.
    private func settle() {
      progress.phase = "settling"
      progress.show(crew.tally)
      if let probe { probe.settle(within: 20) } else { usleep(1_000_000) }
    }

    private func hold(_ report: inout Report) throws {
      progress.phase = "holding"
      let start = now()
      let before = probe?.sample()
      let end = time(start, plus: settings.seconds)
      while now() < end, crew.broken == nil {
        // Nothing is ordered while polls are held: an empty drain only asks the workers how they are.
        _ = try crew.carryOut(.drain(last: [], voids: [], graceSeconds: 0), within: 30)
        usleep(200_000)
      }
      report.measuredSeconds += Double(now() - start) / 1e9
      if let before, let after = probe?.sample() {
        let sum = report.server?.cpuSeconds ?? 0
        report.server?.cpuSeconds = sum + after.cpuSeconds - before.cpuSeconds
      }
    }

    private func publish(_ report: inout Report) throws {
      progress.phase = "warming up"
      let warmUp = PublishOrder(
        pace: .acknowledged, channels: settings.channelsInAll,
        messages: settings.channelsInAll * settings.warmUpMessages, seconds: 300)
      let (warm, _) = try deliver(warmUp)
      guard crew.broken == nil else { return }
      settle()
      _ = try crew.carryOut(.measure(last: lastNumbers(warm)), within: 30)
      progress.phase = "measuring"
      let before = probe?.sample()
      let machine = MachineLoad()
      let start = now()
      let (published, drained) = try deliver(
        PublishOrder(
          pace: settings.paceInUse, channels: settings.activeChannels ?? settings.channelsInAll, messages: nil,
          seconds: settings.seconds))
      report.measuredSeconds = Double(now() - start) / 1e9
      // The polls that follow the last deliveries belong to them.
      usleep(200_000)
      if let before, let after = probe?.sample(), crew.broken == nil {
        let used = after.cpuSeconds - before.cpuSeconds
        report.server?.cpuSeconds = used
        if let machine {
          report.othersCpuShare = MachineLoad()?.share(since: machine, without: used + drained.cpuSeconds)
        }
      }
      report.take(published, drained)
      if published.isUnreachable { report.broken = "the server could not be reached for three seconds" }
    }

    /// Publishes and waits until all has come that will.
    private func deliver(_ order: PublishOrder) throws -> (Published, Drained) {
      let phase = progress.phase
      let answers = try crew.carryOut(.publish(order), onlyFirst: true, within: order.seconds + 30)
      guard let published = answers.first?.published else { throw Failure("a worker process gave no account") }
      progress.phase = "awaiting stragglers"
      let drain = Order.drain(
        last: lastNumbers(published), voids: published.voids, graceSeconds: settings.graceSeconds)
      var sum = Drained()
      for event in try crew.carryOut(drain, within: 600) { if let drained = event.drained { sum += drained } }
      progress.phase = phase
      return (published, sum)
    }

    /// Only polls need to know how far each channel has come.
    private func lastNumbers(_ published: Published) -> [UInt32] { settings.pollsInAll > 0 ? published.last : [] }
  }
}
