import HoldfastProtocol

/// Which pages may use the server. A browser names the page's origin in `Origin`; the server's own, and those in the
/// allow-list, pass; any other is refused whatever its method, so that no web page can publish to somebody's localhost.
///
/// A page can also make a name of its own point at 127.0.0.1 (DNS rebinding), and then its origin *is* the `Host`. So a
/// request that comes from this machine is the server's own only by an address or as localhost, unless it comes through
/// a trusted proxy, which serves real names.
struct OriginPolicy: Sendable {
  /// Whose pages may read an answer: 0 for the server's own, else the number of an origin in the allow-list, so that a
  /// connection need not hold its text.
  struct Grant: Hashable, Sendable {
    fileprivate var number: UInt32 = 0
    static let own = Grant()
  }

  /// The origins allowed, in lower case; at the first place what stands for none of them.
  private let allowed: [String]
  private let numbers: [String: UInt32]
  private let trustedProxies: [AddressRange]

  init(_ origins: [String], trustedProxies: [AddressRange]) {
    allowed = [""] + origins.map { $0.lowercased() }
    numbers = Dictionary(allowed.enumerated().map { ($1, UInt32($0)) }) { first, _ in first }
    self.trustedProxies = trustedProxies
  }

  /// What `Access-Control-Allow-Origin` has to say; nil where nothing.
  func text(_ grant: Grant) -> String? { grant == .own ? nil : allowed[Int(grant.number)] }

  /// Whose pages may read the refusal of a request that shows no origin, since its head did not come whole.
  var unknown: Grant { Grant(number: numbers["*"] ?? 0) }

  func check(
    _ head: RequestHead, _ bytes: borrowing Span<UInt8>, base: Int, peer: Address
  ) throws(Problem) -> Grant {
    if head.origin.isAbsent { return .own }
    let origin = bytes.string(head.origin.range.shifted(by: base))
    if isOwn(origin, head, bytes, base: base, peer: peer) { return .own }
    if let number = numbers["*"] ?? numbers[origin.lowercased()], number > 0 { return Grant(number: number) }
    throw Problem(
      .originForbidden,
      "pages of '\(origin.prefix(128))' may not use this server; its operator allows origins by --cors-origins")
  }

  /// Whether the origin is where the request was sent to. Behind a proxy that speaks TLS the scheme is not known here,
  /// so the host and port decide.
  private func isOwn(_ origin: String, _ head: RequestHead, _ bytes: borrowing Span<UInt8>, base: Int, peer: Address)
    -> Bool
  {
    if head.host.isAbsent { return false }
    let parts = origin.lowercased().split(separator: "://", maxSplits: 1, omittingEmptySubsequences: false)
    if parts.count != 2 || parts[1].isEmpty { return false }
    let defaultPort: String? = parts[0] == "http" ? ":80" : parts[0] == "https" ? ":443" : nil
    guard let defaultPort else { return false }
    func withoutDefaultPort(_ host: some StringProtocol) -> String {
      host.hasSuffix(defaultPort) ? String(host.dropLast(defaultPort.count)) : String(host)
    }
    let host = bytes.string(head.host.range.shifted(by: base)).lowercased()
    if peer.isLoopback && !trustedProxies.contains(where: { $0.contains(peer) }) && !Self.isLocal(host) { return false }
    return withoutDefaultPort(parts[1]) == withoutDefaultPort(host)
  }

  /// Whether a host is an address, or localhost: names that nobody can make point elsewhere.
  private static func isLocal(_ host: String) -> Bool {
    let colon = host.last { $0 == ":" || $0 == "]" } == ":" ? host.lastIndex(of: ":") : nil
    let name = colon.map { host[..<$0] } ?? host[...]
    return name == "localhost" || name.hasSuffix(".localhost") || Address(name) != nil
  }
}

extension Range<Int> {
  func shifted(by offset: Int) -> Range<Int> { lowerBound + offset..<upperBound + offset }
}
