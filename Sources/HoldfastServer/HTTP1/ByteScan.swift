/// Eight bytes of a text at a time. Each test gives a word in which the lowest high bit that is set belongs to the first
/// byte that passes it; what stands above that means nothing.
struct ByteWord {
  private static let ones: UInt64 = 0x0101_0101_0101_0101
  private static let highs: UInt64 = ones &* 0x80

  fileprivate let word: UInt64

  /// Bytes below `limit`, which is at most 128.
  @inline(__always)
  func below(_ limit: UInt8) -> UInt64 { (word &- Self.ones &* UInt64(limit)) & ~word & Self.highs }

  /// Bytes above `limit`, which is at most 127.
  @inline(__always)
  func above(_ limit: UInt8) -> UInt64 {
    ((word & ~Self.highs) &+ Self.ones &* UInt64(127 - limit) | word) & Self.highs
  }

  /// Bytes above `low` and below `high`, which are at most 127.
  @inline(__always)
  func between(_ low: UInt8, _ high: UInt8) -> UInt64 { above(low) & ~above(high - 1) }

  @inline(__always)
  func equal(_ byte: UInt8) -> UInt64 {
    let rest = word ^ (Self.ones &* UInt64(byte))
    return (rest &- Self.ones) & ~rest & Self.highs
  }
}

extension Span<UInt8> {
  /// The offset of the first byte in `range` that passes a test, which the letter `a` must not; nil where none does.
  @inline(__always)
  func first(in range: Range<Int>, _ test: (ByteWord) -> UInt64) -> Int? {
    unsafe withUnsafeBytes { bytes in
      var index = range.lowerBound
      while index < range.upperBound {
        var word: UInt64
        if index + 8 <= bytes.count {
          word = unsafe UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self))
        } else if bytes.count >= 8 {
          // The last eight bytes, without those before the index, and with the letter behind those after it.
          let extra = UInt64(index + 8 - bytes.count) * 8
          word = unsafe UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: bytes.count - 8, as: UInt64.self))
          word = word >> extra | 0x6161_6161_6161_6161 << (64 - extra)
        } else {
          word = 0x6161_6161_6161_6161
          for last in stride(from: bytes.count - 1, through: index, by: -1) {
            word = unsafe word << 8 | UInt64(bytes[last])
          }
        }
        let passed = test(ByteWord(word: word))
        if passed != 0 {
          index += passed.trailingZeroBitCount / 8
          return index < range.upperBound ? index : nil
        }
        index += 8
      }
      return nil
    }
  }
}
