import Dispatch
import Glibc
import Synchronization

/// A program started by a test: its output line by line, its errors, its exit code, each with a bound.
///
/// Two threads read its two pipes and a third waits for its end, so that it can never block on a full pipe (unless that
/// is what a test is about) and its pid stays its own until it was waited for.
final class ChildProcess: Sendable {
  let pid: pid_t
  private let output = TextPipe()
  private let errors = TextPipe()
  private let input: Mutex<Int32>
  /// The reading end of its errors while nobody reads them, else -1.
  private let unreadErrors: Mutex<Int32>
  private let ending = Ending()

  /// How it ended. The thread that waits for the child holds this and not the child, so that a test which drops its
  /// child ends it.
  private final class Ending: Sendable {
    let exit = Mutex<Int32?>(nil)
    let happened = DispatchSemaphore(value: 0)
  }

  /// Pipes are made close-on-exec a moment after they are made; no other child may be started in that moment.
  private static let starting = Mutex(())

  /// - Parameters:
  ///   - readsErrors: false: what it writes to its errors stays in the pipe until ``readErrors()``.
  ///   - passed: A descriptor that is the child's number 3, as systemd passes sockets.
  init(
    _ path: String, _ arguments: [String], environment: [String: String] = [:], input text: String? = nil,
    readsErrors: Bool = true, passed: Int32? = nil
  ) throws {
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var none = sigset_t()
    sigemptyset(&none)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))

    var words: [UnsafeMutablePointer<CChar>?] = ([path] + arguments).map { strdup($0) } + [nil]
    var settings: [UnsafeMutablePointer<CChar>?] =
      inheritedEnvironment(without: environment.keys).map { strdup($0) }
      + environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
    defer { for word in words + settings { free(word) } }
    let child = try ChildProcess.starting.withLock { _ in
      let pipes = (input: try makePipe(), output: try makePipe(), errors: try makePipe())
      var actions = posix_spawn_file_actions_t()
      posix_spawn_file_actions_init(&actions)
      defer { posix_spawn_file_actions_destroy(&actions) }
      posix_spawn_file_actions_adddup2(&actions, pipes.input.reading, 0)
      posix_spawn_file_actions_adddup2(&actions, pipes.output.writing, 1)
      posix_spawn_file_actions_adddup2(&actions, pipes.errors.writing, 2)
      if let passed { posix_spawn_file_actions_adddup2(&actions, passed, 3) }
      var pid: pid_t = 0
      let result = posix_spawn(&pid, path, &actions, &attributes, &words, &settings)
      Glibc.close(pipes.input.reading)
      Glibc.close(pipes.output.writing)
      Glibc.close(pipes.errors.writing)
      guard result == 0 else { throw Failure("cannot start \(path): \(String(cString: strerror(result)))") }
      return (pid: pid, input: pipes.input.writing, output: pipes.output.reading, errors: pipes.errors.reading)
    }
    pid = child.pid
    input = Mutex(child.input)
    unreadErrors = Mutex(child.errors)
    output.read(child.output)
    if readsErrors { readErrors() }
    startThread { [ending] in
      var status: Int32 = 0
      while waitpid(child.pid, &status, 0) < 0, errno == EINTR {}
      // As a shell counts: the exit code, or 128 and the signal that ended it.
      ending.exit.withLock { $0 = status & 0x7F == 0 ? (status >> 8) & 0xFF : 128 + status & 0x7F }
      ending.happened.signal()
    }
    if let text { write(text) }
    if text != nil { closeInput() }
  }

  deinit {
    kill()
    closeInput()
    unreadErrors.withLock { if $0 >= 0 { Glibc.close($0) } }
  }

  /// Begins to read its errors, if nobody does yet.
  func readErrors() {
    unreadErrors.withLock { descriptor in
      if descriptor >= 0 { errors.read(descriptor) }
      descriptor = -1
    }
  }

  /// The next line of its output, without the line end; nil when none comes in time or there is no more.
  func outputLine(within bound: Duration) -> String? { output.line(until: .after(bound)) }

  /// The next line of its errors.
  func errorLine(within bound: Duration) -> String? { errors.line(until: .after(bound)) }

  /// All of its output that was not read line by line, once it has ended.
  var remainingOutput: String { output.remainder(until: .after(.seconds(10))) }

  /// Everything it wrote to its errors so far.
  var errorText: String { errors.all }

  func write(_ text: String) {
    input.withLock { descriptor in
      var rest = Array(text.utf8)[...]
      while !rest.isEmpty {
        let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
        guard count > 0 else { return }
        rest = rest.dropFirst(count)
      }
    }
  }

  func closeInput() {
    input.withLock { descriptor in
      if descriptor >= 0 { Glibc.close(descriptor) }
      descriptor = -1
    }
  }

  /// Sends a signal, unless the process has ended: its pid may by then be somebody else's.
  func signal(_ number: Int32) {
    ending.exit.withLock { if $0 == nil { Glibc.kill(pid, number) } }
  }

  func kill() { signal(SIGKILL) }

  func exitCode(within bound: Duration) -> Int32? {
    let milliseconds = Int(Deadline.after(bound).milliseconds)
    guard ending.happened.wait(timeout: .now() + .milliseconds(milliseconds)) == .success else { return nil }
    ending.happened.signal()
    // What it wrote last is still on its way through the pipes; a test that asks for it now wants all of it.
    readErrors()
    output.waitForEnd(until: .after(.seconds(10)))
    errors.waitForEnd(until: .after(.seconds(10)))
    return ending.exit.withLock { $0 }
  }
}

private func makePipe() throws -> (reading: Int32, writing: Int32) {
  var ends: [Int32] = [0, 0]
  guard pipe(&ends) == 0 else { throw Failure("pipe: \(errnoText())") }
  for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
  return (ends[0], ends[1])
}

private func inheritedEnvironment(without names: Dictionary<String, String>.Keys) -> [String] {
  let own = (try? readFile("/proc/self/environ")) ?? ""
  return own.split(separator: "\0").map(String.init).filter { entry in
    let name = entry.prefix { $0 != "=" }
    return !names.contains(String(name)) && (!name.hasPrefix("HOLDFAST_") || name == "HOLDFAST_BINARY")
  }
}
