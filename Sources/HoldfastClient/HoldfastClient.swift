public import AsyncHTTPClient
import HoldfastProtocol
import Synchronization

/// Gives the token that a server asks for.
///
/// - Parameter isFresh: the server has refused the token that was given last; do not give it again out of a cache.
/// - Returns: What stands behind `Bearer` in `Authorization`.
public typealias TokenProvider = @Sendable (_ isFresh: Bool) async throws -> String

/// A client of a Holdfast server.
///
///     let client = try HoldfastClient(server: "http://127.0.0.1:8080")
///     try await client.publish(["temperature": 21.5], to: "kitchen")
///
///     for try await event in client.subscribe(to: "kitchen", from: .earliest) {
///       switch event {
///       case .message(let message): print(try message.decoded(as: [String: Double].self))
///       case .gap(let gap): print("missed \(gap.missed.map(String.init) ?? "some") of \(gap.channel)")
///       }
///     }
///
/// Copies are the same client: they share the queue of what is published and the token. All of it may be used from many
/// tasks at once. Every request ends when its task is cancelled.
public struct HoldfastClient: Sendable {
  /// What may be set, each with its default.
  public struct Configuration: Sendable {
    /// The prefix of the API's paths on the server.
    public var pathPrefix = WirePath.prefixDefault
    /// What the server counts held polls by: 1 to 128 printable ASCII characters; `nil` makes a random one. The server
    /// bounds the polls that one client holds at once, so give the same to all parts of one application only if they share
    /// that bound.
    public var clientID: String?
    /// How long the server may hold each poll of a subscription, at most 60 s. A poll is given up 5 s after that.
    public var pollTimeout = Duration.seconds(30)
    /// The longest wait after a first failure; it doubles with each further one in a row.
    public var retryDelayMin = Duration.seconds(1)
    /// The longest wait after any failure. A server's `Retry-After` may be longer; of it 300 s are believed.
    public var retryDelayMax = Duration.seconds(30)
    /// After so many failures in a row the next one ends a subscription or a publish; `nil`: none does.
    public var maxRetries: Int?
    /// Most messages that are under way or wait to be published.
    public var publishQueueMax = 1000
    /// Gives the token, where the server asks for one.
    public var token: TokenProvider?

    public init() {}

    var delays: RetryDelays { RetryDelays(min: retryDelayMin, max: retryDelayMax) }
  }

  public let configuration: Configuration

  /// What the server counts held polls by.
  public var clientID: String { core.exchange.clientID }

  let core: ClientCore

  /// - Parameters:
  ///   - server: The server's address, such as `http://127.0.0.1:8080`, perhaps with a path in front of the prefix.
  ///   - configuration: What is to be other than the defaults.
  ///   - httpClient: What carries the requests. Another than the default must allow as many connections to one server
  ///     as there will be subscriptions and one more, and should not retry connections of its own accord.
  /// - Throws: ``HoldfastClientError/Code/serverInvalid`` where the address is not an HTTP URL.
  public init(
    server: String, configuration: Configuration = Configuration(), httpClient: HTTPClient = .holdfast
  ) throws(HoldfastClientError) {
    try self.init(server: server, configuration: configuration, world: .system(httpClient))
  }

  init(server: String, configuration: Configuration, world: ClientWorld) throws(HoldfastClientError) {
    self.configuration = configuration
    core = ClientCore(
      world: world, address: try ServerAddress(server, pathPrefix: configuration.pathPrefix),
      configuration: configuration)
  }
}

// MARK: Sleep and network

extension HoldfastClient {
  /// Tells that the process is about to be suspended, as an app is that goes to the background: polls are given up, and
  /// nothing is asked until ``wake()``.
  public func sleep() {
    for driver in core.followers { driver.sleep() }
  }

  /// Tells that the process goes on, or that the network is back: waits end at once (but for what a server asked for), and
  /// polls are repeated, since their connections may be dead. It may be called too often: a poll that began less than a
  /// second ago is left alone.
  public func wake() {
    for driver in core.followers { driver.wake() }
    core.publisher.wake(at: core.world.now())
  }

  /// Whether the network is known to be away. Set it as the system tells, and call ``wake()`` when it is back.
  ///
  /// A publish that fails while the network is away was not sent, so it is tried again however long that takes; otherwise
  /// it ends with ``HoldfastClientError/Code/fateUnknown`` after 9 minutes.
  public var isOffline: Bool {
    get { core.isOffline.withLock { $0 } }
    nonmutating set { core.isOffline.withLock { $0 = newValue } }
  }
}

/// What all copies of a client share.
final class ClientCore: Sendable {
  let world: ClientWorld
  let address: ServerAddress
  let exchange: Exchange
  let publisher: Publisher
  let isOffline = Mutex(false)
  private let drivers = Mutex<[ObjectIdentifier: Follower]>([:])

  private struct Follower: Sendable { weak let driver: SubscriptionDriver? }

  init(world: ClientWorld, address: ServerAddress, configuration: HoldfastClient.Configuration) {
    self.world = world
    self.address = address
    exchange = Exchange(
      world: world, clientID: configuration.clientID ?? world.newID(),
      tokens: configuration.token.map { Tokens($0, executor: world.executor) })
    publisher = Publisher(configuration, world: world)
  }

  /// The subscriptions that somebody has.
  var followers: [SubscriptionDriver] { drivers.withLock { $0.values.compactMap(\.driver) } }

  func follow(_ driver: SubscriptionDriver) {
    let follower = Follower(driver: driver)
    drivers.withLock { $0[ObjectIdentifier(driver)] = follower }
  }

  func unfollow(_ driver: SubscriptionDriver) {
    let id = ObjectIdentifier(driver)
    drivers.withLock { _ = $0.removeValue(forKey: id) }
  }
}
