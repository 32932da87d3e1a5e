import ArgumentParser
import Foundation
import HoldfastClient
import HoldfastProtocol

/// Where the server is: the options that every command shares that talks to one.
struct ServerOptions: ParsableArguments {
  static let variable = "HOLDFAST_SERVER"
  static let serverDefault = "http://\(WireLimit.hostDefault):\(WireLimit.portDefault)"

  @Option(
    help: ArgumentHelp(
      "The server's address. (default: $\(variable), else \(serverDefault))", valueName: "url"))
  var server: String?

  @Option(help: ArgumentHelp("The prefix of the API's paths on that server.", valueName: "path"))
  var pathPrefix: String = WirePath.prefixDefault

  var serverAddress: String {
    let fromEnvironment = ProcessInfo.processInfo.environment[Self.variable].flatMap { $0.isEmpty ? nil : $0 }
    return server ?? fromEnvironment ?? Self.serverDefault
  }

  func validate() throws {
    do {
      _ = try client()
    } catch {
      throw ValidationError("\(error)")
    }
  }

  private func client(maxRetries: Int? = nil) throws(HoldfastClientError) -> HoldfastClient {
    var configuration = HoldfastClient.Configuration()
    configuration.pathPrefix = pathPrefix
    configuration.maxRetries = maxRetries
    return try HoldfastClient(server: serverAddress, configuration: configuration)
  }

  /// Runs the part of a command that talks to the server, and turns what it throws into one line and an exit code.
  ///
  /// - Parameter maxRetries: How often in a row the client tries again; `nil`: for ever.
  func run(maxRetries: Int? = nil, _ body: (HoldfastClient) async throws -> Void) async throws {
    do {
      try await body(client(maxRetries: maxRetries))
    } catch let error as HoldfastClientError {
      Terminal.complain(line(for: error))
      throw ExitCode.failure
    } catch let error as Terminal.InputError {
      Terminal.complain(error.description)
      throw ExitCode.failure
    } catch let error as Terminal.OutputError {
      // Who read the output has seen enough, as in `holdfast subscribe news | head -1`: that is no failure.
      guard !error.readerIsGone else { return }
      Terminal.complain(error.description)
      throw ExitCode.failure
    }
  }

  /// One line that says what is wrong and, where it is known, what to do.
  func line(for error: HoldfastClientError) -> String {
    switch error.code {
    case .unreachable:
      "no server at \(serverAddress) (\(error.detail)); start one with 'holdfast serve', or name it with --server"
    case HoldfastClientError.Code(rawValue: ProblemCode.jsonMalformed.rawValue):
      "\(error); --text publishes plain text"
    default: "\(error)"
    }
  }
}
