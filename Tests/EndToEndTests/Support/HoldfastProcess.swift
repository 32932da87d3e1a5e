import Glibc

/// The built binary, running as a server on a port the kernel chose.
///
/// `start` returns when the server has said on its first line of output where it listens, so no test ever waits a
/// while and hopes. What it logs is kept and told with failures. Whatever happens, `deinit` ends the process by its
/// pid; nothing is ended by name.
final class HoldfastProcess: @unchecked Sendable {  // `process` synchronises itself; `port` never changes.
  let process: ChildProcess
  let port: UInt16
  var host: String { "127.0.0.1:\(port)" }
  var url: String { "http://\(host)" }

  static func start(_ flags: String..., port: UInt16 = 0) throws -> HoldfastProcess {
    try HoldfastProcess(flags, port: port)
  }

  /// - Parameter readsLog: false: nobody takes what it logs.
  convenience init(_ flags: [String], port wanted: UInt16 = 0, readsLog: Bool = true) throws {
    let driver = HoldfastBinary.driver.map { ["--driver", $0] } ?? []
    let arguments = ["serve", "--port", "\(wanted)"] + driver + flags
    try self.init(ChildProcess(HoldfastBinary.path(), arguments, readsErrors: readsLog))
  }

  /// A server that was started by `process`.
  init(_ process: ChildProcess) throws {
    self.process = process
    guard let line = process.outputLine(within: .seconds(30)) else {
      process.kill()
      throw Failure("the server does not say where it listens; it logged:\n\(process.errorText)")
    }
    guard let match = line.wholeMatch(of: #/holdfast \S+ listening on http://127\.0\.0\.1:(\d+)/#),
      let port = UInt16(match.1)
    else {
      process.kill()
      throw Failure("not the first line of a server: \(line.debugDescription)")
    }
    self.port = port
  }

  deinit { stop() }

  func connect(from source: String? = nil, receiveBufferBytes: Int32? = nil) throws -> Connection {
    try Connection(port: port, from: source, receiveBufferBytes: receiveBufferBytes)
  }

  /// Asks the server to stop, and returns its exit code.
  func terminate(within bound: Duration = .seconds(30)) throws -> Int32 {
    process.signal(SIGTERM)
    guard let code = process.exitCode(within: bound) else {
      throw Failure("the server does not stop within \(bound) of SIGTERM; it logged:\n\(process.errorText)")
    }
    return code
  }

  /// Ends the server whatever it takes.
  func stop() {
    process.signal(SIGTERM)
    if process.exitCode(within: .seconds(3)) == nil { process.kill() }
  }

  /// The memory that the process has in RAM, in bytes.
  func residentBytes() throws -> Int {
    let text = try readFile("/proc/\(process.pid)/status")
    guard let match = text.firstMatch(of: #/VmRSS:\s+(\d+) kB/#), let kilobytes = Int(match.1) else {
      throw Failure("no VmRSS in /proc/\(process.pid)/status; the server logged:\n\(process.errorText)")
    }
    return kilobytes * 1024
  }
}

/// Where the binary under test is, and how it is to run.
enum HoldfastBinary {
  /// The driver that all these tests are for: `HOLDFAST_TEST_DRIVER`; nil leaves it to the server.
  static let driver = getenv("HOLDFAST_TEST_DRIVER").map { String(cString: $0) }

  /// `HOLDFAST_BINARY`, else `holdfast` in the build directory that this test bundle was built into.
  static func path() throws -> String {
    if let path = getenv("HOLDFAST_BINARY") { return String(cString: path) }
    var folder = CommandLine.arguments.first ?? ""
    while let slash = folder.lastIndex(of: "/") {
      folder = String(folder[..<slash])
      let candidate = folder + "/holdfast"
      var status = stat()
      if stat(candidate, &status) == 0, status.st_mode & S_IFMT == S_IFREG, access(candidate, X_OK) == 0 {
        return candidate
      }
    }
    throw Failure("no holdfast binary beside \(CommandLine.arguments.first ?? "the tests"); set HOLDFAST_BINARY")
  }
}

/// A whole file as text; for /proc and the cases.
func readFile(_ path: String) throws -> String {
  guard let file = fopen(path, "re") else { throw Failure("cannot open \(path): \(errnoText())") }
  defer { fclose(file) }
  var bytes: [UInt8] = []
  var buffer = [UInt8](repeating: 0, count: 65536)
  while true {
    let count = fread(&buffer, 1, buffer.count, file)
    if count == 0 { return String(decoding: bytes, as: UTF8.self) }
    bytes += buffer[0..<count]
  }
}
