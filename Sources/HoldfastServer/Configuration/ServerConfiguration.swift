public import Holdfast
import HoldfastProtocol

/// How a server behaves. The defaults are the product's, and written here only (or in ``WireLimit``, where a client has to
/// know them too).
public struct ServerConfiguration: Sendable {
  /// The address to listen on.
  public var host = WireLimit.hostDefault
  /// The port to listen on; 0 lets the system choose.
  public var port = WireLimit.portDefault
  /// The descriptor of a socket that listens already, from systemd for instance; `host` and `port` are not used then. The
  /// server closes it in the end, which leaves the socket to whoever else has it.
  public var listeningSocket: CInt?
  /// Whether other processes of the same user may listen on the same port, each being given a share of the connections: for
  /// a new server that takes over from an old one. Where stores are not shared, neither are messages.
  public var reusesPort = false
  /// What stands before every path but `/healthz` and `/readyz`: empty, or `/` and a word.
  public var prefix = WirePath.prefixDefault
  /// What runs the connections.
  public enum Driver: String, Sendable, CaseIterable {
    /// What is best here: ``epoll`` on Linux, ``nio`` elsewhere.
    case auto
    /// Linux's own, for connections in clear: the least memory and time a held poll.
    case epoll
    /// SwiftNIO, everywhere.
    case nio

    /// What ``auto`` stands for here; any other for itself.
    public var resolved: Driver {
      #if os(Linux)
        self == .auto ? .epoll : self
      #else
        self == .auto ? .nio : self
      #endif
    }
  }

  public var driver = Driver.auto
  /// Event loops, each a thread. One serves tens of thousands of polls; more are for more cores than one fills.
  public var threads = 1

  /// The longest a poll is held.
  public var pollTimeoutMax: Duration = .seconds(WireLimit.pollTimeoutMaxSecondsDefault)
  /// How long a poll is held that does not say.
  public var pollTimeout: Duration = .seconds(WireLimit.pollTimeoutSecondsDefault)
  /// For a request's head, from its first byte.
  public var headTimeout: Duration = .seconds(10)
  /// For a request's body, from its head.
  public var bodyTimeout: Duration = .seconds(30)
  /// For a connection without a request.
  public var idleTimeout: Duration = .seconds(75)
  /// For a client to take an answer.
  public var sendTimeout: Duration = .seconds(30)
  /// From the order to stop until the process ends, whatever is left.
  public var shutdownTimeout: Duration = .seconds(10)
  /// Over which held polls are answered when the server stops, so that they do not all come back at once.
  public var drainWindow: Duration = .seconds(1)

  /// Most bytes of one published body.
  public var bodyBytesMax = WireLimit.bodyBytesMaxDefault
  /// Most bytes of answers that one thread keeps for clients that take them slowly. Beyond it those who have been taking
  /// the longest are closed.
  public var backlogBytesMax = 256 << 20
  /// Most bytes of requests that one thread keeps while they have not come whole. Beyond it whoever sends more of one is
  /// refused.
  public var partialBytesMax = 256 << 20
  /// How many polls may be held at once.
  public var holds = HoldLimits()
  /// What logs retain.
  public var store = MemoryStore.Limits()

  /// Origins whose pages may use the server, besides its own; `*` for all.
  public var corsOrigins: [String] = []
  /// Whose `X-Forwarded-For` is believed.
  public var trustedProxies: [AddressRange] = []

  public init() {}
}
