import Synchronization

/// The `${names}` of one run of one case: names that are fresh in each run, and what was captured on the way.
struct Variables {
  private var values: [String: String] = [:]
  private static let runs = Atomic<UInt64>(UInt64.random(in: 0..<1 << 40))

  init(host: String) {
    let run = Variables.runs.wrappingAdd(1, ordering: .relaxed).newValue
    let text = String(run, radix: 36)
    let fresh = String(repeating: "0", count: max(0, 14 - text.utf8.count)) + text
    values = ["host": host, "client": "client-" + fresh, "key": "key-" + fresh]
    for (name, letter) in [("channel", "ca"), ("channel2", "cb"), ("channel3", "cc")] { values[name] = letter + fresh }
  }

  subscript(_ name: String) -> String? {
    get { values[name] }
    set { values[name] = newValue }
  }

  /// Replaces each `${name}`. A name that is not known is an error of the case.
  func text(_ template: String) throws -> String {
    var result = ""
    var rest = template[...]
    while let start = rest.firstRange(of: "${") {
      result += rest[..<start.lowerBound]
      guard let end = rest[start.upperBound...].firstIndex(of: "}") else { throw Failure("an open ${ in \(template)") }
      let name = String(rest[start.upperBound..<end])
      guard let value = values[name] else { throw Failure("${\(name)} is not known in \(template.prefix(200))") }
      result += value
      rest = rest[rest.index(after: end)...]
    }
    return result + rest
  }

  /// The bytes of a text: a string, or an array of strings and of `repeat`, `series` and `base64` pieces.
  func bytes(_ pieces: JSON) throws -> [UInt8] {
    switch pieces {
    case .string(let template): return try Array(text(template).utf8)
    case .array(let parts): return try parts.flatMap(bytes)
    case .object:
      if let part = pieces["repeat"]?.string, let times = pieces["times"]?.integer {
        try pieces.allow("repeat", "times")
        let unit = try Array(text(part).utf8)
        return Array(repeatElement(unit, count: times).joined())
      }
      if let part = pieces["series"]?.string, let from = pieces["from"]?.integer, let to = pieces["to"]?.integer {
        try pieces.allow("series", "from", "to", "separator")
        var inner = self
        let units = try (from...to).map { number in
          inner["i"] = "\(number)"
          return try inner.text(part)
        }
        return Array(units.joined(separator: pieces["separator"]?.string ?? "").utf8)
      }
      if let text = pieces["base64"]?.string { return try decodeBase64(text) }
      throw Failure("not a piece of text: \(pieces)")
    case .null, .bool, .number: throw Failure("not a piece of text: \(pieces)")
    }
  }
}

private func decodeBase64(_ text: String) throws -> [UInt8] {
  let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
  var result: [UInt8] = []
  var bits: UInt32 = 0
  var count = 0
  for byte in text.utf8 where byte != UInt8(ascii: "=") {
    guard let value = alphabet.firstIndex(of: byte) else { throw Failure("not base64: \(text)") }
    bits = bits << 6 | UInt32(value)
    count += 6
    if count >= 8 {
      count -= 8
      result.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
    }
  }
  return result
}
