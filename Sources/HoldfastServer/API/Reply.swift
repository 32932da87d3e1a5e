/// An answer on its way out, before it is bytes.
struct Reply {
  var status = 200
  var contentType: StaticString = Reply.json
  var body: [UInt8]
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
    fields.write(value)
    fields.write("\r\n")
  }

  static let json: StaticString = "application/json"

  func encoded(date: [UInt8], shape: AnswerShape, isHeadOnly: Bool) -> [UInt8] {
    Reply.encoded(
      status: status, contentType: contentType, fields: fields, body: body, date: date, shape: shape,
      isHeadOnly: isHeadOnly)
  }

  /// - Parameter isHeadOnly: For HEAD: everything but the body.
  static func encoded(
    status: Int, contentType: StaticString, fields: [UInt8] = [], body: [UInt8], date: [UInt8], shape: AnswerShape,
    isHeadOnly: Bool
  ) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(256 + fields.count + body.count)
    if status == 200 {
      bytes.write("HTTP/1.1 200 OK")
    } else {
      bytes.write("HTTP/1.1 ")
      bytes.write(UInt(status))
      bytes.write(" ")
      bytes.write(Reply.reason(status))
    }
    if status != 204 {
      bytes.write("\r\nContent-Type: ")
      bytes.write(contentType)
      bytes.write("\r\nContent-Length: ")
      bytes.write(UInt(body.count))
    }
    bytes.write("\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nDate: ")
    bytes.append(contentsOf: date)
    bytes.write("\r\n")
    bytes.append(contentsOf: fields)
    if let origin = shape.origin {
      bytes.write("Access-Control-Allow-Origin: ")
      bytes.write(origin)
      bytes.write("\r\nAccess-Control-Expose-Headers: Idempotency-Replayed, Retry-After\r\nVary: Origin\r\n")
    }
    if shape.closes { bytes.write("Connection: close\r\n") }
    bytes.write("\r\n")
    if !isHeadOnly { bytes.append(contentsOf: body) }
    return bytes
  }

  static func reason(_ status: Int) -> String {
    switch status {
    case 200: "OK"
    case 204: "No Content"
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
  /// The origin that a page of which may read the answer; nil for the server's own.
  var origin: String?
  /// Whether the connection ends with it.
  var closes = false
}
