import HoldfastProtocol

/// One connection's side of HTTP/1.1 that reads: bytes and time go in; requests, refusals and deadlines come out. It does
/// no I/O, so any driver can run it and any test can, in virtual time.
///
/// A request that arrived whole is given as offsets into the driver's own buffer, with nothing copied; only an incomplete
/// one is kept here, and only then does a connection hold memory.
///
///     idle ──first byte──► head ──empty line──► body ──► idle
///       │ idleTicks          │ headTicks          │ bodyTicks     deadlines are absolute: a byte now and then
///       ▼                    ▼                    ▼               does not move them
///     close                 408                  408
struct HTTP1Connection {
  enum Event: Sendable {
    /// All bytes are taken; more are needed.
    case needsMore
    case request(Request)
    /// The client waits to be told to send its body; the request as far as it has come.
    case sendContinue(Request)
    /// Answer, then close. With the request as far as it has come, where its head has.
    case refused(HTTP1Refusal, Request?)
    /// The connection begins with HTTP/2's preface, and with these bytes: for who speaks that, or to be refused.
    case preface([UInt8], HTTP1Refusal)
  }

  struct Request: Sendable {
    var head: RequestHead
    /// The request's own bytes, where it came in pieces; nil where it lies in the input, `start` being its offset there.
    var bytes: [UInt8]?
    var start: Int
    /// Length of the body, which follows the head.
    var bodyCount: Int

    var headRange: Range<Int> { start..<start + head.length }
    var bodyRange: Range<Int> { start + head.length..<start + head.length + bodyCount }

    /// The same with its own bytes, to be kept beyond the input.
    func detached(from input: borrowing Span<UInt8>) -> Request {
      if bytes != nil { return self }
      return Request(
        head: head, bytes: input.array(start..<bodyRange.upperBound), start: 0, bodyCount: bodyCount)
    }
  }

  /// What is there of a request that has not all come. A class, so that a connection without one is a pointer's size.
  private final class Partial {
    var bytes: [UInt8] = []
    /// nil until the head is complete; `bytes` then holds the head and what has come of the body.
    var head: RequestHead?
    var chunks: ChunkedBody?
    /// Whether the request line has ended.
    var hasLine = false
  }

  private var partial: Partial?
  /// The tick at which the connection is closed, or its request refused, unless it gets on.
  private(set) var deadline: UInt32
  private var isFirstLine = true
  /// Whether no head has come yet.
  private var isNew = true

  init(at tick: UInt32, limits: HTTP1Limits) { deadline = tick &+ limits.idleTicks }

  /// Whether a part of a request has come.
  var isMidRequest: Bool { partial != nil }

  /// Bytes held of an incomplete request.
  var bytesKept: Int { partial?.bytes.count ?? 0 }

  /// What to say when the deadline passes in the middle of a request.
  var timeout: HTTP1Refusal {
    HTTP1Refusal(
      code: .requestTimeout,
      detail: partial?.head == nil ? "the request's head came too slowly" : "the request's body came too slowly")
  }

  /// The request under way, as far as it has come; nil while its head has not.
  var unfinished: Request? {
    guard let partial, let head = partial.head else { return nil }
    return Request(head: head, bytes: partial.bytes, start: 0, bodyCount: 0)
  }

  /// Starts the time without a request anew: the last answer has been given.
  mutating func restartIdle(at tick: UInt32, limits: HTTP1Limits) {
    if partial == nil { deadline = tick &+ limits.idleTicks }
  }

  /// Starts the time of what is under way anew: nothing was read for a while, and not for the client's fault.
  mutating func restart(at tick: UInt32, limits: HTTP1Limits) {
    let ticks = partial.map { $0.head == nil ? limits.headTicks : limits.bodyTicks } ?? limits.idleTicks
    deadline = tick &+ ticks
  }

  /// Reads on from `offset`. To be called again until it needs more, or refuses.
  mutating func next(
    _ input: borrowing Span<UInt8>, _ offset: inout Int, at tick: UInt32, limits: HTTP1Limits
  ) -> Event {
    do {
      if let partial { return try resume(partial, input, &offset, at: tick, limits: limits) }
      if offset == input.count { return .needsMore }
      // One empty line before a request is forgiven, as RFC 9112 asks; some clients end a body with one too many.
      if isFirstLine && input.count - offset >= 2 && input[offset] == Byte.cr && input[offset + 1] == Byte.lf {
        offset += 2
        isFirstLine = false
        return next(input, &offset, at: tick, limits: limits)
      }
      guard let head = try RequestHeadParser.parse(input, from: offset, limits: limits) else {
        let partial = Partial()
        partial.bytes = input.array(offset..<input.count)
        partial.hasLine = partial.bytes.contains(Byte.lf)
        offset = input.count
        self.partial = partial
        deadline = tick &+ limits.headTicks
        return .needsMore
      }
      isFirstLine = true
      isNew = false
      if let bodyCount = Self.bodyCount(of: head), bodyCount <= limits.bodyBytesMax,
        input.count - offset - head.length >= bodyCount
      {
        let request = Request(head: head, bytes: nil, start: offset, bodyCount: bodyCount)
        offset += head.length + bodyCount
        return .request(request)
      }
      let partial = Partial()
      partial.bytes = input.array(offset..<offset + head.length)
      offset += head.length
      return try beginBody(partial, head, input, &offset, at: tick, limits: limits)
    } catch {
      defer { partial = nil }
      if error.isPreface && isNew {
        return .preface((partial?.bytes ?? []) + input.array(offset..<input.count), error)
      }
      return .refused(error, unfinished)
    }
  }

  /// nil for a chunked body.
  private static func bodyCount(of head: RequestHead) -> Int? { head.isChunked ? nil : head.contentLength ?? 0 }

  private mutating func beginBody(
    _ partial: Partial, _ head: RequestHead, _ input: borrowing Span<UInt8>, _ offset: inout Int, at tick: UInt32,
    limits: HTTP1Limits
  ) throws(HTTP1Refusal) -> Event {
    partial.head = head
    self.partial = partial
    if head.isChunked { partial.chunks = ChunkedBody() }
    if let count = head.contentLength, count > limits.bodyBytesMax { throw .bodyTooLarge(limits.bodyBytesMax) }
    deadline = tick &+ limits.bodyTicks
    if head.expectsContinue && offset == input.count {
      return .sendContinue(Request(head: head, bytes: partial.bytes, start: 0, bodyCount: 0))
    }
    return try resume(partial, input, &offset, at: tick, limits: limits)
  }

  private mutating func resume(
    _ partial: Partial, _ input: borrowing Span<UInt8>, _ offset: inout Int, at tick: UInt32, limits: HTTP1Limits
  ) throws(HTTP1Refusal) -> Event {
    guard let head = partial.head else { return try resumeHead(partial, input, &offset, at: tick, limits: limits) }
    if partial.chunks != nil {
      let isComplete = try partial.chunks!.decode(
        input, &offset, into: &partial.bytes, bodyBytesMax: limits.bodyBytesMax)
      if !isComplete { return .needsMore }
    } else {
      let wanted = head.length + (head.contentLength ?? 0) - partial.bytes.count
      let count = min(wanted, input.count - offset)
      partial.bytes.append(contentsOf: input.array(offset..<offset + count))
      offset += count
      if count < wanted { return .needsMore }
    }
    self.partial = nil
    deadline = tick &+ limits.idleTicks
    return .request(
      Request(head: head, bytes: partial.bytes, start: 0, bodyCount: partial.bytes.count - head.length))
  }

  /// Reads a head that came in pieces again from its start, but only when another line of it is there.
  private mutating func resumeHead(
    _ partial: Partial, _ input: borrowing Span<UInt8>, _ offset: inout Int, at tick: UInt32, limits: HTTP1Limits
  ) throws(HTTP1Refusal) -> Event {
    if offset == input.count { return .needsMore }
    let known = partial.bytes.count
    let count = min(input.count - offset, limits.headBytesMax + 1 - known)
    partial.bytes.append(contentsOf: input.array(offset..<offset + count))
    offset += count
    let hasNewLine = partial.bytes[known...].contains(Byte.lf)
    let lengthMax = partial.hasLine ? limits.headBytesMax : limits.requestLineBytesMax
    if !hasNewLine && partial.bytes.count <= lengthMax { return .needsMore }
    if isFirstLine && partial.bytes.starts(with: [Byte.cr, Byte.lf]) {
      // What was taken beyond the empty line is given back; no request has begun yet.
      offset -= partial.bytes.count - 2
      isFirstLine = false
      self.partial = nil
      deadline = tick &+ limits.idleTicks
      return next(input, &offset, at: tick, limits: limits)
    }
    partial.hasLine = partial.bytes.contains(Byte.lf)
    let bytes = partial.bytes
    guard let head = try RequestHeadParser.parse(bytes.span, from: 0, limits: limits) else { return .needsMore }
    isFirstLine = true
    isNew = false
    // What was taken beyond the head is given back.
    offset -= partial.bytes.count - head.length
    partial.bytes.removeLast(partial.bytes.count - head.length)
    if Self.bodyCount(of: head) == 0 {
      self.partial = nil
      deadline = tick &+ limits.idleTicks
      return .request(Request(head: head, bytes: partial.bytes, start: 0, bodyCount: 0))
    }
    return try beginBody(partial, head, input, &offset, at: tick, limits: limits)
  }
}
