#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// An IPv6 address, or an IPv4 address mapped into one, as a number.
struct Address: Hashable, Sendable {
  // Halves, which may stand where 16 bytes at once would have to be aligned: every connection has one.
  private let high: UInt64
  private let low: UInt64

  var value: UInt128 { UInt128(high) << 64 | UInt128(low) }

  init(value: UInt128) {
    high = UInt64(truncatingIfNeeded: value >> 64)
    low = UInt64(truncatingIfNeeded: value)
  }

  /// Reads an address as people write it: `192.0.2.1`, `2001:db8::1`, `[2001:db8::1]`.
  init?(_ text: some StringProtocol) {
    var name = Substring(text)
    if name.first == "[", name.last == "]" { name = name.dropFirst().dropLast() }
    var four = in_addr()
    if unsafe inet_pton(AF_INET, String(name), &four) == 1 {
      self.init(value: Address.mapped | UInt128(UInt32(bigEndian: four.s_addr)))
      return
    }
    var six = in6_addr()
    guard unsafe inet_pton(AF_INET6, String(name), &six) == 1 else { return nil }
    self.init(value: unsafe withUnsafeBytes(of: six) { unsafe $0.reduce(0) { $0 << 8 | UInt128($1) } })
  }

  /// Whom it belongs to: of IPv6 a single user has a whole /64.
  var network: Address { isIPv4 ? self : Address(value: (value >> 64) << 64) }

  /// 127.0.0.0/8 and ::1.
  var isLoopback: Bool { value == 1 || isIPv4 && (value >> 24) & 0xff == 127 }

  var isIPv4: Bool { value >> 32 == Address.mapped >> 32 }

  private static let mapped: UInt128 = 0xffff << 32
}

/// Addresses with a common beginning: `10.0.0.0/8`, `2001:db8::/32`, or a single one.
public struct AddressRange: Hashable, Sendable {
  private var address: Address
  /// How many leading bits of the 128 must agree.
  private var bits: Int

  /// Reads a range as people write it; nil where it is none.
  public init?(_ text: some StringProtocol) {
    let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    guard let address = Address(parts[0]) else { return nil }
    self.address = address
    bits = 128
    if parts.count == 2 {
      let width = parts[0].contains(":") ? 128 : 32
      guard parts[1].utf8.allSatisfy(\.isDigit), let length = Int(parts[1]), (0...width).contains(length) else {
        return nil
      }
      bits = 128 - width + length
    }
  }

  func contains(_ other: Address) -> Bool {
    bits == 0 || (address.value ^ other.value) >> UInt128(128 - bits) == 0
  }
}
