import ArgumentParser
import HoldfastClient
import HoldfastProtocol
import Synchronization
import UnixSignals

/// `holdfast subscribe`
struct Subscribe: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Follow channels, like tail -f.",
    discussion: """
      Prints the data of each message as it comes, exactly as it was published, one after another; of several \
      channels as channel, tab and data. When the server goes away it waits and goes on where it was; what could not be given any \
      more is told on standard error. Ctrl-C ends it.

        holdfast subscribe news
        holdfast subscribe news alerts --from earliest --json | jq .data
        holdfast subscribe orders --from earliest --cursor-file orders.cursor
      """)

  @Argument(help: ArgumentHelp("The channels to follow, at most 64.", valueName: "channel"))
  var channels: [String]

  @Option(
    help: ArgumentHelp(
      "Where to begin: 'now', 'earliest' (all that is retained), or after the message with this id. (default: now)",
      valueName: "cursor"))
  var from: String?

  @Option(help: ArgumentHelp("Begin with the messages later than this Unix time.", valueName: "seconds"))
  var since: Double?

  @Option(
    help: ArgumentHelp(
      "Keep in this file where it is, and go on from there the next time; then --from and --since do not count.",
      valueName: "path"))
  var cursorFile: String?

  @Option(help: ArgumentHelp("Stop after so many messages.", valueName: "number"))
  var count: Int?

  @Flag(help: "Print whole message objects, one a line: id, channel, timestamp and data.")
  var json = false

  @OptionGroup
  var server: ServerOptions

  func validate() throws {
    if channels.contains(where: { $0.contains(",") }) {
      throw ValidationError("Name several channels as arguments of their own, without commas.")
    }
    if from != nil && since != nil { throw ValidationError("--from and --since both say where to begin; give one.") }
    if let since, !(since >= 0 && since.isFinite) { throw ValidationError("--since must be Unix seconds, 0 or above.") }
    if let count, count < 1 { throw ValidationError("--count must be 1 or above.") }
    if from?.isEmpty == true { throw ValidationError("--from must be 'now', 'earliest' or a message's id.") }
  }

  private var start: SubscriptionStart {
    if let since { return .since(since) }
    return switch from {
    case nil, WireCursor.now: .now
    case WireCursor.earliest: .earliest
    case .some(let cursor): .cursor(cursor)
    }
  }

  func run() async throws {
    let signals = await UnixSignalsSequence(trapping: .sigint)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await server.run(follow) }
      group.addTask { for await _ in signals { break } }
      defer { group.cancelAll() }
      try await group.next()
    }
  }

  private func follow(with client: HoldfastClient) async throws {
    let outages = Outages(server)
    let subscription = client.subscribe(
      to: channels, from: start, store: cursorFile.map { FileCursorStore(path: $0) },
      onNotice: { outages.notice($0) })
    var left = count ?? .max
    for try await event in subscription {
      switch event {
      case .gap(let gap): Terminal.complain(Output.line(for: gap))
      case .message(let message):
        try Terminal.printLine(Output.line(for: message, asJSON: json, withChannel: channels.count > 1))
        left -= 1
        // The loop still asks for the next message, and so says that it has handled this one.
        if left == 0 { subscription.stop() }
      }
    }
  }
}

/// Says one line for each time that the server goes away, not for each attempt.
private final class Outages: Sendable {
  private let server: ServerOptions
  private let isToldOf = Mutex(false)

  init(_ server: ServerOptions) {
    self.server = server
  }

  func notice(_ notice: Subscription.Notice) {
    switch notice {
    case .connected: isToldOf.withLock { $0 = false }
    case .error(let error): Terminal.complain("\(error)")
    case .state(let change):
      guard change.state == .waiting, let reason = change.reason,
        !isToldOf.withLock({ told in
          defer { told = true }
          return told
        })
      else { return }
      Terminal.complain("\(server.line(for: reason)); waiting for it")
    case .disconnected: break
    }
  }
}
