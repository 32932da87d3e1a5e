import HoldfastProtocol

/// Which pages may use the server. A browser names the page's origin in `Origin`; the server's own, and those in the
/// allow-list, pass; any other is refused whatever its method, so that no web page can publish to somebody's localhost.
struct OriginPolicy: Sendable {
  private let allowed: Set<String>
  private let allowsAll: Bool

  init(_ origins: [String]) {
    allowed = Set(origins.map { $0.lowercased() })
    allowsAll = origins.contains("*")
  }

  /// - Returns: What `Access-Control-Allow-Origin` has to say; nil where nothing.
  func check(_ head: RequestHead, _ bytes: borrowing Span<UInt8>, base: Int) throws(Problem) -> String? {
    if head.origin.isAbsent { return nil }
    let origin = bytes.string(head.origin.range.shifted(by: base))
    if isOwn(origin, head, bytes, base: base) { return nil }
    if allowsAll { return "*" }
    if allowed.contains(origin.lowercased()) { return origin }
    throw Problem(
      .originForbidden,
      "pages of '\(origin.prefix(128))' may not use this server; its operator allows origins by --cors-origins")
  }

  /// Whether the origin is where the request was sent to. Behind a proxy that speaks TLS the scheme is not known here,
  /// so the host and port decide.
  private func isOwn(_ origin: String, _ head: RequestHead, _ bytes: borrowing Span<UInt8>, base: Int) -> Bool {
    if head.host.isAbsent { return false }
    let parts = origin.lowercased().split(separator: "://", maxSplits: 1, omittingEmptySubsequences: false)
    if parts.count != 2 || parts[1].isEmpty { return false }
    let defaultPort: String? = parts[0] == "http" ? ":80" : parts[0] == "https" ? ":443" : nil
    guard let defaultPort else { return false }
    func withoutDefaultPort(_ host: some StringProtocol) -> String {
      host.hasSuffix(defaultPort) ? String(host.dropLast(defaultPort.count)) : String(host)
    }
    let host = bytes.string(head.host.range.shifted(by: base)).lowercased()
    return withoutDefaultPort(parts[1]) == withoutDefaultPort(host)
  }
}

extension Range<Int> {
  func shifted(by offset: Int) -> Range<Int> { lowerBound + offset..<upperBound + offset }
}
