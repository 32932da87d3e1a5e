import Glibc

extension Bench {
  /// The CPU time of the whole machine, to tell what programs that are no part of the run took of it: on a busy machine
  /// latencies are the scheduler's.
  struct MachineLoad {
    private let busy: Double
    private let all: Double

    /// Reads /proc/stat; nil where it is not as Linux has it.
    init?() {
      guard let line = ServerProbe.read("/proc/stat")?.split(separator: "\n").first, line.hasPrefix("cpu ") else {
        return nil
      }
      // user nice system idle iowait irq softirq steal; what guests take is in user already
      let ticks = line.split(separator: " ").dropFirst().prefix(8).compactMap { Double($0) }
      guard ticks.count == 8 else { return nil }
      all = ticks.reduce(0, +) / ServerProbe.ticksPerSecond
      busy = all - (ticks[3] + ticks[4]) / ServerProbe.ticksPerSecond
    }

    /// The share of the machine's CPU time since `before` that neither the server nor the generator used.
    func share(since before: MachineLoad, without ours: Double) -> Double? {
      guard all > before.all else { return nil }
      return max(0, busy - before.busy - ours) / (all - before.all)
    }
  }
}
