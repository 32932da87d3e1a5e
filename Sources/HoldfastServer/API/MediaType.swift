import Holdfast
import HoldfastProtocol

/// What a body is, by its `Content-Type`.
struct MediaType {
  /// As given.
  let text: String
  /// Without parameters, in lower case; empty where there was none.
  let essence: String

  /// The one that nearly every publish has.
  static let json = MediaType(WireMediaType.json)

  init(_ text: String) {
    self.text = text
    var essence = text.prefix { $0 != ";" }
    while essence.last == " " || essence.last == "\t" { essence.removeLast() }
    self.essence = essence.lowercased()
  }

  /// JSON, or what `curl -d` says unasked: a body that is sent as a form here is meant to be JSON.
  var isJSON: Bool {
    essence.isEmpty || essence == WireMediaType.json || essence == "application/x-www-form-urlencoded"
      || (essence.hasPrefix("application/") && essence.hasSuffix("+json"))
  }

  var isNDJSON: Bool {
    essence == WireMediaType.ndjson || essence == "application/ndjson" || essence == "application/jsonl"
  }

  /// The message that a body becomes.
  func payload(_ body: [UInt8]) throws(Problem) -> Payload {
    if isJSON {
      do { try JSONScanner.validate(body) } catch { throw Problem(error) }
      return Payload(json: body)
    }
    if essence == WireMediaType.text {
      if let offset = body.span.firstInvalidUTF8() {
        throw Problem(.textMalformed, "byte \(offset) does not begin a UTF-8 character", offset: offset)
      }
      var json: [UInt8] = []
      json.writeString(body)
      return Payload(json: json)
    }
    return Payload(body, contentType: text)
  }
}

extension Problem {
  init(_ error: JSONError) {
    self.init(
      error.isTooDeep ? .jsonTooDeep : .jsonMalformed, "\(error.detail) at byte \(error.offset)", offset: error.offset)
  }
}
