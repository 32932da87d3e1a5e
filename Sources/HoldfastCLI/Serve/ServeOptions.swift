import ArgumentParser
import Configuration

/// The flags of `serve`. None has a default here: what is not given may stand in the environment or the file.
struct ServeOptions: ParsableArguments {
  @Option(help: ArgumentHelp("A YAML or JSON file with settings.", valueName: "file"))
  var config: String?

  @Option(help: ArgumentHelp("The address to listen on (127.0.0.1).", valueName: "address"))
  var host: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("The port to listen on; 0 lets the system choose (8080).", valueName: "port"))
  var port: Int?

  @Flag(
    help: """
      Let other servers of the same user listen on the same port, so that a new one can take over from an old one that \
      is told to end. The memory store is not shared with them.
      """)
  var reusePort = false

  @Option(help: ArgumentHelp("What stands before every path of the API (/api).", valueName: "path"))
  var prefix: String?

  @Option(help: ArgumentHelp("Where messages are kept: memory (memory).", valueName: "store"))
  var store: String?

  @Option(
    help: ArgumentHelp(
      "What runs the connections: auto, epoll, nio (auto: epoll on Linux, else nio).", valueName: "name"))
  var driver: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Event loops, each a thread; one holds tens of thousands of polls (1).", valueName: "n"))
  var threads: Int?

  @Option(parsing: .unconditional, help: ArgumentHelp("The longest a poll is held (60).", valueName: "seconds"))
  var pollTimeoutMax: Double?

  @Option(
    parsing: .unconditional, help: ArgumentHelp("The most messages a channel's log retains (1000).", valueName: "n"))
  var logMessagesMax: Int?

  @Option(
    parsing: .unconditional, help: ArgumentHelp("The age at which a message expires (300).", valueName: "seconds"))
  var logAgeMax: Double?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("The most bytes of payload a channel's log retains (16777216).", valueName: "bytes"))
  var logBytesMax: Int?

  @Option(
    help: ArgumentHelp(
      "Other bounds for channels by pattern: 'chat.*=messages:100 age:60 bytes:65536'; several with commas between.",
      valueName: "rules"))
  var logRules: [String] = []

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("About the most bytes all logs may cost together (4294967296).", valueName: "bytes"))
  var storeBytesMax: Int?

  @Option(
    parsing: .unconditional, help: ArgumentHelp("The most bytes of one published body (262144).", valueName: "bytes"))
  var bodyBytesMax: Int?

  @Option(parsing: .unconditional, help: ArgumentHelp("Held polls of one client; 0: no limit (6).", valueName: "n"))
  var connectionsPerClientMax: Int?

  @Option(
    parsing: .unconditional, help: ArgumentHelp("Held polls from one address; 0: no limit (1000).", valueName: "n"))
  var connectionsPerAddressMax: Int?

  @Option(
    parsing: .unconditional, help: ArgumentHelp("Held polls on one channel; 0: no limit (10000).", valueName: "n"))
  var connectionsPerChannelMax: Int?

  @Option(parsing: .unconditional, help: ArgumentHelp("Held polls in all; 0: no limit (100000).", valueName: "n"))
  var connectionsMax: Int?

  @Option(parsing: .unconditional, help: ArgumentHelp("For a request's head to arrive (10).", valueName: "seconds"))
  var headTimeout: Double?

  @Option(parsing: .unconditional, help: ArgumentHelp("For a request's body to arrive (30).", valueName: "seconds"))
  var bodyTimeout: Double?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("After which a connection without a request is closed (75).", valueName: "seconds"))
  var idleTimeout: Double?

  @Option(parsing: .unconditional, help: ArgumentHelp("For a client to take an answer (30).", valueName: "seconds"))
  var sendTimeout: Double?

  @Option(
    parsing: .unconditional, help: ArgumentHelp("From SIGTERM to the end at the latest (10).", valueName: "seconds"))
  var shutdownTimeout: Double?

  @Option(
    parsing: .singleValue,
    help: ArgumentHelp(
      "Origins whose pages may use the server, with commas between; * for all (only its own).", valueName: "origins"))
  var corsOrigins: [String] = []

  @Option(
    parsing: .singleValue,
    help: ArgumentHelp(
      "Addresses or ranges whose X-Forwarded-For is believed, with commas between (none).", valueName: "ranges"))
  var trustedProxies: [String] = []

  @Option(help: ArgumentHelp("How much is logged: trace, debug, info, warning, error (info).", valueName: "level"))
  var logLevel: String?

  @Option(help: ArgumentHelp("How it is logged: text, json (text on a terminal, else json).", valueName: "format"))
  var logFormat: String?

  /// Every setting by its name, with what was given for it.
  var settings: [(name: String, given: ConfigContent?)] {
    [
      ("host", host.map { .string($0) }),
      ("port", port.map { .int($0) }),
      ("reuse-port", reusePort ? .bool(true) : nil),
      ("prefix", prefix.map { .string($0) }),
      ("store", store.map { .string($0) }),
      ("driver", driver.map { .string($0) }),
      ("threads", threads.map { .int($0) }),
      ("poll-timeout-max", pollTimeoutMax.map { .double($0) }),
      ("log-messages-max", logMessagesMax.map { .int($0) }),
      ("log-age-max", logAgeMax.map { .double($0) }),
      ("log-bytes-max", logBytesMax.map { .int($0) }),
      ("log-rules", list(logRules)),
      ("store-bytes-max", storeBytesMax.map { .int($0) }),
      ("body-bytes-max", bodyBytesMax.map { .int($0) }),
      ("connections-per-client-max", connectionsPerClientMax.map { .int($0) }),
      ("connections-per-address-max", connectionsPerAddressMax.map { .int($0) }),
      ("connections-per-channel-max", connectionsPerChannelMax.map { .int($0) }),
      ("connections-max", connectionsMax.map { .int($0) }),
      ("head-timeout", headTimeout.map { .double($0) }),
      ("body-timeout", bodyTimeout.map { .double($0) }),
      ("idle-timeout", idleTimeout.map { .double($0) }),
      ("send-timeout", sendTimeout.map { .double($0) }),
      ("shutdown-timeout", shutdownTimeout.map { .double($0) }),
      ("cors-origins", list(corsOrigins)),
      ("trusted-proxies", list(trustedProxies)),
      ("log-level", logLevel.map { .string($0) }),
      ("log-format", logFormat.map { .string($0) }),
    ]
  }

  private func list(_ texts: [String]) -> ConfigContent? {
    texts.isEmpty ? nil : .stringArray(texts.flatMap { $0.split(separator: ",").map(String.init) })
  }
}
