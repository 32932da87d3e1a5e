import Testing

@testable import Holdfast

/// SplitMix64: the same numbers for the same seed, so a failure can be run again.
struct SeededRandom: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }

  mutating func below(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &self) }
  mutating func oneIn(_ bound: Int) -> Bool { below(bound) == 0 }
}

/// A moment of virtual time, in seconds after an arbitrary start on both clocks.
func at(_ seconds: Double, unix: Double? = nil) -> Moment {
  Moment(
    uptime: 1_000_000_000_000 + Int64(seconds * 1_000_000_000),
    unix: 1_790_000_000_000_000 + Int64((unix ?? seconds) * 1_000_000))
}

func json(_ text: String) -> Payload { Payload(json: text) }

extension Payload {
  var text: String { String(decoding: bytes, as: UTF8.self) }
}

extension ChannelName {
  static func named(_ text: String) -> ChannelName {
    do { return try ChannelName(text) } catch { preconditionFailure("\(text): \(error)") }
  }
}

let news = ChannelName.named("news")
let sport = ChannelName.named("sport")
let weather = ChannelName.named("weather")

extension LogTable {
  init(remnantsMax: Int = 1000, idempotencyAge: Duration = .seconds(600), idempotencyKeysMax: Int = 1000) {
    self.init(
      life: 7,
      limits: Limits(
        remnantsMax: remnantsMax, idempotencyAge: idempotencyAge, idempotencyKeysMax: idempotencyKeysMax))
  }

  /// Appends JSON.
  @discardableResult
  mutating func append(
    _ text: String, to channel: ChannelName = news, ttl: Duration? = nil, tag: UInt32 = 0xabcd,
    bounds: LogBounds = LogBounds(), at moment: Moment
  ) -> Position {
    do {
      return try append(Draft(json(text), ttl: ttl), to: channel, tag: tag, bounds: bounds, at: moment).id
    } catch {
      preconditionFailure("\(error)")
    }
  }

  mutating func read(_ channel: ChannelName = news, from start: ReadStart, at moment: Moment) -> Page {
    read(channel, from: start, limit: ReadLimit(), at: moment)
  }
}

extension Page {
  var texts: [String] { messages.map(\.payload.text) }
}

extension Answer {
  var texts: [String] { messages.map(\.payload.text) }
}

extension HubLoop.Outcome {
  var answer: Answer? { if case .answer(let answer) = self { answer } else { nil } }
  var isHeld: Bool { if case .held = self { true } else { false } }
  var refusal: HoldRefusal? { if case .refused(let refusal) = self { refusal } else { nil } }
}

extension HubLoop {
  mutating func collect(at moment: Moment) -> Batch? {
    var batch = Batch()
    return collect(into: &batch, at: moment) ? batch : nil
  }
}

extension HubLoop.Batch {
  /// The answer of each token; each may have only one.
  var byToken: [Int32: Answer] {
    Dictionary(uniqueKeysWithValues: deliveries.map { ($0.token, answers[Int($0.answer)]) })
  }
}

extension Cursor {
  /// The start of a poll that goes on where this cursor stands.
  var starts: [ReadStart] { slots.map { ReadStart($0) } }
}
