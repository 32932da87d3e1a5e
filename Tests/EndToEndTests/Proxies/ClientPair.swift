import AsyncHTTPClient
import Glibc
import HoldfastClient
import NIOSSL
import Synchronization

/// Both clients behind one proxy: each follows a channel, and publishes there.
final class ClientPair {
  private let httpClient: HTTPClient
  private let swift: HoldfastClient
  private let follower: Follower
  private let javaScript: ChildProcess
  private let channel: String
  /// What both have been given, and what that in JavaScript has said of it.
  private var events: [String] = []
  private var seen: [String] = []

  /// - Parameter version: What the client in Swift speaks. That in JavaScript speaks what Node's `fetch` does: HTTP/1.1.
  init(_ proxy: Proxy, _ channel: String, _ version: Curl.Version) throws {
    self.channel = channel
    var tls = TLSConfiguration.makeClientConfiguration()
    tls.trustRoots = .file(proxy.certificate)
    var http = HTTPClient.Configuration(tlsConfiguration: tls)
    http.dnsOverride = [Proxy.name: "127.0.0.1"]
    http.httpVersion = version == .http1 ? .http1Only : .automatic
    httpClient = HTTPClient(configuration: http)
    var configuration = HoldfastClient.Configuration()
    configuration.pollTimeout = .seconds(2)
    configuration.retryDelayMin = .milliseconds(10)
    configuration.retryDelayMax = .milliseconds(100)
    let server = "https://\(proxy.authority)"
    swift = try HoldfastClient(server: server, configuration: configuration, httpClient: httpClient)
    follower = Follower(swift.subscribe(to: channel))
    // The tools' Node is there where the system's is too old.
    javaScript = try ChildProcess(
      "/usr/bin/env", ["node", packageFolder + "/clients/javascript/test/support/follow.js", server, channel],
      environment: [
        "PATH": packageFolder + "/.build/tools/bin:" + String(cString: getenv("PATH")),
        "NODE_EXTRA_CA_CERTS": proxy.certificate,
      ])
  }

  /// Ends both.
  func end() {
    javaScript.kill()
    follower.cancel()
    try? follower.expectEnd()
    try? httpClient.syncShutdown()
  }

  /// The client in Swift publishes one number, and then that in JavaScript another; both clients are given both.
  func publish(_ one: Int, _ other: Int) throws {
    let outcome = Outcome()
    Task { [swift, channel] in
      do {
        try await swift.publish(one, to: channel)
        outcome.text.withLock { $0 = "published" }
      } catch {
        outcome.text.withLock { $0 = "\(error)" }
      }
    }
    try eventually(within: Connection.patience, "the client in Swift publishes \(one)") {
      outcome.text.withLock { $0 }
    } until: {
      $0 == "published"
    }
    try expect(["\(one)"])
    javaScript.write("\(other)\n")
    try expect(["\(other)"])
  }

  /// What both are given next: data, or `gap` and its reason.
  func expect(_ next: [String]) throws {
    events += next
    try follower.expect(events)
    while seen.count < events.count {
      guard let line = javaScript.outputLine(within: Connection.patience) else {
        throw Failure("the client in JavaScript says no more than \(seen): \(javaScript.errorText)")
      }
      seen.append(line)
    }
    try EndToEndTests.expect(seen, is: events, "what the client in JavaScript is given")
  }

  private final class Outcome: Sendable { let text = Mutex<String?>(nil) }
}
