import HoldfastProtocol
import Testing

@testable import HoldfastServer

@Suite struct ConnectionBudgetTests {
  @Test func `Open connections are limited in all and from one address, and a proxy's are not counted by address`()
    throws
  {
    let one = try #require(Address("192.0.2.1"))
    let other = try #require(Address("192.0.2.2"))
    let proxy = try #require(Address("10.0.0.1"))
    let proxies = ["10.0.0.0/8"].compactMap { AddressRange($0) }
    let budget = ConnectionBudget(files: 64 + 10, perAddressMax: 2, trustedProxies: proxies)
    for _ in 0..<4 { #expect(budget.take(one) == nil) }
    #expect(budget.take(one) == .addressAtCapacity && budget.take(other) == nil)
    for _ in 0..<5 { #expect(budget.take(proxy) == nil) }
    #expect(budget.take(proxy) == .serverAtCapacity && budget.take(other) == .serverAtCapacity)
    budget.giveBack(one)
    #expect(budget.take(one) == nil)
    let networks = ConnectionBudget(files: 64 + 10, perAddressMax: 2, trustedProxies: [])
    for end in 1...4 { #expect(networks.take(try #require(Address("2001:db8::\(end)"))) == nil) }
    #expect(networks.take(try #require(Address("2001:db8::5"))) == .addressAtCapacity)
    #expect(networks.take(try #require(Address("2001:db8:0:1::5"))) == nil, "of IPv6 a /64 counts as one")
    let half = ConnectionBudget(files: 64 + 10, perAddressMax: 1000, trustedProxies: [])
    for _ in 0..<5 { #expect(half.take(one) == nil) }
    #expect(half.take(one) == .addressAtCapacity && half.take(other) == nil)
    let unlimited = ConnectionBudget(files: 64 + 10, perAddressMax: .max, trustedProxies: [])
    for _ in 0..<10 { #expect(unlimited.take(one) == nil) }
  }
}
