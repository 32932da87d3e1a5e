import HoldfastProtocol

/// What is wrong with a request: becomes an `application/problem+json` answer.
struct Problem: Error {
  var code: ProblemCode
  /// What exactly, where, and what to do.
  var detail: String
  /// Of the first wrong byte of a body.
  var offset: Int?
  /// Seconds.
  var retryAfter: Int?
  /// `Allow` of a 405.
  var allow: StaticString?

  init(
    _ code: ProblemCode, _ detail: String, offset: Int? = nil, retryAfter: Int? = nil, allow: StaticString? = nil
  ) {
    self.code = code
    self.detail = detail
    self.offset = offset
    self.retryAfter = retryAfter
    self.allow = allow
  }

  var reply: Reply {
    var body: [UInt8] = []
    body.write("{\"status\":")
    body.write(UInt(code.status))
    body.write(",\"title\":")
    body.writeString(Reply.reason(code.status))
    body.write(",\"code\":")
    body.writeString(code.rawValue)
    body.write(",\"error\":")
    body.writeString(code.error)
    body.write(",\"detail\":")
    body.writeString(detail)
    if let offset {
      body.write(",\"offset\":")
      body.write(UInt(offset))
    }
    body.write("}")
    var reply = Reply(status: code.status, contentType: "application/problem+json", body: body)
    if let retryAfter { reply.setField("Retry-After", "\(retryAfter)") }
    if let allow { reply.setField("Allow", "\(allow)") }
    // RFC 9110, 12.5.3: so that it is not taken for a refusal of the media type.
    if code == .contentEncodingUnsupported { reply.setField("Accept-Encoding", "identity") }
    return reply
  }
}
