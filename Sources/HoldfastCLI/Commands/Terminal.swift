import Foundation

/// Standard input, output and error as a command in a pipe needs them: bytes, unbuffered, with errors that are told.
enum Terminal {
  struct OutputError: Error, CustomStringConvertible {
    var number: CInt
    var readerIsGone: Bool { number == EPIPE }
    var description: String { "cannot write the output: \(String(cString: strerror(number)))" }
  }

  struct InputError: Error, CustomStringConvertible {
    var description: String
  }

  /// Writes a line to standard output before it returns, since somebody may be waiting for it at a pipe's other end.
  static func printLine(_ bytes: some Sequence<UInt8>) throws(OutputError) {
    var rest = Array(bytes)[...]
    rest.append(UInt8(ascii: "\n"))
    while !rest.isEmpty {
      let written = rest.withUnsafeBytes { write(STDOUT_FILENO, $0.baseAddress, $0.count) }
      if written >= 0 {
        rest = rest.dropFirst(written)
      } else if errno == EAGAIN {
        // Standard output may be shared with a program that made it non-blocking.
        var waiting = pollfd(fd: STDOUT_FILENO, events: Int16(POLLOUT), revents: 0)
        _ = poll(&waiting, 1, -1)
      } else if errno != EINTR {
        throw OutputError(number: errno)
      }
    }
  }

  static func printLine(_ text: String) throws(OutputError) {
    try printLine(text.utf8)
  }

  /// Writes one line to standard error, where nothing can be done about a failure.
  static func complain(_ text: String) {
    FileHandle.standardError.write(Data("holdfast: \(text)\n".utf8))
  }

  /// The most bytes that are read as one message; a server takes less.
  static let inputBytesMax = 16 << 20

  /// All of standard input.
  static func readAll() throws(InputError) -> [UInt8] {
    var bytes: [UInt8] = []
    while let chunk = try readChunk() {
      bytes += chunk
      try checkSize(bytes.count)
    }
    return bytes
  }

  /// What standard input has next, waiting for it; `nil` at its end.
  fileprivate static func readChunk() throws(InputError) -> ArraySlice<UInt8>? {
    var buffer = [UInt8](repeating: 0, count: 64 << 10)
    while true {
      let count = buffer.withUnsafeMutableBytes { read(STDIN_FILENO, $0.baseAddress, $0.count) }
      if count > 0 { return buffer[..<count] }
      if count == 0 { return nil }
      guard errno == EINTR else {
        throw InputError(description: "cannot read the input: \(String(cString: strerror(errno)))")
      }
    }
  }

  fileprivate static func checkSize(_ count: Int) throws(InputError) {
    guard count <= inputBytesMax else {
      throw InputError(description: "the input has a message of more than \(inputBytesMax >> 20) MiB")
    }
  }

  /// Standard input, line by line as it comes; the line feeds, and a carriage return before one, are taken off.
  struct Lines {
    private var chunk: ArraySlice<UInt8> = []

    mutating func next() throws(InputError) -> [UInt8]? {
      var line: [UInt8] = []
      var hasBegun = false
      while true {
        if let end = chunk.firstIndex(of: UInt8(ascii: "\n")) {
          line += chunk[..<end]
          chunk = chunk[(end + 1)...]
          return Self.withoutCarriageReturn(line)
        }
        hasBegun = hasBegun || !chunk.isEmpty
        line += chunk
        try Terminal.checkSize(line.count)
        guard let next = try Terminal.readChunk() else {
          chunk = []
          return hasBegun ? line : nil
        }
        chunk = next
      }
    }

    private static func withoutCarriageReturn(_ line: [UInt8]) -> [UInt8] {
      line.last == UInt8(ascii: "\r") ? Array(line.dropLast()) : line
    }
  }
}
