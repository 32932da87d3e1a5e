/// A client of a proxy: `curl`, which speaks TLS, and HTTP/1.1 or HTTP/2.
final class Curl: Sendable {
  enum Version: String, CaseIterable, Sendable {
    case http1 = "1.1"
    case http2 = "2"
  }

  struct Reply: CustomStringConvertible {
    /// 0: there was none.
    var status: Int
    /// Whether a connection was made for it, or the one before was still open.
    var isOnNewConnection: Bool
    var text: String

    func json() throws -> JSON { try JSON(parsing: Array(text.utf8)) }
    var description: String { "\(status) \(text)" }
  }

  private let process: ChildProcess
  private let version: Version

  /// Asks for one path after the other, on one connection as long as that stays open.
  ///
  /// - Parameters:
  ///   - body: What is posted; nil: it is got.
  ///   - source: An address in 127.0.0.0/8 to connect from.
  init(
    _ proxy: Proxy, _ paths: [String], _ version: Version, headers: [(String, String)] = [], body: String? = nil,
    from source: String = "127.0.0.1"
  ) throws {
    var arguments = [
      "--silent", "--show-error", "--no-buffer", "--noproxy", "*", "--max-time", "120",
      "--cacert", proxy.certificate, "--resolve", "\(proxy.authority):127.0.0.1",
      "--interface", source, version == .http1 ? "--http1.1" : "--http2",
      "--write-out", "\n<%{http_code} %{http_version} %{num_connects}>\n",
    ]
    for (name, value) in headers { arguments += ["--header", "\(name): \(value)"] }
    if body != nil { arguments += ["--header", "Content-Type: application/json", "--data-binary", "@-"] }
    arguments += paths.map { "https://\(proxy.authority)\($0)" }
    process = try ChildProcess("/usr/bin/curl", arguments, input: body)
    self.version = version
  }

  /// What is answered for the next path.
  func reply(within bound: Duration = Connection.patience) throws -> Reply {
    var lines: [String] = []
    let deadline = Deadline.after(bound)
    while let line = process.outputLine(within: .milliseconds(deadline.milliseconds)) {
      guard let match = line.wholeMatch(of: #/<(\d+) ([\d.]+) (\d+)>/#) else {
        lines.append(line)
        continue
      }
      let status = Int(match.1) ?? 0
      if status > 0 { try expect(String(match.2), is: version.rawValue, "the version of HTTP") }
      let text = status > 0 ? lines.joined(separator: "\n") : process.errorText
      return Reply(status: status, isOnNewConnection: match.3 != "0", text: text)
    }
    throw Failure("no answer within \(bound); so far \(lines); \(process.errorText)")
  }

  /// The next line, of which more may follow.
  func line() throws -> String {
    guard let line = process.outputLine(within: Connection.patience) else { throw Failure("not a line comes through") }
    return line
  }

  /// Goes away without a word.
  func kill() { process.kill() }
}

extension Proxy {
  /// As it stands in URLs.
  var authority: String { "\(Proxy.name):\(port)" }

  func ask(
    _ path: String, _ version: Curl.Version, headers: [(String, String)] = [], body: String? = nil
  ) throws -> Curl.Reply {
    try Curl(self, [path], version, headers: headers, body: body).reply()
  }

  func publish(_ channel: String, _ data: String, _ version: Curl.Version) throws {
    let reply = try ask("/api/publish/\(channel)", version, body: data)
    try expect(reply.status, is: 200, "the status of a publish of \(data): \(reply)")
  }

  /// Begins a poll of a minute; it is not waited for.
  func hold(
    _ channel: String, _ version: Curl.Version, headers: [(String, String)] = [], from source: String = "127.0.0.1"
  ) throws -> Curl {
    try Curl(self, ["/api/poll/\(channel)?timeout=60"], version, headers: headers, from: source)
  }
}
