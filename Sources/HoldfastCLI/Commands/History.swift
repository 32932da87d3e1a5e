import ArgumentParser
import HoldfastClient
import HoldfastProtocol

/// `holdfast history`
struct History: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Print the messages that a channel retains.",
    discussion: """
      Prints the data of each message from the oldest on, exactly as it was published, and ends. With --json the id of \
      the last one is what a later --after goes on from.

        holdfast history news --limit 10
        holdfast history news --after q7m2kd-1042-9f3c21aa --json
      """)

  @Argument(help: ArgumentHelp("The channel to read.", valueName: "channel"))
  var channel: String

  @Option(help: ArgumentHelp("Begin after the message with this id.", valueName: "cursor"))
  var after: String?

  @Option(help: ArgumentHelp("Print at most so many messages. (default: all)", valueName: "number"))
  var limit: Int?

  @Flag(help: "Print whole message objects, one a line: id, channel, timestamp and data.")
  var json = false

  @OptionGroup
  var server: ServerOptions

  func validate() throws {
    if let limit, limit < 1 { throw ValidationError("--limit must be 1 or above.") }
  }

  func run() async throws {
    try await server.run { client in
      var cursor = after
      var left = limit ?? .max
      var more = true
      while more && left > 0 {
        let page = try await client.history(of: channel, after: cursor, limit: min(left, WireLimit.limitMax))
        for gap in page.gaps { Terminal.complain(Output.line(for: gap)) }
        for message in page.messages {
          try Terminal.printLine(Output.line(for: message, asJSON: json, withChannel: false))
        }
        left -= page.messages.count
        // A page that moves nothing would be asked for again for ever.
        more = page.more && page.cursor != cursor
        cursor = page.cursor
      }
    }
  }
}
