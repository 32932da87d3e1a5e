import Synchronization
import Testing

@testable import Holdfast

@Suite struct WaitingTests {
  // MARK: Interest

  @Test func `Interest is taken once by a publish and asked for again by a renewal`() throws {
    var table = InterestTable()
    let registered = table.register(news, loop: 3, max: 10)
    let index = try #require(registered)
    #expect(table.register(news, loop: 63, max: 10) == index)
    #expect(table.take(news) == (1 << 3 | 1 << 63, 2))
    #expect(table.take(news) == (0, 2))
    table.renew(index, loop: 3)
    #expect(table.take(news) == (1 << 3, 2))
    table.leave(index, count: 2)
    #expect(table.take(news) == (0, 0) && table.channelCount == 0)
    _ = table.register(news, loop: 7, max: 10)
    #expect(table.take(news) == (1 << 7, 1), "nothing is left of those who were interested before")
  }

  @Test func `Interest counts exactly and refuses at its limit`() {
    var table = InterestTable()
    var random = SeededRandom(seed: 6)
    var held = [0, 0, 0]
    var indices: [Int32] = [-1, -1, -1]
    let channels = [news, sport, weather]
    for _ in 0..<5000 {
      let index = random.below(3)
      if random.oneIn(2) {
        let isAllowed = held[index] < 7
        let place = table.register(channels[index], loop: random.below(64), max: 7)
        #expect((place != nil) == isAllowed)
        if let place {
          #expect(held[index] == 0 || place == indices[index])
          indices[index] = place
          held[index] += 1
        }
      } else if held[index] > 0 {
        let count = 1 + random.below(held[index])
        table.leave(indices[index], count: count)
        held[index] -= count
      }
      #expect(channels.map { table.held($0) } == held)
      #expect(table.channelCount == held.count { $0 > 0 })
    }
    var nobody = InterestTable()
    #expect(nobody.register(news, loop: 0, max: 0) == nil && nobody.channelCount == 0)
  }

  // MARK: Recycling

  /// Keys of which many have one hash, or hashes whose buckets are the last and the first.
  private struct Key: Hashable {
    var value: Int
    var hashes: Int

    var hashValue: Int { value % hashes - 2 }
    func hash(into hasher: inout Hasher) { hasher.combine(hashValue) }
    func _rawHashValue(seed: Int) -> Int { hashValue }
  }

  @Test(arguments: [1, 5, 1000])
  func `Values by key do what a dictionary does and take no more places than were used at once`(hashes: Int) {
    var table = RecyclingTable<Key, Int>()
    var random = SeededRandom(seed: 8)
    var model: [Key: (index: Int32, value: Int)] = [:]
    var placesMax: Int32 = 0
    for round in 0..<20_000 {
      let key = Key(value: random.below(200), hashes: hashes)
      #expect(table.usedIndex(of: key) == model[key]?.index)
      if let (index, value) = model[key] {
        #expect(table[index] == value && table.key(at: index) == key && table.isUsed(index))
        table.leave(index)
        model[key] = nil
        #expect(!table.isUsed(index))
      } else if model.count < 20 {
        let index = table.use(key, at: table.index(of: key), round)
        #expect(!model.values.contains { $0.index == index })
        model[key] = (index, round)
        placesMax = max(placesMax, index + 1)
      }
      #expect(table.usedCount == model.count && Set(table.usedKeys) == Set(model.keys))
    }
    #expect(placesMax <= 20)
  }

  // MARK: The mailbox

  @Test func `A mailbox wakes once until its news is taken and then again`() {
    let wakes = Mutex(0)
    let mailbox = Mailbox(index: 0) { wakes.withLock { $0 += 1 } }
    #expect(mailbox.takeNews().isEmpty)
    for round in 1...3 {
      mailbox.post(news)
      mailbox.post(sport)
      #expect(wakes.withLock { $0 } == round)
      #expect(mailbox.takeNews() == [news, sport])
      #expect(mailbox.takeNews().isEmpty)
    }
  }

  // MARK: Waiters

  @Test func `Waiters do exactly what a naive model does`() {
    let channels = (0..<6).map { ChannelName.named("c\($0)") }
    for seed: UInt64 in 0..<6 {
      var random = SeededRandom(seed: seed)
      var table = WaiterTable()
      var model: [(token: Int32, slots: [HubLoop.Slot])] = []
      for _ in 0..<4000 {
        let token = Int32(random.below(60))
        let place = model.firstIndex { $0.token == token }
        #expect(table.isWaiting(token) == (place != nil))
        if let place {
          if random.oneIn(2) {
            let slots = table.slots(of: token)
            #expect(slots.map(\.channel) == model[place].slots.map(\.channel))
            #expect(slots.map(\.start) == model[place].slots.map(\.start))
            var left: [ChannelName] = []
            _ = table.remove(token) { channel, _ in left.append(channel) }
            #expect(left == model[place].slots.map(\.channel))
            model.remove(at: place)
          }
        } else {
          let slots = channels.shuffled(using: &random).prefix(1 + random.below(channels.count)).map {
            HubLoop.Slot($0, .since(Timestamp(microseconds: Int64(random.below(1000)))))
          }
          table.add(token, on: slots, limit: ReadLimit(), place: nil)
          model.append((token, slots))
        }
        #expect(table.count == model.count)
        let channel = channels[random.below(channels.count)]
        let expected = model.filter { $0.slots.contains { $0.channel == channel } }.map(\.token)
        #expect(tokens(on: channel, in: table) == expected)
      }
      for (token, _) in model { _ = table.remove(token) { _, _ in } }
      #expect(table.count == 0 && channels.allSatisfy { table.topics.usedIndex(of: $0) == nil })
    }
  }

  /// The tokens that wait on a channel, in order, walked forwards and checked backwards.
  private func tokens(on channel: ChannelName, in table: WaiterTable) -> [Int32] {
    guard let index = table.topics.usedIndex(of: channel) else { return [] }
    let topic = table.topics[index]
    var tokens: [Int32] = []
    var previous: Int32 = -1
    var link = topic.first
    while link >= 0 {
      #expect(table.links[Int(link)].previous == previous)
      tokens.append(table.links[Int(link)].token)
      previous = link
      link = table.links[Int(link)].next
    }
    #expect(topic.last == previous && Int(topic.count) == tokens.count)
    return tokens
  }

  @Test func `What a crowd needed is given back when it has gone`() {
    var table = WaiterTable()
    for token: Int32 in 0..<5000 { table.add(token, on: [.init(news, .now)], limit: ReadLimit(), place: nil) }
    for token: Int32 in 0..<5000 { _ = table.remove(token) { _, _ in } }
    #expect(table.waiters.isEmpty && table.links.isEmpty)
    #expect(!table.isWaiting(0) && table.topics.usedIndex(of: news) == nil)
  }

  @Test func `News is noted once until it is looked at`() {
    var table = WaiterTable()
    #expect(table.markDirty(news) == nil)
    table.add(0, on: [.init(news, .now)], limit: ReadLimit(), place: nil)
    guard let topic = table.markDirty(news) else {
      Issue.record("not noted")
      return
    }
    #expect(table.markDirty(news) == nil)
    let isTaken = [table.takeDirty(topic), table.takeDirty(topic)]
    #expect(isTaken == [true, false])
    #expect(table.markDirty(news) == topic)
  }
}
