import ArgumentParser
import Holdfast
import HoldfastServer
import Logging
import ServiceLifecycle
import UnixSignals

#if os(Linux)
  import CLinux
#endif

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// `holdfast serve`.
struct Serve: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Serve channels over HTTP.",
    discussion: """
      Every setting can be given as a flag, in the environment (--log-age-max as HOLDFAST_LOG_AGE_MAX) or in a YAML or \
      JSON file (as log-age-max); a flag wins over the environment, and that over the file.

      SIGTERM and SIGINT end the server gently: held polls are answered with their own cursors, so that clients go on \
      elsewhere and miss nothing.

        holdfast serve --port 8080
        HOLDFAST_LOG_AGE_MAX=3600 holdfast serve --config holdfast.yaml
      """)

  @OptionGroup var options: ServeOptions

  func run() async throws {
    let settings = try await ServeSettings.read(options)
    let logger = Logs.bootstrap(settings.logs)
    raiseFileLimit()
    keepLargeBlocksApart()
    signal(SIGPIPE, SIG_IGN)
    let hub = Hub(store: MemoryStore(limits: settings.server.store), limits: settings.server.holds)
    if let passed = settings.passed {
      logger.info(
        "adopted a listening socket", metadata: ["address": "\(passed.host)", "descriptor": "\(passed.descriptor)"])
    }
    if settings.server.reusesPort {
      logger.warning(
        """
        --reuse-port with the memory store: another process on this port has messages of its own, and a client gets only \
        those of the process it reaches. That is for handing over from an old process to a new one, not for good.
        """)
    }
    let server = Server(configuration: settings.server, hub: hub, logger: logger) { port in
      Serve.announce(settings.server, port: port)
      logger.info(
        "listening",
        metadata: [
          "host": "\(settings.server.host)", "port": "\(port)", "version": "\(version)", "store": "memory",
          "driver": "\(settings.server.driver.resolved)",
        ])
    }
    let group = ServiceGroup(
      configuration: .init(
        services: [server, MemoryReturn()], gracefulShutdownSignals: [.sigterm, .sigint], logger: Logs.quiet))
    do {
      try settings.server.checkFiles()
      try await group.run()
    } catch {
      Terminal.complain("\(error)")
      throw ExitCode.failure
    }
  }

  /// Says where the server is and what to try. The first line is for programs too.
  private static func announce(_ configuration: ServerConfiguration, port: Int) {
    let isPath = configuration.host.hasPrefix("/") || configuration.host.hasPrefix("@")
    let host = configuration.host.contains(":") ? "[\(configuration.host)]" : configuration.host
    let url = isPath ? "http+unix://\(configuration.host)" : "http://\(host):\(port)"
    let api = url + configuration.prefix
    let page = isPath ? "" : "\n  see it in a browser:  \(url)/example"
    try? Terminal.printLine(
      """
      holdfast \(version) listening on \(url)

        wait for a message:   curl '\(api)/poll/news'
        publish one:          curl -d '{"hello":"world"}' '\(api)/publish/news'\(page)

      """)
  }

  /// Lets large arrays be blocks of their own, which go back to the system when they are let go of. By default glibc soon
  /// takes them from the heap, and there each growth leaves a hole: a third of what a held poll costs, once a crowd has
  /// come and gone.
  private func keepLargeBlocksApart() {
    #if os(Linux)
      clinux_keep_large_blocks_apart(256 << 10)
    #endif
  }

  /// Gives memory back to the system that a crowd has left. glibc by itself returns only what is free at the heap's end, and
  /// messages that are kept are all over it. On a heap of 100 MB it takes some 10 ms of a thread that serves nobody.
  private struct MemoryReturn: Service {
    func run() async {
      while (try? await cancelWhenGracefulShutdown { try await Task.sleep(for: .seconds(60)) }) != nil {
        #if os(Linux)
          clinux_return_free_pages()
        #endif
      }
    }
  }

  /// Each held poll is an open file; the system lets a process ask for more than it starts with.
  private func raiseFileLimit() {
    #if canImport(Darwin)
      let resource = RLIMIT_NOFILE
    #else
      let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    #endif
    var limit = rlimit()
    if getrlimit(resource, &limit) != 0 { return }
    limit.rlim_cur = limit.rlim_max
    setrlimit(resource, &limit)
  }
}
