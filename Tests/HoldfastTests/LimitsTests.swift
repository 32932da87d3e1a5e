import Dispatch
import Synchronization
import Testing

@testable import Holdfast

@Suite struct LimitsTests {
  private func taken(_ result: Result<ConnectionLimits.Place, HoldRefusal>) -> ConnectionLimits.Place? {
    try? result.get()
  }

  @Test func `A place is refused at each limit with its reason`() {
    var limits = ConnectionLimits(
      limits: HoldLimits(perClientMax: 2, perAddressMax: 3, perChannelMax: 9, totalMax: 5))
    func take(_ address: UInt128, _ client: UInt128?) -> HoldRefusal? {
      if case .failure(let refusal) = limits.take(Holder(address: address << 64, client: client)) {
        refusal
      } else {
        nil
      }
    }
    #expect([take(1, 1), take(1, 1), take(1, 1)] == [nil, nil, .client])
    #expect([take(1, 2), take(1, 3)] == [nil, .address])
    #expect([take(2, 1), take(2, 4), take(3, 5), take(4, 6)] == [.client, nil, nil, .server])
    #expect(limits.total == 5)
  }

  @Test func `A forged client id buys nothing beyond the address's limit`() {
    var limits = ConnectionLimits(limits: HoldLimits(perClientMax: 6, perAddressMax: 10))
    let outcomes = (0..<100).map { limits.take(Holder(address: 1 << 64, client: $0)) }
    #expect(outcomes.count { taken($0) != nil } == 10)
  }

  @Test func `A client without an id goes by its address and is another than one with the id of the same bits`() {
    var limits = ConnectionLimits(limits: HoldLimits(perClientMax: 1))
    let address: UInt128 = 5 << 64
    #expect(taken(limits.take(Holder(address: address))) != nil)
    #expect(taken(limits.take(Holder(address: address))) == nil)
    #expect(taken(limits.take(Holder(address: address, client: address))) != nil)
  }

  @Test func `Addresses of IPv6 count by their network and those of IPv4 one by one`() {
    var limits = ConnectionLimits(limits: HoldLimits(perClientMax: .max, perAddressMax: 1))
    let network: UInt128 = 0x2001_0db8_0000_0001 << 64
    #expect(taken(limits.take(Holder(address: network | 1))) != nil)
    #expect(taken(limits.take(Holder(address: network | 2))) == nil)
    #expect(taken(limits.take(Holder(address: network + (1 << 64)))) != nil)
    let mapped: UInt128 = 0xffff << 32
    #expect(taken(limits.take(Holder(address: mapped | 0x0a00_0001))) != nil)
    #expect(taken(limits.take(Holder(address: mapped | 0x0a00_0002))) != nil)
    #expect(taken(limits.take(Holder(address: mapped | 0x0a00_0002))) == nil)
  }

  @Test func `A refused take leaves no count behind and given back places return all to zero`() {
    var random = SeededRandom(seed: 5)
    var limits = ConnectionLimits(limits: HoldLimits(perClientMax: 3, perAddressMax: 5, totalMax: 40))
    var held: [(holder: Holder, place: ConnectionLimits.Place)] = []
    for _ in 0..<20_000 {
      if random.oneIn(2) || held.isEmpty {
        let holder = Holder(
          address: UInt128(1 + random.below(12)) << 64, client: random.oneIn(3) ? nil : UInt128(random.below(30)))
        // A client without an id is told from the others by its address.
        let perClient = held.count {
          holder.client == nil
            ? $0.holder.client == nil && $0.holder.address == holder.address : $0.holder.client == holder.client
        }
        let perAddress = held.count { $0.holder.address == holder.address }
        let expected: HoldRefusal? =
          held.count >= 40 ? .server : perClient >= 3 ? .client : perAddress >= 5 ? .address : nil
        switch limits.take(holder) {
        case .success(let place):
          #expect(expected == nil)
          held.append((holder, place))
        case .failure(let refusal): #expect(expected == refusal)
        }
      } else {
        limits.giveBack(held.remove(at: random.below(held.count)).place)
      }
      #expect(limits.total == held.count)
    }
    for (_, place) in held { limits.giveBack(place) }
    #expect(limits.total == 0 && limits.keyCount == 0)
  }

  @Test func `Exactly as many places are taken as there are however many ask at once`() {
    let hub = Hub(limits: HoldLimits(perClientMax: 6, perAddressMax: .max, perChannelMax: .max, totalMax: .max))
    let places = Mutex<[ConnectionLimits.Place]>([])
    DispatchQueue.concurrentPerform(iterations: 200) { _ in
      let result = hub.core.limits.withLock { $0.take(Holder(address: 1 << 64, client: 1)) }
      if let place = try? result.get() { places.withLock { $0.append(place) } }
    }
    #expect(places.withLock { $0.count } == 6)
    DispatchQueue.concurrentPerform(iterations: 6) { index in
      let place = places.withLock { $0[index] }
      hub.core.limits.withLock { $0.giveBack(place) }
    }
    #expect(hub.core.limits.withLock { $0.total + $0.keyCount } == 0)
  }

  @Test func `The limit of a channel is exact however many ask at once`() {
    let core = HubCore(store: MemoryStore(), limits: HoldLimits(perChannelMax: 50))
    let counted = Atomic<Int>(0)
    DispatchQueue.concurrentPerform(iterations: 200) { index in
      if core.register(news, loop: index % 64) != nil { counted.add(1, ordering: .relaxed) }
    }
    #expect(counted.load(ordering: .relaxed) == 50 && core.held(news) == 50)
    core.leave(news, 0, count: 50)
    #expect(core.held(news) == 0 && core.waitedOn().isEmpty)
  }
}
