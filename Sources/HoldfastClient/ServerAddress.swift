import HoldfastProtocol

/// Where a server's API stands, and how the URLs of its requests are written.
struct ServerAddress: Sendable, Equatable {
  /// Scheme, host, port and path prefix, without a slash at the end.
  let base: String

  /// - Parameters:
  ///   - server: `http://host:port` or `https://host`, perhaps with a path; without a scheme it is taken as `http`.
  ///   - pathPrefix: what the server was told as `--prefix`; `/` or nothing for none.
  init(_ server: String, pathPrefix: String) throws(HoldfastClientError) {
    let url = server.contains("://") ? server : "http://" + server
    let parts = url.split(separator: "://", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2, ["http", "https"].contains(parts[0].lowercased()) else {
      throw HoldfastClientError(.serverInvalid, "'\(server)' is not a server's address", detail: Self.advice)
    }
    let host = parts[1].prefix { $0 != "/" }
    let isPlain = (parts[1] + pathPrefix).utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && !"?#\\".utf8.contains($0) }
    guard isPlain, !host.isEmpty, Self.hasValidPort(host) else {
      throw HoldfastClientError(.serverInvalid, "'\(server)' is not a server's address", detail: Self.advice)
    }
    let segments = (parts[1].dropFirst(host.count) + "/" + pathPrefix).split(separator: "/")
    base = parts[0].lowercased() + "://" + host + segments.map { "/" + $0 }.joined()
  }

  private static let advice = "give it like http://\(WireLimit.hostDefault):\(WireLimit.portDefault)"

  private static func hasValidPort(_ host: Substring) -> Bool {
    // The last bracket ends an IPv6 address, whose colons are not the port's.
    let tail = host.lastIndex(of: "]").map { host[$0...].dropFirst() } ?? host
    guard let colon = tail.firstIndex(of: ":") else { return true }
    return tail[tail.index(after: colon)...].allSatisfy(\.isNumber) && UInt16(tail[tail.index(after: colon)...]) != nil
  }

  /// The URL of a path, such as ``WirePath/poll``, with its last component and its query.
  func url(_ path: StaticString, _ last: String? = nil, query: [(name: String, value: String?)] = []) -> String {
    let pairs = query.compactMap { item in item.value.map { "\(item.name)=\(Self.encoded($0))" } }
    return base + "\(path)" + (last.map { "/" + $0 } ?? "") + (pairs.isEmpty ? "" : "?" + pairs.joined(separator: "&"))
  }

  /// Several channels as a poll's path names them. A name that is not valid is encoded, and refused by the server,
  /// whose rule it is.
  static func list(_ channels: [String]) -> String { channels.map(encoded).joined(separator: ",") }

  /// Percent-encoding of everything that could mean something in a path or a query.
  static func encoded(_ text: String) -> String {
    // A path segment of dots alone would be resolved away on the way.
    let dots = text == "." || text == ".."
    return text.utf8.reduce(into: "") { result, byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "~"),
        UInt8(ascii: ":"), UInt8(ascii: "@"):
        result.unicodeScalars.append(Unicode.Scalar(byte))
      case UInt8(ascii: ".") where !dots:
        result += "."
      default:
        let hex = String(byte, radix: 16, uppercase: true)
        result += byte < 16 ? "%0\(hex)" : "%\(hex)"
      }
    }
  }
}

extension Duration {
  /// Seconds with at most six decimals, as the protocol writes them.
  var wireSeconds: String {
    let (seconds, attoseconds) = components
    let micros = String(attoseconds / 1_000_000_000_000)
    guard micros != "0" else { return "\(seconds)" }
    return "\(seconds).\(String(repeating: "0", count: max(0, 6 - micros.count)))\(micros)"
  }
}
