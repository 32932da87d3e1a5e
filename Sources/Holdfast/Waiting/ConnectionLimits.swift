/// Counts held polls by client, by address and in all. A place is checked and counted in one step, so a limit is exact
/// however many ask at once.
struct ConnectionLimits: Sendable {
  /// A place that was taken, to be given back once.
  struct Place: Sendable, Hashable {
    fileprivate var client: Int32
    fileprivate var address: Int32
  }

  private let limits: HoldLimits
  private(set) var total = 0
  /// How many places each key holds.
  private var counts = RecyclingTable<HolderKey, Int32>()

  init(limits: HoldLimits) { self.limits = limits }

  /// How many clients and addresses hold a place.
  var keyCount: Int { counts.usedCount }

  mutating func take(_ holder: Holder) -> Result<Place, HoldRefusal> {
    if total >= limits.totalMax { return .failure(.server) }
    let client = HolderKey.client(holder)
    let address = HolderKey.address(holder)
    let clientIndex = counts.index(of: client)
    if count(clientIndex) >= limits.perClientMax { return .failure(.client) }
    let addressIndex = counts.index(of: address)
    if count(addressIndex) >= limits.perAddressMax { return .failure(.address) }
    total += 1
    let clientPlace = increment(client, clientIndex)
    // A client that is new here may have been given the place that the address had left.
    let known = clientIndex == nil ? counts.index(of: address) : addressIndex
    return .success(Place(client: clientPlace, address: increment(address, known)))
  }

  mutating func giveBack(_ place: Place) {
    total -= 1
    decrement(place.client)
    decrement(place.address)
  }

  private func count(_ index: Int32?) -> Int {
    if let index, counts.isUsed(index) { Int(counts[index]) } else { 0 }
  }

  private mutating func increment(_ key: HolderKey, _ index: Int32?) -> Int32 {
    if let index, counts.isUsed(index) {
      counts[index] += 1
      return index
    }
    return counts.use(key, at: index, 1)
  }

  private mutating func decrement(_ index: Int32) {
    counts[index] -= 1
    if counts[index] == 0 { counts.leave(index) }
  }
}

/// How many polls may be held at once; `Int.max` for no limit.
public struct HoldLimits: Hashable, Sendable {
  public var perClientMax: Int
  public var perAddressMax: Int
  public var perChannelMax: Int
  public var totalMax: Int

  public init(
    perClientMax: Int = 6, perAddressMax: Int = 1000, perChannelMax: Int = 10_000, totalMax: Int = 100_000
  ) {
    self.perClientMax = perClientMax
    self.perAddressMax = perAddressMax
    self.perChannelMax = perChannelMax
    self.totalMax = totalMax
  }

  /// No limit at all: for a hub whose embedder counts for itself.
  public static let none = HoldLimits(
    perClientMax: .max, perAddressMax: .max, perChannelMax: .max, totalMax: .max)
}

/// Why a poll is not held.
public enum HoldRefusal: Error, Hashable, Sendable, CaseIterable {
  case client, address, channel, server
}

/// On whose behalf a poll is held.
public struct Holder: Hashable, Sendable {
  /// The network address: 16 bytes, IPv4 mapped into IPv6.
  public var address: UInt128
  /// A name the client goes by; without one it goes by its address.
  public var client: UInt128?

  public init(address: UInt128, client: UInt128? = nil) {
    self.address = address
    self.client = client
  }
}

/// One counted thing. Addresses of IPv6 count by their /64, since a single user has all of one.
private struct HolderKey: Hashable {
  // Halves, which need less room than 16 bytes that have to be aligned.
  private let high: UInt64
  private let low: UInt64
  private let kind: UInt8

  private static let seed: (UInt64, UInt64) = (.random(in: 0 ... .max), .random(in: 0 ... .max))

  /// What tables ask for: a product of both halves, each with a secret of this process, so that nobody can choose keys
  /// that meet. It costs a tenth of the standard library's hash.
  func _rawHashValue(seed: Int) -> Int {
    let product = (high ^ Self.seed.0).multipliedFullWidth(by: low ^ UInt64(kind) << 56 ^ Self.seed.1)
    return Int(truncatingIfNeeded: product.high ^ product.low) ^ seed
  }

  private init(value: UInt128, kind: UInt8) {
    high = UInt64(truncatingIfNeeded: value >> 64)
    low = UInt64(truncatingIfNeeded: value)
    self.kind = kind
  }

  static func client(_ holder: Holder) -> HolderKey {
    if let client = holder.client { return HolderKey(value: client, kind: 0) }
    return HolderKey(value: network(holder.address), kind: 1)
  }

  static func address(_ holder: Holder) -> HolderKey { HolderKey(value: network(holder.address), kind: 2) }

  private static func network(_ address: UInt128) -> UInt128 {
    let isMappedIPv4 = address >> 32 == 0xffff
    return isMappedIPv4 ? address : (address >> 64) << 64
  }
}
