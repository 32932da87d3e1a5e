import Foundation
import Holdfast
import HoldfastProtocol
import Logging
import Synchronization

@testable import HoldfastServer

/// A ``Transport`` that remembers what it was told, and plays the kernel: a token can be made to take only so many bytes.
struct RecordingTransport: Transport {
  struct Connection {
    var sent: [UInt8] = []
    /// What was kept because the client does not read.
    var kept: [UInt8] = []
    /// Bytes it takes before it stops reading; nil for all.
    var window: Int?
    var isReading = true
    var isShutDown = false
    var isClosed = false
    /// How many answers were given as separate bytes, to see which are shared.
    var buffers: [[UInt8]] = []
  }

  private(set) var connections: [Int32: Connection] = [:]

  subscript(token: Int32) -> Connection {
    get { connections[token] ?? Connection() }
    set { connections[token] = newValue }
  }

  mutating func send(_ bytes: [UInt8], to token: Int32) -> Bool {
    precondition(!self[token].isClosed && !self[token].isShutDown, "an answer after the end")
    self[token].buffers.append(bytes)
    let taken = min(self[token].kept.isEmpty ? self[token].window ?? bytes.count : 0, bytes.count)
    self[token].sent += bytes[..<taken]
    self[token].kept += bytes[taken...]
    if self[token].window != nil { self[token].window! -= taken }
    return taken == bytes.count
  }

  mutating func setReading(_ isReading: Bool, _ token: Int32) { self[token].isReading = isReading }

  mutating func shutdownOutput(_ token: Int32) {
    precondition(!self[token].isClosed, "shut down after the end")
    self[token].isShutDown = true
  }

  mutating func close(_ token: Int32) {
    precondition(!self[token].isClosed, "closed twice")
    self[token].isClosed = true
  }
}

/// An answer as a client reads it.
struct Response: CustomStringConvertible {
  var status: Int
  var fields: [String: String]
  var body: [UInt8]

  var json: [String: Any] { (try? JSONSerialization.jsonObject(with: Data(body)) as? [String: Any]) ?? [:] }
  var kind: String { json["status"] as? String ?? json["code"] as? String ?? "" }
  var cursor: String { json["cursor"] as? String ?? "" }
  /// The data of its messages, as JSON text.
  var data: [String] {
    (json["messages"] as? [[String: Any]] ?? []).map { message in
      let data = try? JSONSerialization.data(withJSONObject: message["data"] ?? NSNull(), options: .fragmentsAllowed)
      return String(decoding: data ?? Data(), as: UTF8.self)
    }
  }
  var description: String { "\(status) \(fields) \(body.text)" }

  /// Reads whole answers; what is left of the last one is nil as a whole.
  static func read(_ bytes: [UInt8], isHead: Bool = false) -> [Response]? {
    var responses: [Response] = []
    var rest = bytes[...]
    while !rest.isEmpty {
      guard let end = rest.firstRange(of: Array("\r\n\r\n".utf8)) else { return nil }
      let lines = Array(rest[..<end.lowerBound]).text.components(separatedBy: "\r\n")
      let status = Int(lines[0].split(separator: " ")[1])!
      var fields: [String: String] = [:]
      for line in lines.dropFirst() {
        let parts = line.components(separatedBy: ": ")
        precondition(fields[parts[0].lowercased()] == nil, "\(parts[0]) twice")
        fields[parts[0].lowercased()] = parts.dropFirst().joined(separator: ": ")
      }
      rest = rest[end.upperBound...]
      let count = isHead || status == 100 ? 0 : Int(fields["content-length"] ?? "0")!
      if rest.count < count { return nil }
      responses.append(Response(status: status, fields: fields, body: Array(rest.prefix(count))))
      rest = rest.dropFirst(count)
    }
    return responses
  }
}

/// A server's loop without I/O and with a clock that the test turns.
final class Bench {
  var loop: ServerLoop<RecordingTransport>
  let hub: Hub
  var now = 0.0
  /// What the wall clock is off by.
  var unixShift = 0.0
  private var nextToken: Int32 = 0

  init(
    holds: HoldLimits = HoldLimits(), store: MemoryStore.Limits = MemoryStore.Limits(),
    listedPerTick: Int = 100_000, _ configure: (inout ServerConfiguration) -> Void = { _ in }
  ) {
    var configuration = ServerConfiguration()
    configure(&configuration)
    hub = Hub(store: MemoryStore(limits: store), limits: holds)
    let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    var settings = LoopSettings(configuration, logger: logger)
    settings.listedPerTick = listedPerTick
    loop = ServerLoop(driver: RecordingTransport(), settings: settings, hub: hub, at: HoldfastServerTests.at(0)) {}
  }

  var moment: Moment { at(now, unixShift: unixShift) }

  func open(_ token: Int32? = nil, from address: String = "192.0.2.1") -> Int32 {
    let token = token ?? nextToken
    nextToken = max(nextToken, token + 1)
    loop.driver[token] = RecordingTransport.Connection()
    loop.opened(token, from: Address(address)!, at: moment)
    return token
  }

  func send(_ token: Int32, _ bytes: [UInt8]) {
    loop.received(token, bytes.span, at: moment)
    if loop.hasNews { loop.collect(at: moment) }
  }

  func poll(_ token: Int32, _ target: String, _ fields: String...) {
    send(token, Bench.get("/api/poll/\(target)", fields))
  }

  func publish(_ token: Int32, _ channel: String, _ body: String) {
    send(token, Bench.post("/api/publish/\(channel)", body))
  }

  static func get(_ target: String, _ fields: [String] = []) -> [UInt8] {
    Array(("GET \(target) HTTP/1.1\r\nHost: a\r\n" + fields.map { $0 + "\r\n" }.joined() + "\r\n").utf8)
  }

  static func post(_ target: String, _ body: String, _ fields: [String] = []) -> [UInt8] {
    Array(
      ("POST \(target) HTTP/1.1\r\nHost: a\r\nContent-Length: \(body.utf8.count)\r\n"
        + fields.map { $0 + "\r\n" }.joined()
        + "\r\n" + body).utf8)
  }

  /// Lets time pass in whole ticks, as a driver does.
  func pass(_ seconds: Double) {
    for _ in 0..<Int((seconds * 10).rounded()) {
      now = ((now * 10).rounded() + 1) / 10
      loop.tick(at: moment)
      if loop.hasNews { loop.collect(at: moment) }
    }
  }

  /// The client reads all that was kept for it.
  func read(_ token: Int32) {
    loop.driver[token].sent += loop.driver[token].kept
    loop.driver[token].kept = []
    loop.driver[token].window = nil
    loop.drained(token, at: moment)
    if loop.hasNews { loop.collect(at: moment) }
  }

  func state(_ token: Int32) -> ServerLoop<RecordingTransport>.State { loop.rows[Int(token)].state }

  /// The answers a connection was sent since they were last taken.
  func answers(_ token: Int32, isHead: Bool = false) -> [Response] {
    defer { loop.driver[token].sent = [] }
    return Response.read(loop.driver[token].sent, isHead: isHead) ?? []
  }

  func answer(_ token: Int32) -> Response? {
    let all = answers(token)
    return all.count == 1 ? all[0] : nil
  }
}
