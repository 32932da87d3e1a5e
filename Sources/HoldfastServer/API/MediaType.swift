import Holdfast
import HoldfastProtocol

/// What a body is, by its `Content-Type`.
struct MediaType {
  enum Kind {
    /// JSON, or what `curl -d` says unasked: a body that is sent as a form here is meant to be JSON.
    case json
    case ndjson
    case text
    case other
  }

  /// As given; empty where there was none.
  let text: String
  let kind: Kind
  /// Whether it may hold a batch as an array: JSON by its own name.
  let isArray: Bool

  /// The one that nearly every publish has.
  static let json = MediaType(WireMediaType.json)

  init(_ text: String) {
    self.text = text
    var essence = text.prefix { $0 != ";" }
    while essence.last == " " || essence.last == "\t" { essence.removeLast() }
    let name = essence.lowercased()
    isArray = name.isEmpty || name == WireMediaType.json
    kind =
      switch name {
      case "", WireMediaType.json, "application/x-www-form-urlencoded": .json
      case WireMediaType.ndjson, "application/ndjson", "application/jsonl": .ndjson
      case WireMediaType.text: .text
      default: name.hasPrefix("application/") && name.hasSuffix("+json") ? .json : .other
      }
  }

  /// What a request says of its body.
  init(of request: borrowing HTTP1Connection.Request, _ bytes: borrowing Span<UInt8>) {
    let type = request.head.contentType
    if type.isAbsent {
      self.init("")
    } else {
      let range = type.range.shifted(by: request.start)
      self = bytes.matches("application/json", at: range) ? .json : MediaType(bytes.string(range))
    }
  }

  /// The same of one whose body is a batch.
  init(ofBatch request: borrowing HTTP1Connection.Request, _ bytes: borrowing Span<UInt8>) throws(Problem) {
    self.init(of: request, bytes)
    if kind == .ndjson || isArray { return }
    throw Problem(
      .mediaTypeUnsupported,
      "a batch is \(WireMediaType.json) (an array) or \(WireMediaType.ndjson) (an item a line)")
  }

  /// The message that a body becomes.
  func payload(_ body: [UInt8]) throws(Problem) -> Payload {
    switch kind {
    case .json:
      do { try JSONScanner.validate(body) } catch { throw Problem(error) }
      return Payload(json: body)
    case .text:
      if let offset = body.span.firstInvalidUTF8() {
        throw Problem(.textMalformed, "byte \(offset) does not begin a UTF-8 character", offset: offset)
      }
      var json: [UInt8] = []
      json.writeString(body)
      return Payload(json: json)
    case .ndjson, .other: return Payload(body, contentType: text)
    }
  }
}

extension Problem {
  init(_ error: JSONError) {
    self.init(
      error.isTooDeep ? .jsonTooDeep : .jsonMalformed, "\(error.detail) at byte \(error.offset)", offset: error.offset)
  }
}
