import Holdfast
import HoldfastProtocol

/// Tells on whose behalf a request comes.
struct HolderPolicy: Sendable {
  let trustedProxies: [AddressRange]

  /// - Parameter peer: The other end of the connection.
  func holder(
    _ head: RequestHead, _ bytes: borrowing Span<UInt8>, base: Int, peer: Address
  ) throws(Problem) -> Holder {
    var holder = Holder(address: client(head, bytes, base: base, peer: peer).value)
    if head.clientID.isAbsent { return holder }
    let range = head.clientID.range.shifted(by: base)
    var isValid = (1...WireLimit.clientIDBytesMax).contains(range.count)
    for index in range where bytes[index] <= 0x20 || bytes[index] > 0x7e { isValid = false }
    if !isValid {
      throw Problem(
        .clientIDInvalid, "X-Client-ID is 1 to \(WireLimit.clientIDBytesMax) printable ASCII characters without blanks")
    }
    holder.client = HolderPolicy.hash(bytes, range)
    return holder
  }

  /// The address behind the proxies that are trusted: from the right, the first that is not one of them. What stands
  /// left of it anybody may have written.
  private func client(_ head: RequestHead, _ bytes: borrowing Span<UInt8>, base: Int, peer: Address) -> Address {
    if head.forwardedFor.isAbsent || !isTrusted(peer) { return peer }
    var client = peer
    let list = bytes.string(head.forwardedFor.range.shifted(by: base))
    for part in list.split(separator: ",").reversed() {
      guard let address = Address(part.trimmingSpaces().withoutPort) else { return client }
      client = address
      if !isTrusted(address) { return client }
    }
    return client
  }

  private func isTrusted(_ address: Address) -> Bool { trustedProxies.contains { $0.contains(address) } }

  /// 128 bits of a seeded hash, so that names cost the same whatever their length and nobody can make two collide.
  private static func hash(_ bytes: borrowing Span<UInt8>, _ range: Range<Int>) -> UInt128 {
    var first = Hasher()
    var second = Hasher()
    second.combine(1)
    for index in range {
      first.combine(bytes[index])
      second.combine(bytes[index])
    }
    return UInt128(UInt(bitPattern: first.finalize())) << 64 | UInt128(UInt(bitPattern: second.finalize()))
  }
}

extension Substring {
  /// Some proxies add the port: `192.0.2.1:4711`, `[2001:db8::1]:4711`.
  fileprivate var withoutPort: Substring {
    if first == "[", let end = firstIndex(of: "]") { return self[...end] }
    if let colon = firstIndex(of: ":"), self[..<colon].contains(".") { return self[..<colon] }
    return self
  }

  fileprivate func trimmingSpaces() -> Substring {
    var text = drop { $0 == " " || $0 == "\t" }
    while let last = text.last, last == " " || last == "\t" { text.removeLast() }
    return text
  }
}
