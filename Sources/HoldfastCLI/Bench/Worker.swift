import FoundationEssentials
import Glibc

extension Bench {
  /// A worker process: its plan is the first line of its standard input, orders follow.
  enum Worker {
    static func run() throws {
      // An interrupt at the terminal goes to the whole group; the parent decides, and its end ends the worker.
      signal(SIGINT, SIG_IGN)
      var reader = LineReader(descriptor: STDIN_FILENO)
      var line = reader.next()
      while line == nil, reader.read() { line = reader.next() }
      guard let line, let plan = try? JSONDecoder().decode(Plan.self, from: line) else {
        throw Failure("--worker is for bench itself")
      }
      var engine = Engine(plan, control: reader)
      engine.run()
    }
  }
}
