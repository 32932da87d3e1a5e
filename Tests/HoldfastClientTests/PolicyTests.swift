@testable import HoldfastClient
import Testing

/// What the machines decide that no case of `conformance/client` is about.
struct PolicyTests {
  private func machine(_ start: SubscriptionStart, channels: [String] = ["news"]) -> SubscriptionMachine {
    var machine = SubscriptionMachine(SubscriptionMachine.Options(channels: channels, start: start))
    machine.start()
    return machine
  }

  @Test func `A log that began anew is read from its start, whatever its timestamps`() throws {
    var machine = machine(.since(100))
    _ = machine.nextStep(at: .zero)
    let gap = #"{"channel":"news","reason":"reset","missed":null}"#
    let reset = try MessagePage(json: Array(page([(1, "1")], cursor: "f-1-t", gap: gap).utf8))
    machine.answered(reset, at: .zero, random: { 1 })
    #expect(machine.nextStep(at: .zero) == .give(.gap(reset.gaps[0])))
    machine.handled()
    #expect(machine.nextStep(at: .zero) == .give(.message(reset.messages[0])))
  }

  @Test func `A start since a time moves the cursor over what is not wanted`() throws {
    var machine = machine(.since(1.5))
    _ = machine.nextStep(at: .zero)
    machine.answered(try MessagePage(json: Array(page([(1, "1")], cursor: "e-1-t").utf8)), at: .zero, random: { 1 })
    #expect(machine.nextStep(at: .zero) == .poll(cursor: "e-1-t", timeout: .seconds(30)))
  }

  @Test func `A message that the consumer left with was not handled`() throws {
    var machine = machine(.earliest)
    _ = machine.nextStep(at: .zero)
    let two = try MessagePage(json: Array(page([(1, "1"), (2, "2")], cursor: "e-2-t").utf8))
    machine.answered(two, at: .zero, random: { 1 })
    _ = machine.nextStep(at: .zero)
    machine.handled()
    _ = machine.nextStep(at: .zero)
    machine.abandon()
    machine.start()
    #expect(machine.nextStep(at: .zero) == .poll(cursor: "e-1-t", timeout: .zero))
  }

  @Test func `A message of a channel that was not asked for moves nothing`() throws {
    var machine = machine(.cursor("a-1-t.b-1-t"), channels: ["a", "b"])
    _ = machine.nextStep(at: .zero)
    machine.answered(
      try MessagePage(json: Array(page([(1, "1"), (2, "2")], cursor: "c.d").utf8)), at: .zero, random: { 1 })
    _ = machine.nextStep(at: .zero)
    machine.handled()
    #expect(machine.cursor == "a-1-t.b-1-t")
    _ = machine.nextStep(at: .zero)
    machine.handled()
    #expect(machine.cursor == "c.d")
  }

  @Test(arguments: [(400, false), (404, false), (408, true), (429, true), (500, true), (503, true), (302, true)])
  func `Only what may succeed later is tried again`(status: Int, isTransient: Bool) {
    let error = HoldfastClientError(status: status, body: [], retryAfter: nil)
    #expect(error.isTransient == isTransient)
    #expect(error.isRefusal == !isTransient)
    #expect(error.code.rawValue == "http_\(status)")
    var machine = machine(.cursor("c"))
    _ = machine.nextStep(at: .zero)
    machine.failed(error, at: .zero, random: { 1 })
    #expect(machine.nextStep(at: .zero) == (isTransient ? .wait(.seconds(1)) : .end(error)))
    #expect(machine.cursor == "c")
  }

  @Test(arguments: [("7", 7), ("0", 0), ("", nil), ("-1", nil), ("1.5", nil), ("9999999999", nil)] as [(String, Int?)])
  func `Retry-After is read as whole seconds only`(field: String, seconds: Int?) {
    #expect(Exchange.seconds(field) == seconds.map { Duration.seconds($0) })
  }
}
