import ArgumentParser

/// The version of the whole project.
let version = "0.1.0"

@main
struct HoldfastCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "holdfast",
    abstract: "Real-time messages over plain HTTP: long polling that loses nothing.",
    discussion: """
      Start a server, listen in one terminal, publish in another:

        holdfast serve
        holdfast subscribe news
        holdfast publish news '{"a":1}'
      """,
    version: version,
    subcommands: subcommands)

  private static var subcommands: [any ParsableCommand.Type] {
    let all: [any ParsableCommand.Type] = [Serve.self, Publish.self, Subscribe.self, History.self, Channels.self]
    #if os(Linux)
      return all + [Bench.self]
    #else
      return all
    #endif
  }

  /// As ArgumentParser would run it, but for errors in the command line: one clear line, exit 64.
  static func main() async {
    do {
      var command = try parseAsRoot()
      if var asynchronous = command as? any AsyncParsableCommand {
        try await asynchronous.run()
      } else {
        try command.run()
      }
    } catch {
      if exitCode(for: error) != .validationFailure { exit(withError: error) }
      Terminal.complain(message(for: error).split(separator: "\n").joined(separator: " "))
      exit(withError: ExitCode.validationFailure)
    }
  }
}
