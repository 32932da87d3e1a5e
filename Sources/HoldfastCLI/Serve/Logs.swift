import Logging
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// The server's own log: lines for people on a terminal, JSON lines for programs otherwise, on the error output. Control
/// characters are escaped, so that nothing a client sends can forge a line or move a terminal's cursor. Payloads are
/// never logged.
enum Logs {
  enum Format: String { case text, json }

  struct Settings {
    var level = Logger.Level.info
    /// nil: by what the error output is.
    var format: Format?
  }

  static func bootstrap(_ settings: Settings) -> Logger {
    let format = settings.format ?? (isatty(STDERR_FILENO) == 1 ? .text : .json)
    LoggingSystem.bootstrap { _ in LineHandler(format: format, logLevel: settings.level) }
    return Logger(label: "holdfast")
  }

  /// For libraries whose every step is nobody's concern.
  static var quiet: Logger { Logger(label: "quiet") { _ in SwiftLogNoOpLogHandler() } }

  static func level(_ name: String) -> Logger.Level? { Logger.Level(rawValue: name) }
  static var levels: String { Logger.Level.allCases.map(\.rawValue).joined(separator: ", ") }
}

/// Writes each entry as one line.
struct LineHandler: LogHandler {
  let format: Logs.Format
  var logLevel: Logger.Level
  var metadata: Logger.Metadata = [:]

  init(format: Logs.Format, logLevel: Logger.Level) {
    self.format = format
    self.logLevel = logLevel
  }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    let fields = metadata.merging(event.metadata ?? [:]) { $1 }
    LogOutput.write(line(event.level, "\(event.message)", fields))
  }

  func line(_ level: Logger.Level, _ message: String, _ metadata: Logger.Metadata) -> String {
    let fields = metadata.sorted { $0.key < $1.key }
    return switch format {
    case .text: text(level, message, fields)
    case .json: json(level, message, fields)
    }
  }

  private func text(
    _ level: Logger.Level, _ message: String, _ fields: [(key: String, value: Logger.MetadataValue)]
  ) -> String {
    let name = level.rawValue.uppercased()
    var line = Self.clock("%H:%M:%S", local: true) + " " + name + String(repeating: " ", count: 8 - name.utf8.count)
    line += Self.escaped(message)
    for (key, value) in fields {
      let text = Self.escaped("\(value)")
      line += " \(key)=" + (text.contains(" ") ? "\"\(text)\"" : text)
    }
    return line + "\n"
  }

  private func json(
    _ level: Logger.Level, _ message: String, _ fields: [(key: String, value: Logger.MetadataValue)]
  ) -> String {
    var line = "{\"time\":\"\(Self.clock("%Y-%m-%dT%H:%M:%S", local: false))Z\",\"level\":\"\(level.rawValue)\""
    line += ",\"message\":\"\(Self.escaped(message))\""
    for (key, value) in fields { line += ",\"\(Self.escaped(key))\":\"\(Self.escaped("\(value)"))\"" }
    return line + "}\n"
  }

  /// With quotes, backslashes and control characters written as JSON writes them.
  static func escaped(_ text: String) -> String {
    var escaped = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": escaped += "\\\""
      case "\\": escaped += "\\\\"
      case "\n": escaped += "\\n"
      case "\u{0}"..<" ", "\u{7f}"..<"\u{a0}", "\u{2028}", "\u{2029}":
        let hex = String(scalar.value, radix: 16)
        escaped += "\\u" + String(repeating: "0", count: 4 - hex.utf8.count) + hex
      default: escaped.unicodeScalars.append(scalar)
      }
    }
    return escaped
  }

  /// The time as `strftime` writes it, with milliseconds behind.
  private static func clock(_ format: String, local: Bool) -> String {
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    var parts = tm()
    if local { localtime_r(&now.tv_sec, &parts) } else { gmtime_r(&now.tv_sec, &parts) }
    let text = withUnsafeTemporaryAllocation(of: CChar.self, capacity: 64) { buffer in
      strftime(buffer.baseAddress!, buffer.count, format, &parts)
      return String(cString: buffer.baseAddress!)
    }
    let milliseconds = String(now.tv_nsec / 1_000_000)
    return text + "." + String(repeating: "0", count: 3 - milliseconds.utf8.count) + milliseconds
  }
}

/// `write(2)`, which has the name of a method here.
private let unistdWrite: @Sendable (CInt, UnsafeRawPointer?, Int) -> Int = { write($0, $1, $2) }

/// The error output, as a server needs it: entries come from event loops, which must not wait for whoever reads the log.
/// An entry that would have to wait is dropped, and how many were is said when there is room again.
enum LogOutput {
  private static let dropped = Mutex(0)

  /// What a pipe that has room takes without waiting.
  private static let bytesMax = 4096

  static func write(_ line: String) {
    dropped.withLock { dropped in
      if !hasRoom() {
        dropped += 1
        return
      }
      if dropped > 0 {
        send("holdfast: \(dropped) log lines were dropped, since nobody took them\n")
        dropped = hasRoom() ? 0 : 1
        if dropped > 0 { return }
      }
      send(line)
    }
  }

  private static func hasRoom() -> Bool {
    var output = pollfd(fd: STDERR_FILENO, events: Int16(POLLOUT), revents: 0)
    return poll(&output, 1, 0) == 1 && output.revents & Int16(POLLOUT) != 0
  }

  /// One write a line, so that the lines of several processes do not mix.
  private static func send(_ line: String) {
    var bytes = Array(line.utf8)
    if bytes.count > bytesMax { bytes = bytes.prefix(bytesMax - 1) + [UInt8(ascii: "\n")] }
    _ = bytes.withUnsafeBytes { unistdWrite(STDERR_FILENO, $0.baseAddress, $0.count) }
  }
}
