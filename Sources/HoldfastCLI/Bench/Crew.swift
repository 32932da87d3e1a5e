import FoundationEssentials
import Glibc

extension Bench {
  /// The worker processes, as the parent sees them.
  ///
  /// Even one worker is a process of its own: the loop that measures does nothing else, and what it costs can be told
  /// apart. Where the limit of open files is below the number of polls there are several; the first one publishes.
  final class Crew {
    private struct Worker {
      var process: pid_t
      var orders: Int32
      var events: LineReader
      var tally = Tally()
      var isBusy = false
      var result: WorkerEvent?
    }

    private var workers: [Worker] = []
    /// Called about twice a second while an order is under way, and says why it shall be stopped, if it shall.
    var watch: (Tally) -> String? = { _ in nil }
    /// Why the run was broken off.
    private(set) var broken: String?

    var count: Int { workers.count }
    var tally: Tally { workers.reduce(into: Tally()) { $0 += $1.tally } }

    init(_ plans: [Plan]) throws {
      for plan in plans {
        var worker = try Self.spawn()
        Bench.writeLine(try JSONEncoder().encode(plan), to: worker.orders)
        worker.isBusy = false
        workers.append(worker)
      }
    }

    deinit {
      for worker in workers {
        close(worker.orders)
        close(worker.events.descriptor)
      }
      for worker in workers {
        // A worker ends by itself when its pipe does; one that does not within a second is ended.
        var status: Int32 = 0
        var waited = 0
        while waitpid(worker.process, &status, WNOHANG) == 0, waited < 100 {
          usleep(10_000)
          waited += 1
        }
        if waited == 100 {
          kill(worker.process, SIGKILL)
          waitpid(worker.process, &status, 0)
        }
      }
    }

    /// Starts this very program again, as a worker with pipes for its orders and its events.
    private static func spawn() throws -> Worker {
      var orders: [Int32] = [0, 0]
      var events: [Int32] = [0, 0]
      guard pipe(&orders) == 0, pipe(&events) == 0 else { throw Failure("cannot make a pipe: \(Bench.words(errno))") }
      // What the parent keeps must not be inherited, or a worker would never see the end of its orders.
      for descriptor in [orders[1], events[0]] { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
      var actions = posix_spawn_file_actions_t()
      posix_spawn_file_actions_init(&actions)
      defer { posix_spawn_file_actions_destroy(&actions) }
      posix_spawn_file_actions_adddup2(&actions, orders[0], STDIN_FILENO)
      posix_spawn_file_actions_adddup2(&actions, events[1], STDOUT_FILENO)
      posix_spawn_file_actions_addclose(&actions, orders[0])
      posix_spawn_file_actions_addclose(&actions, events[1])
      var arguments = [CommandLine.arguments[0], "bench", "--worker"].map { (text: String) in strdup(text) } + [nil]
      defer { for argument in arguments { free(argument) } }
      var process: pid_t = 0
      let failed = posix_spawn(&process, "/proc/self/exe", &actions, nil, &arguments, environ)
      close(orders[0])
      close(events[1])
      guard failed == 0 else { throw Failure("cannot start a worker process: \(Bench.words(failed))") }
      return Worker(process: process, orders: orders[1], events: LineReader(descriptor: events[0]))
    }

    /// Gives an order to all workers, or to the first only, and waits for their answers.
    func carryOut(_ order: Order, onlyFirst: Bool = false, within seconds: Double) throws -> [WorkerEvent] {
      let asked = onlyFirst ? 0..<1 : workers.indices
      for index in asked {
        workers[index].isBusy = true
        workers[index].result = nil
        try send(order, to: index)
      }
      let end = Bench.time(Bench.now(), plus: seconds)
      var stopped = false
      while workers.contains(where: \.isBusy) {
        try awaitEvents()
        let reason = broken == nil ? watch(tally) : nil
        if let reason { broken = reason }
        if !stopped, broken != nil {
          stopped = true
          for index in asked where workers[index].isBusy { try send(.stop, to: index) }
        }
        if Bench.now() > end { throw Failure("a worker process did not answer within \(Int(seconds)) s") }
      }
      return asked.compactMap { workers[$0].result }
    }

    private func send(_ order: Order, to index: Int) throws {
      Bench.writeLine(try JSONEncoder().encode(order), to: workers[index].orders)
    }

    /// Waits up to a fifth of a second for what the workers say.
    private func awaitEvents() throws {
      var ready = workers.map { pollfd(fd: $0.events.descriptor, events: Int16(POLLIN), revents: 0) }
      guard poll(&ready, nfds_t(ready.count), 200) > 0 else { return }
      for index in ready.indices where ready[index].revents != 0 {
        guard workers[index].events.read() else { throw Failure("a worker process ended unexpectedly") }
        while let line = workers[index].events.next() {
          let event = try JSONDecoder().decode(WorkerEvent.self, from: line)
          workers[index].tally = event.tally
          guard event.kind == .done else { continue }
          workers[index].isBusy = false
          workers[index].result = event
        }
      }
    }
  }

  /// An error in one line.
  struct Failure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
  }
}
