import ArgumentParser
import HoldfastClient
import HoldfastProtocol

/// `holdfast publish`
struct Publish: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Publish a message, or a stream of them.",
    discussion: """
      The message is one JSON value, kept byte for byte, and its id is printed once the server has it in the log. A \
      publish whose answer was lost is repeated with the same idempotency key, so it never becomes two messages.

        holdfast publish news '{"title":"Hello"}'
        date | holdfast publish clock --text
        tail -f events.ndjson | holdfast publish events --ndjson
        holdfast publish temperature -- -1
      """)

  @Argument(help: ArgumentHelp("The channel to publish to.", valueName: "channel"))
  var channel: String

  @Argument(help: ArgumentHelp("The message; '-' or nothing reads it from standard input.", valueName: "data"))
  var data: String?

  @Flag(help: "Publish each line of standard input as a message, as it comes; empty lines are skipped.")
  var ndjson = false

  @Flag(help: "The message is plain text, not JSON.")
  var text = false

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Let the message expire after so long; decimals are allowed.", valueName: "seconds"))
  var ttl: Double?

  @Option(
    help: ArgumentHelp(
      "Publish only if no message with this key was published before.",
      discussion: "The server remembers a key for 10 minutes; it then gives the first message's id again.",
      valueName: "key"))
  var idempotencyKey: String?

  @Option(
    help: ArgumentHelp(
      "Give up after so many failures in a row, and not before. (default: 8 with --ndjson, else 1)",
      discussion: "The waits between them grow to 30 seconds.",
      valueName: "number"))
  var maxRetries: Int?

  @Flag(help: "Print the server's whole answer, not only the message's id.")
  var json = false

  @OptionGroup
  var server: ServerOptions

  /// Above this a time to live means nothing: it is thirty years.
  private static let ttlSecondsMax = 1e9

  func validate() throws {
    if let ttl, !(ttl > 0 && ttl <= Self.ttlSecondsMax) {
      throw ValidationError("--ttl must be seconds above 0 and at most 1000000000.")
    }
    if let maxRetries, maxRetries < 0 { throw ValidationError("--max-retries must be 0 or above.") }
    if ndjson && (data ?? "-") != "-" {
      throw ValidationError("--ndjson reads standard input; leave out the <data> argument.")
    }
    if ndjson && idempotencyKey != nil {
      throw ValidationError("--idempotency-key names one message; --ndjson publishes many, each with its own key.")
    }
  }

  func run() async throws {
    // Somebody may be watching: a server that is not there should be told of soon. A stream outlives a server's restart.
    try await server.run(maxRetries: maxRetries ?? (ndjson ? 8 : 1)) { client in
      if ndjson {
        try await publishLines(with: client)
      } else {
        let body = if let data, data != "-" { Array(data.utf8) } else { try Terminal.readAll() }
        try await publish(body, with: client)
      }
    }
  }

  private func publishLines(with client: HoldfastClient) async throws {
    var lines = Terminal.Lines()
    var number = 0
    while let line = try lines.next() {
      number += 1
      if line.allSatisfy({ $0 == 0x20 || $0 == 0x09 }) { continue }
      do {
        try await publish(line, with: client)
      } catch let error as HoldfastClientError where error.status != nil {
        Terminal.complain("line \(number): \(server.line(for: error))")
        throw ExitCode.failure
      }
    }
  }

  private func publish(_ body: [UInt8], with client: HoldfastClient) async throws {
    let receipt = try await client.publish(
      body: body, contentType: text ? WireMediaType.text : WireMediaType.json, to: channel,
      idempotencyKey: idempotencyKey, ttl: ttl.map { .seconds($0) })
    if json {
      try Terminal.printLine(Output.oneLine(receipt.json))
    } else {
      try Terminal.printLine(receipt.messageID)
    }
  }
}
