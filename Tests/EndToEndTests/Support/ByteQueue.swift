/// Bytes that came and were not yet read, in order.
struct ByteQueue {
  private var bytes: [UInt8] = []
  private var start = 0

  var isEmpty: Bool { start == bytes.count }
  var count: Int { bytes.count - start }

  mutating func append(_ more: [UInt8]) {
    if start > 65536 {
      bytes.removeFirst(start)
      start = 0
    }
    bytes.append(contentsOf: more)
  }

  /// The first `count` bytes, which stay.
  func prefix(_ count: Int) -> ArraySlice<UInt8> { bytes[start..<min(bytes.count, start + count)] }

  mutating func dropFirst(_ count: Int) { start += count }

  /// How many bytes stand before the first CRLF at or after `offset`, counted from the front.
  func indexOfLineEnd(from offset: Int) -> Int? {
    var index = start + offset
    while index + 1 < bytes.count {
      if bytes[index] == 0x0D, bytes[index + 1] == 0x0A { return index - start }
      index += 1
    }
    return nil
  }

  /// For a failure's sentence.
  var preview: String {
    isEmpty ? "nothing" : "\(count) bytes: " + String(decoding: prefix(400), as: UTF8.self).debugDescription
  }
}
