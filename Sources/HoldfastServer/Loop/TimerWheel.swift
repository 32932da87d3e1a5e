/// One deadline for each token of a loop, at no cost a poll: arming is O(1), and an entry already in the wheel is left
/// where it is unless the new deadline is earlier. When its slot comes round and its deadline has moved on, it moves too.
///
/// Time is counted in ticks, which wrap around.
struct TimerWheel: Sendable {
  private struct Entry {
    var next: Int32 = -1
    var previous: Int32 = -1
    var deadline: UInt32 = 0
    /// The tick of the slot it is linked into.
    var slot: UInt32 = 0
    var isArmed = false
    var isLinked = false
  }

  private static let slotCount: UInt32 = 1024

  private var slots = ContiguousArray<Int32>(repeating: -1, count: Int(slotCount))
  private var entries: ContiguousArray<Entry> = []
  /// The last tick that was looked at.
  private(set) var now: UInt32

  init(now: UInt32) { self.now = now }

  /// Sets the deadline of `token`; one that has passed is due at the next tick.
  mutating func arm(_ token: Int32, at deadline: UInt32) {
    let index = Int(token)
    while entries.count <= index { entries.append(Entry()) }
    entries[index].deadline = deadline
    entries[index].isArmed = true
    let isEarlier = Int32(bitPattern: deadline &- entries[index].slot) < 0
    if entries[index].isLinked {
      if !isEarlier { return }
      unlink(token)
    }
    link(token)
  }

  mutating func disarm(_ token: Int32) {
    if Int(token) < entries.count { entries[Int(token)].isArmed = false }
  }

  /// Goes on to `tick` and gives the tokens whose deadlines have passed; they are disarmed.
  mutating func advance(to tick: UInt32) -> [Int32] {
    var due: [Int32] = []
    while Int32(bitPattern: tick &- now) > 0 {
      now &+= 1
      let slot = Int(now % TimerWheel.slotCount)
      var token = slots[slot]
      slots[slot] = -1
      while token >= 0 {
        let index = Int(token)
        let next = entries[index].next
        entries[index].isLinked = false
        if entries[index].isArmed {
          if Int32(bitPattern: entries[index].deadline &- now) <= 0 {
            entries[index].isArmed = false
            due.append(token)
          } else {
            link(token)
          }
        }
        token = next
      }
    }
    return due
  }

  private mutating func link(_ token: Int32) {
    let index = Int(token)
    // No slot lies behind; a deadline beyond the wheel's round is looked at once a round.
    let ahead = Int32(bitPattern: entries[index].deadline &- now)
    let distance = UInt32(min(max(1, ahead), Int32(TimerWheel.slotCount)))
    let tick = now &+ distance
    let slot = Int(tick % TimerWheel.slotCount)
    entries[index].slot = tick
    entries[index].isLinked = true
    entries[index].previous = -1
    entries[index].next = slots[slot]
    if slots[slot] >= 0 { entries[Int(slots[slot])].previous = token }
    slots[slot] = token
  }

  private mutating func unlink(_ token: Int32) {
    let entry = entries[Int(token)]
    if entry.previous >= 0 {
      entries[Int(entry.previous)].next = entry.next
    } else {
      slots[Int(entry.slot % TimerWheel.slotCount)] = entry.next
    }
    if entry.next >= 0 { entries[Int(entry.next)].previous = entry.previous }
  }
}
