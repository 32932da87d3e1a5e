import Synchronization
import Testing

@testable import Holdfast

/// Clients that poll, wait, go and come back on several loops in virtual time, while messages come, expire and channels
/// are deleted: what each was told must add up to all there was.
@Suite struct HubLoopModelTests {
  private static let channels = (0..<5).map { ChannelName.named("channel\($0)") }

  private struct Client {
    var loop: Int
    var token: Int32
    var channels: [Int]
    var cursor: Cursor
    var limit: ReadLimit
    var isHeld = false
    /// For each channel, how many messages of its log it was given or told of.
    var accounted: [UInt64]
  }

  @Test(arguments: 0..<10) func `What clients are told adds up to all there was`(seed: UInt64) {
    var random = SeededRandom(seed: seed)
    let store = MemoryStore(
      limits: MemoryStore.Limits(log: LogBounds(messagesMax: 6, ageMax: .seconds(60)), remnantsMax: 100_000))
    let hub = Hub(
      store: store, limits: HoldLimits(perClientMax: 3, perAddressMax: 1000, perChannelMax: 20, totalMax: 30))
    let woken = Mutex([false, false])
    var loopA = HubLoop(hub: hub) { woken.withLock { $0[0] = true } }
    var loopB = HubLoop(hub: hub) { woken.withLock { $0[1] = true } }
    var clients: [Client] = (0..<30).map { index in
      let channels = Array(Array(0..<5).shuffled(using: &random).prefix(1 + random.below(3)))
      return Client(
        loop: index % 2, token: Int32(index / 2), channels: channels,
        cursor: Cursor(channels.map { _ in .earliest }),
        limit: ReadLimit(messages: 1 + random.below(5)), accounted: channels.map { _ in 0 })
    }
    var time = 0.0
    var deliveries = 0
    var gaps = 0

    func account(_ answer: Answer, _ index: Int) {
      clients[index].isHeld = false
      let before = clients[index].cursor
      clients[index].cursor = answer.cursor
      for (slot, channel) in clients[index].channels.enumerated() {
        let name = Self.channels[channel]
        guard case .after(let position) = answer.cursor.slots[slot] else { continue }
        let gap = answer.gaps.filter { $0.channel == name }
        #expect(gap.count <= 1)
        if before.slots[slot] == .earliest {
          // Held, it stood at a head that this client was not told of; from here on it is exact.
          clients[index].accounted[slot] = position.sequence
          continue
        }
        if gap.first?.reason == .reset {
          // From the oldest retained on, in the life the cursor now names.
          if let first = answer.messages.first(where: { $0.channel == name }) {
            clients[index].accounted[slot] = first.id.sequence - 1
          } else {
            clients[index].accounted[slot] = position.sequence
          }
        }
        var missed = gap.first?.missed ?? 0
        if missed > 0 { gaps += 1 }
        var last = clients[index].accounted[slot]
        for message in answer.messages where message.channel == name {
          // Whatever lies between two messages is told as missed.
          let skipped = message.id.sequence - last - 1
          if gap.first?.reason == .expired {
            #expect(skipped <= missed)
            missed -= min(skipped, missed)
          } else if gap.isEmpty {
            #expect(skipped == 0, "\(message.id) after \(last)")
          }
          last = message.id.sequence
          deliveries += 1
        }
        if gap.first?.reason == .expired {
          #expect(position.sequence == last + missed)
        } else if gap.isEmpty {
          #expect(position.sequence == last)
        }
        clients[index].accounted[slot] = position.sequence
      }
      let timestamps = answer.messages.map(\.timestamp)
      #expect(timestamps == timestamps.sorted())
      #expect(answer.messages.count <= clients[index].limit.messages)
    }

    for _ in 0..<6000 {
      let moment = at(time)
      switch random.below(100) {
      case 0..<30:
        let channel = random.below(5)
        let draft = Draft(json("1"), ttl: random.oneIn(5) ? .seconds(1 + random.below(40)) : nil)
        let publisher = random.below(3)
        let result: Receipt?
        switch publisher {
        case 0: result = try? loopA.publish(draft, to: Self.channels[channel], at: moment)
        case 1: result = try? loopB.publish(draft, to: Self.channels[channel], at: moment)
        default: result = try? hub.core.publish(draft, to: Self.channels[channel], from: nil, at: moment).0
        }
        #expect(result?.subscribers == clients.count { $0.isHeld && $0.channels.contains(channel) })
      case 30..<70:
        let index = random.below(clients.count)
        if clients[index].isHeld { continue }
        let client = clients[index]
        let slots = zip(client.channels, client.cursor.starts).map { HubLoop.Slot(Self.channels[$0], $1) }
        let holder = Holder(address: 1 << 64, client: UInt128(index / 4))
        let outcome =
          client.loop == 0
          ? loopA.poll(client.token, on: slots, limit: client.limit, holder: holder, at: moment)
          : loopB.poll(client.token, on: slots, limit: client.limit, holder: holder, at: moment)
        switch outcome {
        case .answer(let answer): account(answer, index)
        case .held: clients[index].isHeld = true
        case .refused(let refusal):
          #expect(refusal != .address)
          if refusal == .client { #expect(clients.indices.count { $0 / 4 == index / 4 && clients[$0].isHeld } == 3) }
          if refusal == .server { #expect(clients.count { $0.isHeld } == 30) }
        }
      case 70..<74:
        let index = random.below(clients.count)
        let client = clients[index]
        if client.loop == 0 { loopA.cancel(client.token) } else { loopB.cancel(client.token) }
        clients[index].isHeld = false
      case 74..<80:
        let index = random.below(clients.count)
        let client = clients[index]
        let answer =
          client.loop == 0 ? loopA.timeOut(client.token, at: moment) : loopB.timeOut(client.token, at: moment)
        #expect((answer != nil) == client.isHeld)
        if let answer { account(answer, index) }
      case 80..<82:
        hub.delete(Self.channels[random.below(5)])
      case 82..<85:
        store.sweep(share: 1, at: moment) { hub.core.held($0) > 0 }
      case 85..<90:
        time += random.oneIn(6) ? 61 : Double(random.below(5))
      default:
        // Turns of the loops: whom news concerns is answered, and only they.
        var hadNews = woken.withLock { woken in
          defer { woken = [false, false] }
          return woken
        }
        if loopA.hasNews { hadNews[0] = true }
        if loopB.hasNews { hadNews[1] = true }
        let batches = [loopA.collect(at: moment), loopB.collect(at: moment)]
        for (loop, batch) in batches.enumerated() {
          guard let batch else { continue }
          #expect(hadNews[loop])
          for (token, answer) in batch.byToken {
            let index = Int(token) * 2 + loop
            #expect(clients[index].isHeld && !batch.answers[0].isEmpty && !answer.isEmpty)
            account(answer, index)
          }
        }
        // No wake-up is lost: nobody is left waiting for what is there already, except for what only expired, of
        // which a waiter at the head of its log has no part.
        for client in clients where client.isHeld {
          let slots = zip(client.channels, client.cursor.starts).map { HubLoop.Slot(Self.channels[$0], $1) }
          #expect(hub.read(slots, limit: client.limit, at: moment).isEmpty)
        }
      }
      let held = loopA.heldCount + loopB.heldCount
      #expect(held == clients.count { $0.isHeld })
      #expect(hub.core.limits.withLock { $0.total } == held)
      for (channel, name) in Self.channels.enumerated() {
        #expect(hub.core.held(name) == clients.count { $0.isHeld && $0.channels.contains(channel) })
      }
    }
    #expect(deliveries > 500 && gaps > 5)
    for client in clients {
      if client.loop == 0 { loopA.cancel(client.token) } else { loopB.cancel(client.token) }
    }
    #expect(hub.core.waitedOn().isEmpty && hub.core.limits.withLock { $0.total + $0.keyCount } == 0)
  }
}
