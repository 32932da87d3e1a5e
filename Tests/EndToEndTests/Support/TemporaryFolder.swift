import Glibc

/// A folder that goes with its files when the test is over.
final class TemporaryFolder: Sendable {
  let path: String

  init() throws {
    path = "/tmp/holdfast-test-\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
    // Open to others, since nginx's workers are somebody else.
    guard mkdir(path, 0o755) == 0 else { throw Failure("mkdir \(path): \(errnoText())") }
  }

  deinit {
    let removal = try? ChildProcess("/bin/rm", ["-r", path])
    _ = removal?.exitCode(within: .seconds(20))
  }

  /// - Returns: The path of the file.
  func write(_ name: String, _ text: String) throws -> String {
    let path = "\(path)/\(name)"
    guard let file = fopen(path, "we") else { throw Failure("cannot write \(path): \(errnoText())") }
    fputs(text, file)
    fclose(file)
    return path
  }
}
