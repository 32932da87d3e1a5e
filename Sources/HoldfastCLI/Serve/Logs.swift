import Logging

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
    var line = line(event.level, "\(event.message)", fields)
    // One write a line, so that lines of several threads do not mix. A log that nobody takes stops nobody.
    _ = line.withUTF8 { write(STDERR_FILENO, $0.baseAddress, $0.count) }
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
    var line = "{\"time\":\"\(Self.clock("%Y-%m-%dT%H:%M:%SZ", local: false))\",\"level\":\"\(level.rawValue)\""
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

  private static func clock(_ format: String, local: Bool) -> String {
    var now = time(nil)
    var parts = tm()
    if local { localtime_r(&now, &parts) } else { gmtime_r(&now, &parts) }
    return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 64) { buffer in
      strftime(buffer.baseAddress!, buffer.count, format, &parts)
      return String(cString: buffer.baseAddress!)
    }
  }
}
