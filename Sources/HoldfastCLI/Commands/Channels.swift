import ArgumentParser
import HoldfastClient
import HoldfastProtocol

/// `holdfast channels`
struct Channels: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "List the channels of a server.",
    discussion: """
      A channel is listed while it retains messages or somebody waits on it. POLLS is how many do so now; HEAD is the \
      id of its newest message.

        holdfast channels --prefix orders.
      """)

  @Option(help: ArgumentHelp("List only the channels whose name begins so.", valueName: "text"))
  var prefix: String?

  @Flag(help: "Print JSON objects, one a line.")
  var json = false

  @OptionGroup
  var server: ServerOptions

  func run() async throws {
    try await server.run { client in
      var rows: [[String]] = []
      var last: String?
      while true {
        let page = try await client.channels(prefix: prefix, after: last, limit: WireLimit.limitMax)
        for channel in page.channels {
          if json { try Terminal.printLine(Output.oneLine(channel.json)) } else { rows.append(Self.row(for: channel)) }
        }
        // The page after the same name would be the same page.
        guard page.more, let next = page.channels.last?.channel, next != last else { break }
        last = next
      }
      guard !json else { return }
      if rows.isEmpty {
        Terminal.complain(prefix.map { "no channels whose name begins with '\($0)'" } ?? "no channels yet")
      } else {
        for line in Output.table([["CHANNEL", "MESSAGES", "BYTES", "POLLS", "HEAD"]] + rows) {
          try Terminal.printLine(line)
        }
      }
    }
  }

  private static func row(for state: ChannelState) -> [String] {
    [state.channel, "\(state.count)", "\(state.bytes)", "\(state.held)", state.head ?? "-"]
  }
}
