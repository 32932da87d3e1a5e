extension Bench {
  /// What each poll has received, message by message: every sequence number of its channel once, in order.
  ///
  /// A poll's row is the number it should see next; numbers that were skipped stand in `missing` until they come. So
  /// nothing is taken on trust: a lost message leaves its number behind, one that comes late was out of order, and one
  /// that was neither next nor missing was a duplicate.
  struct Ledger {
    /// Per poll: the number to come, 0 before the first.
    private var next: [UInt32]
    private var missing: Set<UInt64> = []
    private(set) var received = 0
    private(set) var duplicated = 0
    private(set) var outOfOrder = 0

    init(polls: Int) { next = Array(repeating: 0, count: polls) }

    private static func key(_ row: Int, _ sequence: UInt32) -> UInt64 { UInt64(row) << 32 | UInt64(sequence) }

    /// Whether a number can be true: a damaged one must not be taken for millions of lost messages.
    func isPlausible(_ sequence: UInt32, at poll: Int) -> Bool {
      sequence > 0 && UInt64(sequence) < UInt64(next[poll]) + 10_000_000
    }

    /// Notes a message at `poll`; true when it is there for the first time.
    mutating func note(_ sequence: UInt32, at poll: Int) -> Bool {
      let expected = next[poll]
      if sequence == expected || expected == 0 {
        next[poll] = sequence + 1
      } else if sequence > expected {
        for skipped in expected..<sequence { missing.insert(Self.key(poll, skipped)) }
        next[poll] = sequence + 1
      } else if missing.remove(Self.key(poll, sequence)) != nil {
        outOfOrder += 1
      } else {
        duplicated += 1
        return false
      }
      received += 1
      return true
    }

    /// Begins to count anew, behind the last number of each poll's channel.
    mutating func restart(after last: (Int) -> UInt32) {
      for poll in next.indices { next[poll] = last(poll) + 1 }
      missing.removeAll()
      received = 0
      duplicated = 0
      outOfOrder = 0
    }

    /// How many messages are owed still, `last` being the last number on each poll's channel.
    func owed(last: (Int) -> UInt32, isVoid: (Int, UInt32) -> Bool, voids: Int) -> Int {
      var count = 0
      for poll in next.indices {
        let end = last(poll)
        let start = max(next[poll], 1)
        guard start <= end else { continue }
        count += Int(end - start) + 1
        if voids > 0 { for number in start...end where isVoid(poll, number) { count -= 1 } }
      }
      for key in missing where !isVoid(Int(key >> 32), UInt32(truncatingIfNeeded: key)) { count += 1 }
      return count
    }
  }
}
