public import AsyncHTTPClient
public import HoldfastProtocol

/// A client of a Holdfast server.
///
///     let client = try HoldfastClient(server: "http://127.0.0.1:8080")
///     try await client.publish(["temperature": 21.5], to: "kitchen")
///
///     for try await event in client.subscribe(to: ["kitchen"], from: .earliest) {
///       switch event {
///       case .message(let message): print(try message.decoded(as: [String: Double].self))
///       case .gap(let gap): print("missed \(gap.missed.map(String.init) ?? "some") of \(gap.channel)")
///       }
///     }
///
/// A value without state: copies are the same client, and all of it may be used from many tasks at once. Every request
/// ends when its task is cancelled.
public struct HoldfastClient: Sendable {
  /// What the server counts held polls by.
  public let clientID: String

  let address: ServerAddress
  let exchange: HTTPExchange
  let timing: ClientTiming

  /// - Parameters:
  ///   - server: The server's address, such as `http://127.0.0.1:8080`, perhaps with a path in front of `pathPrefix`.
  ///   - pathPrefix: The prefix of the API's paths on that server.
  ///   - clientID: 1 to 128 printable ASCII characters; `nil` makes a random one. The server bounds the polls that one
  ///     client holds at once, so give the same to all parts of one application only if they share that bound.
  ///   - httpClient: What carries the requests. Another than the default must allow as many connections to one server
  ///     as there will be subscriptions and one more, and should not retry connections of its own accord.
  /// - Throws: ``HoldfastClientError/Code/serverInvalid`` where the address is not an HTTP URL.
  public init(
    server: String, pathPrefix: String = WirePath.prefixDefault, clientID: String? = nil,
    httpClient: HTTPClient = .holdfast
  ) throws(HoldfastClientError) {
    try self.init(
      server: server, pathPrefix: pathPrefix, clientID: clientID, httpClient: httpClient, timing: .system)
  }

  init(
    server: String, pathPrefix: String = WirePath.prefixDefault, clientID: String? = nil,
    httpClient: HTTPClient = .holdfast, timing: ClientTiming
  ) throws(HoldfastClientError) {
    self.clientID = clientID ?? Self.randomID()
    address = try ServerAddress(server, pathPrefix: pathPrefix)
    exchange = HTTPExchange(httpClient: httpClient, clientID: self.clientID, timing: timing)
    self.timing = timing
  }

  /// 128 random bits in hexadecimal.
  static func randomID() -> String {
    let number = UInt128.random(in: .min ... .max)
    let digits = String(number, radix: 16)
    return String(repeating: "0", count: 32 - digits.count) + digits
  }
}

/// The clock, the wait and the chance that a client uses, so that its tests run without any.
struct ClientTiming: Sendable {
  /// A point on a clock that never goes back.
  var now: @Sendable () -> Duration
  /// Waits between two requests, or throws as soon as the task is cancelled.
  var sleep: @Sendable (Duration) async throws -> Void
  /// Waits for the end of the time that a request has; likewise.
  var deadline: @Sendable (Duration) async throws -> Void
  /// From 0 to 1.
  var random: @Sendable () -> Double

  static let system: ClientTiming = {
    let start = ContinuousClock.now
    return ClientTiming(
      now: { ContinuousClock.now - start },
      sleep: { try await Task.sleep(for: $0) },
      deadline: { try await Task.sleep(for: $0) },
      random: { Double.random(in: 0...1) })
  }()
}
