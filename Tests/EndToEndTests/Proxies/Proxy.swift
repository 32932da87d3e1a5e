import Glibc

/// The proxies that `deploy/` has a file for.
enum ProxyKind: String, CaseIterable, Sendable {
  case nginx
  case haproxy
  case caddy
}

/// A proxy of Debian's, run by the file in `deploy/` that an operator copies: nothing in it is replaced but addresses,
/// ports and paths, and the user.
final class Proxy: Sendable {
  /// Whose certificate the proxy has.
  static let name = "holdfast.example"

  let kind: ProxyKind
  /// The path of its certificate, which vouches for itself, and the key.
  let certificate: String
  private let process: ChildProcess
  private let folder: TemporaryFolder
  private let config: String
  /// For TLS and for what is sent on to it, each in IPv4 and (as another port of 127.0.0.1) in IPv6, and for Caddy's
  /// orders.
  private let ports: (tls: ReservedPort, tls6: ReservedPort, plain: ReservedPort, plain6: ReservedPort)
  private let orders: ReservedPort
  /// What stands for a second node that is not there.
  private let nobody: ReservedPort

  var port: UInt16 { ports.tls.number }
  var plainPort: UInt16 { ports.plain.number }

  /// - Parameters:
  ///   - first: The port of the node that serves.
  ///   - second: The port of the one that stands in for it; nil: there is none.
  init(_ kind: ProxyKind, first: UInt16, second: UInt16? = nil) throws {
    self.kind = kind
    folder = try TemporaryFolder()
    ports = (try ReservedPort(), try ReservedPort(), try ReservedPort(), try ReservedPort())
    orders = try ReservedPort()
    nobody = try ReservedPort()
    let certificate = try makeCertificate(in: folder)
    self.certificate = certificate
    let nodes = [
      ("127.0.0.1:8080", "127.0.0.1:\(first)"), ("127.0.0.1:8081", "127.0.0.1:\(second ?? nobody.number)"),
    ]
    let listeners = [
      ("0.0.0.0:443", "127.0.0.1:\(ports.tls.number)"), ("[::]:443", "127.0.0.1:\(ports.tls6.number)"),
      ("0.0.0.0:80", "127.0.0.1:\(ports.plain.number)"), ("[::]:80", "127.0.0.1:\(ports.plain6.number)"),
    ]
    let pair = ["/etc/holdfast/fullchain.pem", "/etc/holdfast/privkey.pem"].map { ($0, certificate) }
    switch kind {
    case .nginx:
      config = try folder.write(
        "nginx.conf",
        deployed(
          "nginx/nginx.conf",
          nodes + listeners + pair + [
            ("/run/nginx.pid", folder.path + "/pid"), ("/var/log/nginx/error.log", "stderr"),
          ]))
      process = try ChildProcess("/usr/sbin/nginx", ["-c", config, "-g", "daemon off;"])
    case .haproxy:
      config = try folder.write(
        "haproxy.cfg",
        deployed(
          "haproxy/haproxy.cfg",
          nodes + listeners + [
            ("/etc/holdfast/holdfast.pem", certificate),
            ("user haproxy", "user \(String(cString: getpwuid(getuid()).pointee.pw_name))"),
            ("group haproxy", "group \(String(cString: getgrgid(getgid()).pointee.gr_name))"),
          ]))
      process = try ChildProcess("/usr/sbin/haproxy", ["-W", "-f", config])
    case .caddy:
      config = try folder.write(
        "Caddyfile",
        deployed(
          "caddy/Caddyfile",
          nodes + pair + [
            ("https_port 443", "https_port \(ports.tls.number)"), ("http_port 80", "http_port \(ports.plain.number)"),
            ("127.0.0.1:2019", "127.0.0.1:\(orders.number)"),
          ]))
      process = try ChildProcess(
        "/usr/bin/caddy", ["run", "--adapter", "caddyfile", "--config", config],
        environment: ["XDG_CONFIG_HOME": folder.path, "XDG_DATA_HOME": folder.path])
    }
    try explaining {
      try eventually("\(kind) listens") {
        (try? (RawSocket(port: port), RawSocket(port: plainPort))) != nil
      } until: {
        $0
      }
    }
  }

  deinit { stop() }

  /// Ends the proxy, its workers with it.
  func stop() {
    // Caddy waits for its polls at SIGTERM, and nginx at SIGQUIT.
    process.signal(kind == .caddy ? SIGQUIT : SIGTERM)
    if process.exitCode(within: .seconds(5)) == nil { process.kill() }
  }

  /// Has the proxy read its file again, as `systemctl reload` does.
  ///
  /// - Returns: The processes that served until then, and end when they have nothing more to do.
  @discardableResult
  func reload() throws -> Set<pid_t> {
    if kind == .caddy {
      let caddy = try ChildProcess(
        "/usr/bin/caddy",
        ["reload", "--force", "--adapter", "caddyfile", "--config", config, "--address", "127.0.0.1:\(orders.number)"])
      try expect(caddy.exitCode(within: .seconds(30)), is: 0, "the exit code of caddy reload: \(caddy.errorText)")
      return []
    }
    let before = try workers()
    process.signal(kind == .nginx ? SIGHUP : SIGUSR2)
    try eventually("\(kind) has new workers") {
      try workers()
    } until: {
      !$0.isSubset(of: before)
    }
    return before
  }

  /// The processes that serve for nginx and HAProxy.
  func workers() throws -> Set<pid_t> {
    let text = try readFile("/proc/\(process.pid)/task/\(process.pid)/children")
    return Set(text.split { $0 == " " || $0 == "\n" }.compactMap { pid_t($0) })
  }

  /// Adds to a failure what the proxy said.
  func explaining<Result>(_ body: () throws -> Result) throws -> Result {
    do { return try body() } catch {
      throw Failure("\(error)\n\(kind) says:\n\(process.errorText.suffix(1500))")
    }
  }
}

/// Where the package is.
let packageFolder = "/" + #filePath.split(separator: "/").dropLast(4).joined(separator: "/")

/// A file of `deploy/` with the replacements made. Each has to be there, so that a file that changes is still tested as
/// it stands.
private func deployed(_ file: String, _ replacements: [(String, String)]) throws -> String {
  var text = try readFile(packageFolder + "/deploy/" + file)
  for (part, replacement) in replacements {
    try expect(text.contains(part), "deploy/\(file) no longer has \(part)")
    text.replace(part, with: replacement)
  }
  return text
}

private func makeCertificate(in folder: TemporaryFolder) throws -> String {
  let path = folder.path + "/certificate.pem"
  let openssl = try ChildProcess(
    "/usr/bin/openssl",
    [
      "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
      "-subj", "/CN=\(Proxy.name)", "-addext", "subjectAltName=DNS:\(Proxy.name)", "-keyout", path, "-out", path,
    ])
  try expect(openssl.exitCode(within: .seconds(20)), is: 0, "the exit code of openssl: \(openssl.errorText)")
  return path
}

/// A proxy before a node that trusts it, as `deploy/README.md` says.
func withProxy(
  _ kind: ProxyKind, _ flags: String..., body: @escaping @Sendable (Proxy, HoldfastProcess) throws -> Void
) async throws {
  try await blocking {
    let node = try trustingNode(flags)
    defer { node.stop() }
    let proxy = try Proxy(kind, first: node.port)
    defer { proxy.stop() }
    try proxy.explaining { try body(proxy, node) }
  }
}

/// A node that believes a proxy on the same machine.
func trustingNode(_ flags: [String] = []) throws -> HoldfastProcess {
  try HoldfastProcess(["--trusted-proxies", "127.0.0.1"] + flags)
}
