import Glibc

/// Bytes that came and were not yet read, in order.
struct ByteQueue {
  fileprivate var bytes: [UInt8] = []
  fileprivate var start = 0

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

extension ByteQueue {
  /// Counts how often `needle` stands here, and drops everything up to the end of the last one.
  mutating func dropThroughLast(_ needle: [UInt8]) -> Int {
    var found = 0
    bytes.withUnsafeBytes { all in
      let base = all.baseAddress!
      var offset = start
      while offset < all.count, let at = memchr(base + offset, Int32(needle[0]), all.count - offset) {
        offset = UnsafeRawPointer(at) - base
        if all.count - offset >= needle.count, memcmp(at, needle, needle.count) == 0 {
          found += 1
          offset += needle.count
          start = offset
        } else {
          offset += 1
        }
      }
    }
    return found
  }

  /// Puts bytes back in front.
  mutating func putBack(_ some: [UInt8]) {
    bytes.replaceSubrange(..<start, with: some)
    start = 0
  }
}
