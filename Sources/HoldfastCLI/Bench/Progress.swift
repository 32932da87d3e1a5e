import Glibc

extension Bench {
  /// A line on standard error that says how far the run is: rewritten in place on a terminal, else written anew every
  /// few seconds.
  final class Progress {
    private let isOn: Bool
    private let isTerminal = isatty(STDERR_FILENO) == 1
    private var shown: UInt64 = 0
    private var changed: UInt64 = Bench.now()
    var phase = "starting" { didSet { if phase != oldValue { changed = Bench.now() } } }

    init(isOn: Bool) { self.isOn = isOn }

    func show(_ tally: Tally) {
      let now = Bench.now()
      guard isOn, now - shown >= (isTerminal ? 200_000_000 : 5_000_000_000) else { return }
      shown = now
      var line = "\(phase) \((now - changed) / 1_000_000_000) s: \(Text.number(Double(tally.held), decimals: 0)) held"
      line += ", \(Text.number(Double(tally.acknowledged), decimals: 0)) published"
      line += ", \(Text.number(Double(tally.received), decimals: 0)) delivered"
      if tally.troubles.total > 0 { line += ", \(Text.number(Double(tally.troubles.total), decimals: 0)) troubles" }
      Self.write(isTerminal ? "\r\u{1B}[K\(line)" : "\(line)\n")
    }

    /// Takes the line away, so that the report stands alone.
    func end() { if isOn, isTerminal { Self.write("\r\u{1B}[K") } }

    static func write(_ text: String) {
      text.utf8CString.withUnsafeBytes { _ = Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count - 1) }
    }
  }
}
