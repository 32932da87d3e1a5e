import Foundation
import HoldfastProtocol

@testable import HoldfastServer

/// A request of `conformance/`, as bytes. What a case captures from an answer is not known here; `now` stands for it, since
/// what matters is only that the same bytes are answered in the same way.
struct ConformanceRequests {
  /// Its bytes, and the name that stands for what comes behind them.
  private let parts: [(bytes: [UInt8], name: String?)]
  private let names: Set<String>
  /// Whether the client waits to be told to send the body. A cut behind the head is then answered in another way.
  let expects: Bool

  private init(template: [UInt8]) {
    var parts: [(bytes: [UInt8], name: String?)] = []
    var rest = template[...]
    while let start = rest.firstRange(of: Array("${".utf8)),
      let end = rest[start.upperBound...].firstIndex(of: UInt8(ascii: "}"))
    {
      parts.append((Array(rest[..<start.lowerBound]), Array(rest[start.upperBound..<end]).text))
      rest = rest[(end + 1)...]
    }
    // A line that does not end may be refused at once when it comes whole, and only at its end when it does not.
    parts.append((Array(rest) + Array("\r\n\r\n".utf8), nil))
    self.parts = parts
    names = Set(parts.compactMap(\.name))
    expects = template.firstRange(of: Array("Expect:".utf8)) != nil
  }

  /// The bytes for a run of their own: the names in them are as long as those of any other run, and no other run's.
  func bytes(_ run: Int) -> [UInt8] {
    var bytes: [UInt8] = []
    for part in parts {
      bytes += part.bytes
      if let name = part.name { bytes += Self.value(name, run).utf8 }
    }
    return bytes
  }

  /// The channels that it names in a run.
  func channels(_ run: Int) -> [String] {
    ["channel", "channel2", "channel3"].filter { names.contains($0) }.map { Self.value($0, run) }
  }

  /// The fixed length of a run's own part of a name.
  static let mark = "run-"
  static let digits = 7

  private static func value(_ name: String, _ run: Int) -> String {
    let digits = String(run)
    let own = mark + String(repeating: "0", count: Self.digits - digits.count) + digits
    return switch name {
    case "host": "localhost:8080"
    case "channel", "channel2", "channel3", "client", "key": name + own
    case "i": "1"
    default: "now"
    }
  }

  /// Each request there is, once.
  static func all() throws -> [ConformanceRequests] {
    let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../conformance")
    let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
    var requests: [ConformanceRequests] = []
    var known: Set<[UInt8]> = []
    for file in files.sorted(by: { $0.path < $1.path }) where file.pathExtension == "json" {
      let json = try JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? [String: Any]
      for test in json?["cases"] as? [[String: Any]] ?? [] {
        for step in test["steps"] as? [[String: Any]] ?? [] {
          guard let template = template(step), known.insert(template).inserted else { continue }
          requests.append(ConformanceRequests(template: template))
        }
      }
    }
    return requests
  }

  private static func template(_ step: [String: Any]) -> [UInt8]? {
    if let bytes = step["bytes"] { return pieces(bytes) }
    guard let line = step["request"] else { return nil }
    var headers = step["headers"] as? [String: Any] ?? [:]
    let body = step["body"].map(pieces)
    func add(_ name: String, _ value: String) {
      if !headers.keys.contains(where: { $0.lowercased() == name.lowercased() }) { headers[name] = value }
    }
    add("Host", "${host}")
    add("X-Client-ID", "${client}")
    if let body { add("Content-Length", "\(ConformanceRequests(template: body).bytes(0).count - 4)") }
    var bytes = pieces(line) + Array(" HTTP/1.1\r\n".utf8)
    for (name, value) in headers.sorted(by: { $0.key < $1.key }) where !(value is NSNull) {
      bytes += Array("\(name): ".utf8) + pieces(value) + [Byte.cr, Byte.lf]
    }
    return bytes + [Byte.cr, Byte.lf] + (body ?? [])
  }

  /// A text as the cases write one: strings, and pieces that are repeated, counted or base64.
  private static func pieces(_ json: Any) -> [UInt8] {
    if let text = json as? String { return Array(text.utf8) }
    if let parts = json as? [Any] { return parts.flatMap(pieces) }
    guard let piece = json as? [String: Any] else { preconditionFailure("not a piece of text: \(json)") }
    if let unit = piece["repeat"] as? String, let times = piece["times"] as? Int {
      return Array(repeatElement(Array(unit.utf8), count: times).joined())
    }
    if let unit = piece["series"] as? String, let from = piece["from"] as? Int, let to = piece["to"] as? Int {
      let units = (from...to).map { unit.replacingOccurrences(of: "${i}", with: "\($0)") }
      return Array(units.joined(separator: piece["separator"] as? String ?? "").utf8)
    }
    if let text = piece["base64"] as? String, let data = Data(base64Encoded: text) { return Array(data) }
    preconditionFailure("not a piece of text: \(json)")
  }
}
