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
