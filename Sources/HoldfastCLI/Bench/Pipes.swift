import FoundationEssentials
import Glibc

extension Bench {
  /// Lines from a pipe, as they come.
  struct LineReader {
    let descriptor: Int32
    private var bytes = Data()
    private var searched = 0

    init(descriptor: Int32) { self.descriptor = descriptor }

    /// Reads what is there, waiting where nothing is; false at the end.
    mutating func read() -> Bool {
      let chunk = withUnsafeTemporaryAllocation(byteCount: 65_536, alignment: 1) { buffer in
        let count = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
        return count > 0 ? Data(bytes: buffer.baseAddress!, count: count) : nil
      }
      guard let chunk else { return false }
      bytes.append(chunk)
      return true
    }

    /// The next whole line.
    mutating func next() -> Data? {
      guard let end = bytes[(bytes.startIndex + searched)...].firstIndex(of: UInt8(ascii: "\n")) else {
        searched = bytes.count
        return nil
      }
      let line = Data(bytes[bytes.startIndex..<end])
      bytes = Data(bytes[(end + 1)...])
      searched = 0
      return line
    }
  }

  /// Writes a line whole; where nobody reads any more it is lost, and the reader's end is noticed elsewhere.
  static func writeLine(_ data: Data, to descriptor: Int32) {
    (data + [UInt8(ascii: "\n")]).withUnsafeBytes { bytes in
      var written = 0
      while written < bytes.count {
        let count = write(descriptor, bytes.baseAddress! + written, bytes.count - written)
        if count < 0, errno == EINTR { continue }
        guard count > 0 else { return }
        written += count
      }
    }
  }
}
