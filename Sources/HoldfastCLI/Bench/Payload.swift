extension Bench {
  /// What a published message says of itself: `{"bench":"<time><sequence><channel>","pad":"..."}`, the three in
  /// hexadecimal of fixed width, so that they are written in place and read without a JSON parser.
  struct Payload {
    /// CLOCK_MONOTONIC, in nanoseconds: one clock for all processes of a machine.
    var time: UInt64
    /// Counts from 1 within the channel.
    var sequence: UInt32
    var channel: UInt32

    static let bytesMin = 64
    private static let start = 10

    /// A message of `count` bytes, to be stamped.
    static func template(bytes count: Int) -> [UInt8] {
      let head = #"{"bench":""# + String(repeating: "0", count: 32) + #"","pad":""#
      return Array(head.utf8) + Array(repeating: UInt8(ascii: "x"), count: count - head.utf8.count - 2)
        + Array(#""}"#.utf8)
    }

    /// Writes the three values into a template.
    func stamp(_ template: inout [UInt8]) {
      Self.write(time, digits: 16, at: Self.start, in: &template)
      Self.write(UInt64(sequence), digits: 8, at: Self.start + 16, in: &template)
      Self.write(UInt64(channel), digits: 8, at: Self.start + 24, in: &template)
    }

    /// The next message in `body` from `offset` on, which is moved behind it.
    static func next(in body: UnsafeRawBufferPointer, from offset: inout Int) -> Payload? {
      guard let found = body.find("\"bench\"", from: offset), let start = body.stringStart(after: found + 7),
        start + 32 <= body.count, let time = read(body, start, 16), let sequence = read(body, start + 16, 8),
        let channel = read(body, start + 24, 8)
      else { return nil }
      offset = start + 32
      return Payload(time: time, sequence: UInt32(sequence), channel: UInt32(channel))
    }

    private static func write(_ value: UInt64, digits: Int, at start: Int, in bytes: inout [UInt8]) {
      var rest = value
      for index in stride(from: start + digits - 1, through: start, by: -1) {
        let digit = UInt8(rest & 15)
        bytes[index] = digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10
        rest >>= 4
      }
    }

    private static func read(_ bytes: UnsafeRawBufferPointer, _ start: Int, _ digits: Int) -> UInt64? {
      var value: UInt64 = 0
      for index in start..<(start + digits) {
        let byte = bytes[index]
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): value = value << 4 | UInt64(byte - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): value = value << 4 | UInt64(byte - UInt8(ascii: "a") + 10)
        default: return nil
        }
      }
      return value
    }
  }
}
