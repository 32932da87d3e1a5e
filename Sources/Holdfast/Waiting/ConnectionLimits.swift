import DequeModule

/// Counts held polls by client, by address and in all. A place is checked and counted in one step, so a limit is exact
/// however many ask at once.
struct ConnectionLimits: Sendable {
  /// A place that was taken, to be given back once.
  struct Place: Sendable, Hashable {
    fileprivate var client: Int32
    fileprivate var address: Int32
  }

  private struct Count {
    var key: HolderKey
    var held: Int32
    /// Whether it stands in `idle`.
    var isIdle = false
  }

  private static let keptMax = 1024

  private let limits: HoldLimits
  private(set) var total = 0
  /// Index into `counts` by key.
  private var indices: [HolderKey: Int32] = [:]
  private var counts: ContiguousArray<Count> = []
  /// Counts that came down to nothing, oldest first. They keep their keys until another key needs the place, because
  /// whose poll was answered polls again.
  private var idle: Deque<Int32> = []

  init(limits: HoldLimits) { self.limits = limits }

  /// How many clients and addresses hold a place.
  var keyCount: Int { counts.count { $0.held > 0 } }

  mutating func take(_ holder: Holder) -> Result<Place, HoldRefusal> {
    if total >= limits.totalMax { return .failure(.server) }
    let client = HolderKey.client(holder)
    let address = HolderKey.address(holder)
    let clientIndex = indices[client]
    if count(clientIndex) >= limits.perClientMax { return .failure(.client) }
    let addressIndex = indices[address]
    if count(addressIndex) >= limits.perAddressMax { return .failure(.address) }
    total += 1
    let clientPlace = increment(client, clientIndex)
    // A client that is new here may have been given what the address had left idle.
    let known = clientIndex == nil ? indices[address] : addressIndex
    return .success(Place(client: clientPlace, address: increment(address, known)))
  }

  mutating func giveBack(_ place: Place) {
    total -= 1
    decrement(place.client)
    decrement(place.address)
    if total > 0 || counts.count <= ConnectionLimits.keptMax { return }
    // Everybody has gone: give back the memory that a crowd needed.
    counts = []
    idle = []
    indices = [:]
  }

  private func count(_ index: Int32?) -> Int { index.map { Int(counts[Int($0)].held) } ?? 0 }

  private mutating func increment(_ key: HolderKey, _ known: Int32?) -> Int32 {
    if let known {
      counts[Int(known)].held += 1
      return known
    }
    let index = makePlace(for: key)
    indices[key] = index
    return index
  }

  private mutating func makePlace(for key: HolderKey) -> Int32 {
    while let index = idle.popFirst() {
      counts[Int(index)].isIdle = false
      if counts[Int(index)].held > 0 { continue }
      indices[counts[Int(index)].key] = nil
      counts[Int(index)] = Count(key: key, held: 1)
      return index
    }
    counts.append(Count(key: key, held: 1))
    return Int32(counts.count - 1)
  }

  private mutating func decrement(_ index: Int32) {
    counts[Int(index)].held -= 1
    if counts[Int(index)].held > 0 { return }
    if counts[Int(index)].isIdle { return }
    counts[Int(index)].isIdle = true
    idle.append(index)
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
  var value: UInt128
  var kind: UInt8

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
