import Holdfast
import HoldfastProtocol
import Synchronization

/// How many connections may be open: in all as many as the process may have files, less a reserve, and from one address
/// twice the polls that may be held from it, or half of all. One beyond is accepted, told so, and closed; without the
/// reserve the system could not even accept it, and would report it as waiting over and over.
final class ConnectionBudget: Sendable {
  private struct State {
    var left: Int
    var byNetwork: [Address: Int] = [:]
  }

  private static let reserve = 64

  private let state: Mutex<State>
  private let perAddressMax: Int
  private let trustedProxies: [AddressRange]

  init(files: Int, perAddressMax: Int, trustedProxies: [AddressRange]) {
    let total = max(1, files - Self.reserve)
    state = Mutex(State(left: total))
    // Without a limit of held polls there is none here either.
    self.perAddressMax = perAddressMax == .max ? .max : min(2 * perAddressMax, max(1, total / 2))
    self.trustedProxies = trustedProxies
  }

  /// What the system grants this process now.
  static func ofProcess(_ configuration: ServerConfiguration) -> ConnectionBudget {
    ConnectionBudget(
      files: OpenFiles.limit, perAddressMax: configuration.holds.perAddressMax,
      trustedProxies: configuration.trustedProxies)
  }

  /// - Returns: nil, or why there is no room.
  func take(_ address: Address) -> ProblemCode? {
    let counts = isCounted(address)
    return state.withLock { state in
      if state.left <= 0 { return .serverAtCapacity }
      if counts {
        if state.byNetwork[address.network, default: 0] >= perAddressMax { return .addressAtCapacity }
        state.byNetwork[address.network, default: 0] += 1
      }
      state.left -= 1
      return nil
    }
  }

  func giveBack(_ address: Address) {
    let counts = isCounted(address)
    state.withLock { state in
      state.left += 1
      guard counts, let count = state.byNetwork[address.network] else { return }
      state.byNetwork[address.network] = count > 1 ? count - 1 : nil
    }
  }

  /// All clients of a proxy come from its address.
  private func isCounted(_ address: Address) -> Bool {
    perAddressMax < .max && !trustedProxies.contains { $0.contains(address) }
  }
}
