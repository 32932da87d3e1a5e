import Foundation
import Holdfast
import HoldfastProtocol
import Testing

@testable import HoldfastServer

/// Random numbers that a seed gives again, so that a failure can be repeated.
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(_ seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }

  /// A number from 0 on, below `bound`. Faster than the library's where nothing is optimised.
  mutating func below(_ bound: Int) -> Int { bound <= 1 ? 0 : Int(truncatingIfNeeded: (next() >> 33) % UInt64(bound)) }
}

/// The seed of the random tests: `HOLDFAST_TEST_SEED`, or the same each time.
let testSeed = ProcessInfo.processInfo.environment["HOLDFAST_TEST_SEED"].flatMap { UInt64($0) } ?? 20_261_122

/// A moment so many seconds after the tests' time begins.
func at(_ seconds: Double, unixShift: Double = 0) -> Moment {
  Moment(uptime: Int64(seconds * 1e9) + 1_000_000_000, unix: Int64((1_790_000_000 + seconds + unixShift) * 1e6))
}

/// A request from its lines, each ended with CR LF, then an empty line, then a body.
func http(_ lines: String..., body: String = "") -> [UInt8] {
  Array((lines.map { $0 + "\r\n" }.joined() + "\r\n" + body).utf8)
}

/// What a connection's reader told of some bytes.
enum Seen: Equatable, CustomStringConvertible {
  case request(RequestHead, head: String, body: [UInt8])
  case refused(HTTP1Refusal)

  var description: String {
    switch self {
    case .request(_, let head, let body): "request(\(head.debugDescription), \(body.count) bytes)"
    case .refused(let refusal): "refused(\(refusal.code), \(refusal.detail))"
    }
  }

  var code: ProblemCode? { if case .refused(let refusal) = self { refusal.code } else { nil } }
}

/// Feeds pieces of a byte stream to a reader, until it refuses.
struct Reader {
  var connection: HTTP1Connection
  var limits: HTTP1Limits
  var seen: [Seen] = []
  var continues = 0
  var isRefused = false

  init(at tick: UInt32 = 0, limits: HTTP1Limits = HTTP1Limits()) {
    self.limits = limits
    connection = HTTP1Connection(at: tick, limits: limits)
  }

  mutating func feed(_ piece: [UInt8], at tick: UInt32 = 0) {
    var offset = 0
    while !isRefused {
      switch connection.next(piece.span, &offset, at: tick, limits: limits) {
      case .needsMore:
        #expect(offset == piece.count, "all bytes are taken")
        return
      case .sendContinue: continues += 1
      case .request(let request):
        let bytes = request.bytes ?? piece
        seen.append(
          .request(
            request.head, head: String(decoding: bytes[request.headRange], as: UTF8.self),
            body: Array(bytes[request.bodyRange])))
      case .refused(let refusal, _), .preface(_, let refusal):
        seen.append(.refused(refusal))
        isRefused = true
      }
    }
  }

  static func read(_ pieces: [[UInt8]], limits: HTTP1Limits = HTTP1Limits()) -> [Seen] {
    var reader = Reader(limits: limits)
    for piece in pieces { reader.feed(piece) }
    return reader.seen
  }
}

extension [UInt8] {
  /// In two pieces and more, cut at some offsets.
  func cut(at offsets: [Int]) -> [[UInt8]] {
    var pieces: [[UInt8]] = []
    var start = 0
    for offset in offsets.sorted() + [count] {
      pieces.append(Array(self[start..<offset]))
      start = offset
    }
    return pieces
  }

  var text: String { String(decoding: self, as: UTF8.self) }
}
