import Testing

@testable import HoldfastServer

@Suite struct TimerWheelTests {
  @Test func `A deadline is due at its tick, not before`() {
    var wheel = TimerWheel(now: 100)
    wheel.arm(7, at: 103)
    #expect(wheel.advance(to: 102) == [])
    #expect(wheel.advance(to: 103) == [7])
    #expect(wheel.advance(to: 3000) == [], "it is disarmed")
  }

  @Test func `A shorter deadline after a longer one counts, and a longer one after a shorter`() {
    var wheel = TimerWheel(now: 0)
    wheel.arm(0, at: 900)
    wheel.arm(0, at: 5)
    #expect(wheel.advance(to: 4) == [])
    #expect(wheel.advance(to: 5) == [0])
    wheel.arm(0, at: 10)
    wheel.arm(0, at: 400)
    #expect(wheel.advance(to: 399) == [])
    #expect(wheel.advance(to: 400) == [0])
  }

  @Test func `What has passed already is due at the next tick`() {
    var wheel = TimerWheel(now: 50)
    wheel.arm(1, at: 10)
    wheel.arm(2, at: 50)
    #expect(wheel.advance(to: 50) == [])
    #expect(wheel.advance(to: 51).sorted() == [1, 2])
  }

  @Test func `A deadline beyond the wheel's round is due after its rounds`() {
    var wheel = TimerWheel(now: 0)
    for (token, deadline) in [1023, 1024, 1025, 2048, 5000].enumerated() {
      wheel.arm(Int32(token), at: UInt32(deadline))
    }
    for tick in UInt32(1)...6000 {
      let due = wheel.advance(to: tick)
      #expect(due == [1023: [0], 1024: [1], 1025: [2], 2048: [3], 5000: [4]][tick] ?? [])
    }
  }

  @Test func `A disarmed deadline never comes, and its place can be armed again`() {
    var wheel = TimerWheel(now: 0)
    wheel.arm(0, at: 10)
    wheel.disarm(0)
    wheel.disarm(99)
    #expect(wheel.advance(to: 20) == [])
    wheel.arm(0, at: 30)
    wheel.disarm(0)
    wheel.arm(0, at: 25)
    #expect(wheel.advance(to: 25) == [0])
  }

  /// The plainest wheel there is: a dictionary.
  private struct Model {
    var now: UInt32
    var deadlines: [Int32: UInt32] = [:]

    mutating func arm(_ token: Int32, at deadline: UInt32) {
      deadlines[token] = Int32(bitPattern: deadline &- now) > 0 ? deadline : now &+ 1
    }

    mutating func advance(to tick: UInt32) -> [(UInt32, Int32)] {
      var due: [(UInt32, Int32)] = []
      for (token, deadline) in deadlines where Int32(bitPattern: deadline &- tick) <= 0 {
        due.append((deadline &- now, token))
      }
      for (_, token) in due { deadlines[token] = nil }
      now = tick
      return due.sorted { $0 < $1 }
    }
  }

  @Test(arguments: [0, 1000, UInt32.max - 700, UInt32(Int32.max) - 300])
  func `The wheel does what a naive one does, whatever is armed, disarmed and advanced`(_ start: UInt32) {
    var random = SeededGenerator(testSeed ^ UInt64(start))
    var wheel = TimerWheel(now: start)
    var model = Model(now: start)
    let distances = [-5, 0, 1, 2, 10, 300, 1000, 1022, 1023, 1024, 1025, 1026, 2047, 2048, 2049, 9000]
    for step in 0..<20_000 {
      let token = Int32(random.below(40))
      switch random.below(4) {
      case 0, 1:
        let distance = random.below(2) == 0 ? distances[random.below(distances.count)] : random.below(3000)
        let deadline = model.now &+ UInt32(truncatingIfNeeded: distance)
        wheel.arm(token, at: deadline)
        model.arm(token, at: deadline)
      case 2 where random.below(3) == 0:
        wheel.disarm(token)
        model.deadlines[token] = nil
      default:
        let tick = model.now &+ UInt32(random.below(20) == 0 ? random.below(2500) : random.below(4))
        let expected = model.advance(to: tick)
        let due = wheel.advance(to: tick)
        if due.sorted() != expected.map(\.1).sorted() {
          Issue.record("step \(step), seed \(testSeed): \(due), not \(expected)")
          return
        }
        // In the order of their ticks.
        let order = Dictionary(uniqueKeysWithValues: expected.map { ($0.1, $0.0) })
        #expect(zip(due, due.dropFirst()).allSatisfy { order[$0]! <= order[$1]! })
      }
    }
  }
}
