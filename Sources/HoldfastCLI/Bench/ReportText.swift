extension Bench.Report {
  /// The report for a person.
  var text: String {
    var lines = [title, ""]
    if polls > 0 { lines += pollLines }
    if let publishes {
      let late = rate == nil ? "" : "; generator at most \(time(publishes.latenessMaxMicroseconds)) late"
      let counts =
        "\(n(publishes.acknowledged)) acknowledged, \(n(publishes.failed)) failed, \(n(publishes.unsent)) unsent"
      lines.append(row("publishes") + "\(counts); \(d(publishes.perSecond, 1)) a second\(late)")
    }
    if let owed = deliveries {
      let faults = "\(n(owed.lost)) lost, \(n(owed.duplicated)) duplicated, \(n(owed.outOfOrder)) out of order"
      let answers = "in \(n(owed.answers)) answers"
      lines.append(row("deliveries") + "\(n(owed.expected)) expected, \(n(owed.received)) received, \(answers)")
      lines.append(row("") + faults)
    }
    lines += latencyLines
    lines += serverLines
    if let cpu = generator.cpuSeconds {
      let figures = [
        generator.cpuMicrosecondsPerDelivery.map { "\(d($0, 1)) µs a delivery" },
        generator.cpuMicrosecondsPerPublish.map { "\(d($0, 1)) µs a publish" },
      ]
      lines.append(
        row("generator")
          + "CPU \(d(cpu, 2)) s: " + figures.compactMap(\.self).joined(separator: ", ")
          + "; \(processWords(generator.processes))")
    }
    lines.append(row("time") + "\(d(measuredSeconds, 2)) s measured, \(d(wallSeconds, 1)) s in all")
    if let share = othersCpuShare, share >= 0.05 {
      lines.append(row("disturbed") + "other programs used \(d(share * 100, 0)) % of the machine's CPU time meanwhile")
    }
    lines += troubleLines
    if let broken { lines += ["", "The run was broken off: \(broken)."] }
    return lines.joined(separator: "\n")
  }

  private var title: String {
    var words = "\(load.rawValue): "
    if polls > 0 { words += "\(n(polls)) polls on " }
    words += channels == 1 ? "1 channel" : "\(n(channels)) channels"
    if activeChannels < channels { words += " (\(n(activeChannels)) of them published to)" }
    if load != .hold {
      words +=
        rate.map { ", \(Bench.Pace.perSecond($0)) publish\($0 == 1 ? "" : "es") a second" }
        ?? ", publishes as fast as acknowledged"
      words += " by \(n(publishers)) connection\(publishers == 1 ? "" : "s"), \(n(payloadBytes)) bytes each"
    }
    return words + "\n\(target.rawValue) at \(url)"
  }

  private var pollLines: [String] {
    rounds.enumerated().map { index, round in
      row(index == 0 ? "polls" : "")
        + (rounds.count > 1 ? "round \(index + 1): " : "")
        + "\(n(round.held)) of \(n(polls)) held after \(d(round.connectSeconds, 2)) s"
        + (round.heldAtEnd == round.held ? "" : ", \(n(round.heldAtEnd)) at the end")
    }
  }

  private var latencyLines: [String] {
    let tables = [("delivery", deliveries?.latencyMicroseconds), ("acknowledgement", publishes?.latencyMicroseconds)]
    guard tables.contains(where: { $0.1 != nil }) else { return [] }
    let heads = ["p50", "p90", "p99", "p99.9", "max", "mean"]
    var lines = [row("latency") + pad("", 16) + heads.map { pad($0, -11) }.joined()]
    for (name, table) in tables {
      guard let table else { continue }
      let values = [table.p50, table.p90, table.p99, table.p999, table.max, table.mean]
      lines.append(row("") + pad(name, 16) + values.map { pad(time($0), -11) }.joined())
    }
    return lines
  }

  private var serverLines: [String] {
    guard let server else { return [] }
    var lines: [String] = []
    if let baseline = server.memoryBaselineBytes {
      let whose = "PSS of \(processWords(server.processes)), without the program's files and the kernel's"
      lines.append(row("memory") + "\(memory(baseline)) before (\(whose))")
      for (index, round) in rounds.enumerated() {
        guard let held = round.memoryHeldBytes else { continue }
        let perPoll = round.memoryPerHeldPollBytes.map { ", \(d($0, 0)) bytes a held poll" } ?? ""
        let after = round.memoryAfterBytes.map { "; \(memory($0)) after" } ?? ""
        lines.append(
          row("") + (rounds.count > 1 ? "round \(index + 1): " : "") + "\(memory(held)) held\(perPoll)\(after)")
      }
    } else {
      lines.append(row("memory") + "may not be read: /proc/PID/smaps_rollup is for the server's user and root")
    }
    if let cpu = server.cpuSeconds {
      let figures = [
        server.cpuMicrosecondsPerDelivery.map { "\(d($0, 1)) µs a delivery" },
        server.cpuMicrosecondsPerPublish.map { "\(d($0, 1)) µs a publish" },
      ]
      let list = figures.compactMap(\.self).joined(separator: ", ")
      lines.append(row("server") + "CPU \(d(cpu, 2)) s" + (list.isEmpty ? "" : ": \(list)"))
    }
    return lines
  }

  private var troubleLines: [String] {
    var counts: [(Int, String)] = []
    for (status, count) in troubles.statuses.sorted(by: { $0.key < $1.key }) {
      counts.append((count, "answers with \(status)"))
    }
    counts += [
      (troubles.connections, "connections that failed or broke"),
      (troubles.malformed, "answers that could not be read"),
      (troubles.misdirected, "messages on a channel that is not theirs"),
      (troubles.gaps, "answers with a gap"),
      (troubles.timeouts, "polls that timed out"),
    ]
    var lines: [String] = []
    for (count, words) in counts where count > 0 {
      lines.append(row(lines.isEmpty ? "besides" : "") + "\(n(count)) \(words)")
    }
    return lines + troubles.samples.map { row("") + "e.g. \($0)" }
  }

  private func processWords(_ count: Int) -> String { count == 1 ? "1 process" : "\(n(count)) processes" }
  private func row(_ name: String) -> String { pad(name, 12) }
  private func n(_ value: Int) -> String { Bench.Text.number(Double(value), decimals: 0) }
  private func d(_ value: Double, _ decimals: Int) -> String { Bench.Text.number(value, decimals: decimals) }
  private func time(_ microseconds: Double) -> String { Bench.Text.time(microseconds: microseconds) }
  private func memory(_ bytes: Int) -> String { "\(d(Double(bytes) / 1_048_576, 1)) MiB" }
  private func pad(_ text: String, _ width: Int) -> String { Bench.Text.pad(text, width) }
}
