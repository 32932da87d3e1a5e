import HoldfastProtocol

/// A piece of a request head, by its byte offsets from the head's start. A head has at most 64 KiB.
struct Slice: Equatable, Sendable {
  var start: UInt16 = 0
  var end: UInt16 = 0

  init() {}

  init(_ range: Range<Int>) {
    start = UInt16(range.lowerBound)
    end = UInt16(range.upperBound)
  }

  /// No field's value can begin at 0, so that stands for a field that was not given.
  var isAbsent: Bool { end == 0 }
  var range: Range<Int> { Int(start)..<Int(end) }
}

/// A request's head as offsets into the bytes it was read from: nothing is copied, nothing allocated.
struct RequestHead: Equatable, Sendable {
  enum Method: UInt8, Sendable {
    case get, head, post, put, patch, delete, options
    /// None that HTTP knows. It is answered as not allowed, and the connection ends with that: bytes that are no request
    /// to others may be what a proxy takes for a body.
    case other
  }

  var method = Method.get
  /// The target as sent, and its parts; of an absolute target the path only.
  var target = Slice()
  var path = Slice()
  var query = Slice()
  /// Bytes of the head with its last empty line.
  var length = 0
  /// nil where there was no such field.
  var contentLength: Int?
  var isChunked = false
  /// Whether the body has a `Content-Encoding` such as gzip.
  var isEncoded = false
  var expectsContinue = false
  /// Whether the connection goes on after the answer.
  var isKeptAlive = true
  /// Whether it may become something else than HTTP/1.1: it asks for an upgrade, and has no body.
  var asksForUpgrade = false

  var host = Slice()
  var origin = Slice()
  var contentType = Slice()
  var idempotencyKey = Slice()
  var clientID = Slice()
  var noneMatch = Slice()
  /// The last line of `X-Forwarded-For`, which the nearest proxy wrote.
  var forwardedFor = Slice()
}

/// Why a request is not read any further. The connection closes after the answer, since nobody knows where the next
/// request would begin.
struct HTTP1Refusal: Error, Equatable, Sendable {
  var code: ProblemCode
  var detail: String
  /// Whether the line is the first of HTTP/2's preface.
  var isPreface = false
}

/// What the reading of requests is limited by.
struct HTTP1Limits: Sendable {
  var requestLineBytesMax = 8 << 10
  var headBytesMax = 16 << 10
  var fieldsMax = 100
  var bodyBytesMax = 256 << 10
  /// Ticks of the loop's wheel.
  var headTicks: UInt32 = 100
  var bodyTicks: UInt32 = 300
  var idleTicks: UInt32 = 750
}
