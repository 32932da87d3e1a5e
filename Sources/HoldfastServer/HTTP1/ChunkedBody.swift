import HoldfastProtocol

/// Decodes a chunked body as it arrives. Extensions are skipped, trailers checked for their form and
/// dropped; both count against bounds of their own, since they are bytes that a client may send for nothing. A trailer
/// that would say how messages are framed is refused: some readers take trailers for fields of the head.
struct ChunkedBody: Sendable {
  private enum State: Sendable {
    case size(digits: Int)
    /// Where a token has to begin, if it has not: an extension's name or its value.
    case `extension`(isEmpty: Bool, isValue: Bool)
    /// Within a value in quotes, after a backslash there, and behind it.
    case quoted
    case escaped
    case unquoted
    case sizeLF
    case data(left: Int)
    case dataCR
    case dataLF
    /// At the start of a trailer line.
    case trailerStart
    case trailerName
    case trailerValue
    case trailerLF
    case lastLF
  }

  private var state = State.size(digits: 0)
  private var size = 0
  private var bodyCount = 0
  /// Bytes of extensions and trailers so far.
  private var overhead = 0

  /// The name of the trailer field that is being read, in lower case.
  private var trailer: [UInt8] = []

  private static let overheadMax = 4 << 10
  private static let framingFields = ["connection", "content-length", "host", "transfer-encoding", "upgrade"]

  /// Decodes from `offset` on, appending data to `body`.
  /// - Returns: Whether the body is complete; the offset is then right behind it.
  mutating func decode(
    _ bytes: borrowing Span<UInt8>, _ offset: inout Int, into body: inout [UInt8], bodyBytesMax: Int
  ) throws(HTTP1Refusal) -> Bool {
    while offset < bytes.count {
      if case .data(let left) = state {
        let count = min(left, bytes.count - offset)
        body.append(contentsOf: bytes.array(offset..<offset + count))
        offset += count
        state = count == left ? .dataCR : .data(left: left - count)
        continue
      }
      let byte = bytes[offset]
      offset += 1
      if try step(byte, bodyBytesMax: bodyBytesMax) { return true }
    }
    return false
  }

  private mutating func step(_ byte: UInt8, bodyBytesMax: Int) throws(HTTP1Refusal) -> Bool {
    switch state {
    case .size(let digits):
      if let digit = byte.hexValue {
        if digits == 15 { throw malformed("a chunk's size is too large") }
        size = size << 4 | Int(digit)
        state = .size(digits: digits + 1)
      } else if digits == 0 {
        throw malformed("a chunk does not begin with its size")
      } else if byte == UInt8(ascii: ";") {
        state = .extension(isEmpty: true, isValue: false)
      } else if byte == Byte.cr {
        state = .sizeLF
      } else {
        throw malformed("a chunk's size is not a hexadecimal number")
      }
    case .extension(let isEmpty, let isValue):
      try countOverhead()
      if byte.isToken {
        state = .extension(isEmpty: false, isValue: isValue)
      } else if isEmpty && isValue && byte == UInt8(ascii: "\"") {
        state = .quoted
      } else if isEmpty {
        throw malformed("a chunk's extension is malformed")
      } else if byte == Byte.cr {
        state = .sizeLF
      } else if byte == UInt8(ascii: ";") {
        state = .extension(isEmpty: true, isValue: false)
      } else if byte == UInt8(ascii: "=") && !isValue {
        state = .extension(isEmpty: true, isValue: true)
      } else {
        throw malformed("a chunk's extension is malformed")
      }
    case .quoted, .escaped:
      try countOverhead()
      if byte < 0x20 && byte != Byte.tab || byte == 0x7f {
        throw malformed("a chunk's extension has a control character")
      }
      if case .escaped = state {
        state = .quoted
      } else if byte == UInt8(ascii: "\"") {
        state = .unquoted
      } else if byte == UInt8(ascii: "\\") {
        state = .escaped
      }
    case .unquoted:
      try countOverhead()
      if byte == Byte.cr {
        state = .sizeLF
      } else if byte == UInt8(ascii: ";") {
        state = .extension(isEmpty: true, isValue: false)
      } else {
        throw malformed("a chunk's extension is malformed")
      }
    case .sizeLF:
      if byte != Byte.lf { throw malformed("a chunk's size is not followed by CR LF") }
      bodyCount += size
      if bodyCount > bodyBytesMax { throw .bodyTooLarge(bodyBytesMax) }
      state = size == 0 ? .trailerStart : .data(left: size)
      size = 0
    case .data: preconditionFailure("data is taken in bulk")
    case .dataCR:
      if byte != Byte.cr { throw malformed("a chunk is longer than its size") }
      state = .dataLF
    case .dataLF:
      if byte != Byte.lf { throw malformed("a chunk is not followed by CR LF") }
      state = .size(digits: 0)
    case .trailerStart:
      if byte == Byte.cr {
        state = .lastLF
      } else if byte.isToken {
        trailer = [byte | 0x20]
        state = .trailerName
      } else {
        throw malformed("a trailer field is not 'Name: value'")
      }
    case .trailerName:
      try countOverhead()
      if byte.isToken {
        trailer.append(byte | 0x20)
      } else if byte != UInt8(ascii: ":") {
        throw malformed("a trailer field is not 'Name: value'")
      } else if ChunkedBody.framingFields.contains(where: { $0.utf8.elementsEqual(trailer) }) {
        throw malformed("a trailer field says how a message is framed")
      } else {
        state = .trailerValue
      }
    case .trailerValue:
      try countOverhead()
      if byte == Byte.cr {
        state = .trailerLF
      } else if byte < 0x20 && byte != Byte.tab || byte == 0x7f {
        throw malformed("a trailer field has a control character")
      }
    case .trailerLF:
      if byte != Byte.lf { throw malformed("a trailer field does not end with CR LF") }
      state = .trailerStart
    case .lastLF:
      if byte != Byte.lf { throw malformed("a body does not end with CR LF") }
      return true
    }
    return false
  }

  private mutating func countOverhead() throws(HTTP1Refusal) {
    overhead += 1
    if overhead > ChunkedBody.overheadMax {
      throw HTTP1Refusal(
        code: .headTooLarge, detail: "a body's extensions and trailers have at most \(ChunkedBody.overheadMax) bytes")
    }
  }

  private func malformed(_ detail: String) -> HTTP1Refusal { HTTP1Refusal(code: .requestMalformed, detail: detail) }
}

extension HTTP1Refusal {
  static func bodyTooLarge(_ max: Int) -> HTTP1Refusal {
    HTTP1Refusal(code: .bodyTooLarge, detail: "a body has at most \(max) bytes")
  }
}
