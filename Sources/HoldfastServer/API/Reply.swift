/// An answer on its way out, before it is bytes.
struct Reply {
  var status = 200
  var contentType: StaticString = Reply.json
  var body: [UInt8]
  /// Whether a cache may keep it, and how is said by a field of its own.
  var mayBeKept = false
  /// Further header fields, each with its CR LF.
  private(set) var fields: [UInt8] = []

  init(status: Int = 200, contentType: StaticString = Reply.json, body: [UInt8] = []) {
    self.status = status
    self.contentType = contentType
    self.body = body
  }

  mutating func setField(_ name: StaticString, _ value: String) {
    fields.write(name)
    fields.write(": ")
    fields.write(text: value)
    fields.write("\r\n")
  }

  static let json: StaticString = "application/json"
  static let noStore: StaticString = "Cache-Control: no-store\r\n"

  static func reason(_ status: Int) -> String {
    switch status {
    case 200: "OK"
    case 204: "No Content"
    case 304: "Not Modified"
    case 400: "Bad Request"
    case 403: "Forbidden"
    case 404: "Not Found"
    case 405: "Method Not Allowed"
    case 408: "Request Timeout"
    case 409: "Conflict"
    case 413: "Content Too Large"
    case 414: "URI Too Long"
    case 415: "Unsupported Media Type"
    case 417: "Expectation Failed"
    case 429: "Too Many Requests"
    case 431: "Request Header Fields Too Large"
    case 501: "Not Implemented"
    case 503: "Service Unavailable"
    case 505: "HTTP Version Not Supported"
    case 507: "Insufficient Storage"
    default: "Unknown"
    }
  }
}

extension [UInt8] {
  /// Appends the head of an answer.
  /// - Parameters:
  ///   - common: The fields that every answer has, each with its CR LF.
  ///   - fields: Further ones.
  ///   - mayBeKept: Whether `fields` say how long a cache may keep it, which `common` otherwise forbids.
  ///   - origin: Whose pages may read it, besides the server's own.
  mutating func writeHead(
    status: Int = 200, contentType: StaticString = Reply.json, bodyCount: Int, common: [UInt8], fields: [UInt8] = [],
    mayBeKept: Bool = false, origin: String?, closes: Bool
  ) {
    append(addingCapacity: 192) { (bytes: inout OutputSpan<UInt8>) in
      if status == 200 {
        bytes.write("HTTP/1.1 200 OK\r\n")
      } else {
        bytes.write("HTTP/1.1 ")
        bytes.write(UInt64(status))
        bytes.write(" ")
        bytes.write(text: Reply.reason(status))
        bytes.write("\r\n")
      }
      if status != 204 && status != 304 {
        bytes.write("Content-Type: ")
        bytes.write(contentType)
        bytes.write("\r\nContent-Length: ")
        bytes.write(UInt64(bodyCount))
        bytes.write("\r\n")
      }
      if closes { bytes.write("Connection: close\r\n") }
    }
    if mayBeKept {
      append(contentsOf: common.dropFirst(Reply.noStore.utf8CodeUnitCount))
    } else {
      append(contentsOf: common)
    }
    if !fields.isEmpty { append(contentsOf: fields) }
    if let origin {
      write("Access-Control-Allow-Origin: ")
      write(text: origin)
      write("\r\nAccess-Control-Expose-Headers: Idempotency-Replayed, Retry-After\r\nVary: Origin\r\n")
    } else if mayBeKept {
      // A cache must not give this copy to a page of another origin that is allowed.
      write("Vary: Origin\r\n")
    }
    write("\r\n")
  }
}

/// In what shape a connection's answer is to be written. Polls with the same answer in the same shape share its bytes.
struct AnswerShape: Hashable, Sendable {
  enum Form: Hashable, Sendable {
    /// A list of messages, or `timeout`.
    case standard
    /// One message, or `timeout` with the timestamp the client came with.
    case simple(since: Int64)
    /// A list of messages, even an empty one.
    case history
  }

  var form = Form.standard
  /// Whose pages may read the answer.
  var origin = OriginPolicy.Grant.own
  /// Whether the connection ends with it.
  var closes = false
}
