@testable import HoldfastClient
import Testing

struct PolicyTests {
  @Test func `The ceiling of the wait doubles from 1 s to 30 s and stays there`() {
    var policy = ReconnectPolicy()
    let waits = (1...40).map { _ in policy.failed(retryAfter: nil, random: 1) }
    #expect(waits.prefix(6) == [.seconds(1), .seconds(2), .seconds(4), .seconds(8), .seconds(16), .seconds(30)])
    #expect(waits.dropFirst(6).allSatisfy { $0 == .seconds(30) })
  }

  @Test func `The wait is anything from nothing to the ceiling`() {
    var policy = ReconnectPolicy()
    #expect(policy.failed(retryAfter: nil, random: 0) == .zero)
    #expect(policy.failed(retryAfter: nil, random: 0.25) == .seconds(0.5))
  }

  @Test func `Retry-After is a lower bound, up to five minutes`() {
    var policy = ReconnectPolicy()
    #expect(policy.failed(retryAfter: .seconds(9), random: 1) == .seconds(9))
    #expect(policy.failed(retryAfter: .seconds(1), random: 1) == .seconds(2))
    #expect(policy.failed(retryAfter: .seconds(86_400), random: 1) == .seconds(300))
  }

  @Test func `A good answer makes the next failure a first one`() {
    var policy = ReconnectPolicy()
    for _ in 1...5 { _ = policy.failed(retryAfter: nil, random: 1) }
    policy.succeeded()
    #expect(policy.failed(retryAfter: nil, random: 1) == .seconds(1))
    #expect(policy.failures == 1)
  }

  @Test func `One empty answer at once is free, and those that follow it are paced`() {
    var policy = ReconnectPolicy()
    #expect((1...4).map { _ in policy.answeredEmpty(random: 1) } == [.zero, .seconds(1), .seconds(2), .seconds(4)])
    policy.succeeded()
    #expect(policy.answeredEmpty(random: 1) == .zero)
  }

  @Test func `An empty answer that took its time is not paced`() throws {
    var state = SubscriptionState(from: .cursor("c"), pollTimeout: .seconds(30))
    let empty = MessagePage(gaps: [], messages: [], cursor: "c", more: false)
    for _ in 1...5 {
      #expect(state.answered(empty, elapsed: .seconds(30), random: 1) == .proceed([], pause: .zero))
    }
    #expect(state.answered(empty, elapsed: .zero, random: 1) == .proceed([], pause: .zero))
    #expect(state.answered(empty, elapsed: .zero, random: 1) == .proceed([], pause: .seconds(1)))
  }

  @Test func `A log that began anew is read from its start, whatever its timestamps`() throws {
    var state = SubscriptionState(from: .since(100), pollTimeout: .seconds(30))
    let gap = #"{"channel":"news","reason":"reset","missed":null}"#
    let reset = try MessagePage(json: Array(page([(1, "1")], cursor: "f-1-t", gap: gap).utf8))
    let step = state.answered(reset, elapsed: .zero, random: 0)
    #expect(step == .proceed([.gap(reset.gaps[0]), .message(reset.messages[0])], pause: .zero))
  }

  @Test(arguments: [(400, false), (404, false), (408, true), (429, true), (500, true), (503, true), (302, true)])
  func `Only what may succeed later is tried again`(status: Int, isTransient: Bool) {
    let error = HoldfastClientError(refusal: status, body: [], retryAfter: nil)
    #expect(error.isTransient == isTransient)
    var state = SubscriptionState(from: .now, pollTimeout: .seconds(30))
    let again = SubscriptionState.Step.reconnect(Reconnection(attempt: 1, delay: .seconds(1), error: error))
    #expect(state.failed(error, random: 1) == (isTransient ? again : .end(error)))
    #expect(state.cursor == "now")
  }

  @Test(arguments: [("7", 7), ("0", 0), ("", nil), ("-1", nil), ("1.5", nil), ("9999999999", nil)] as [(String, Int?)])
  func `Retry-After is read as whole seconds only`(field: String, seconds: Int?) {
    #expect(HTTPExchange.seconds(field) == seconds.map { Duration.seconds($0) })
  }
}
