extension Bench {
  /// Polls that wait to be tried again, in the order of their time.
  struct Retries {
    private var entries: [(due: UInt64, poll: Int)] = []
    private var head = 0

    var due: UInt64? { head < entries.count ? entries[head].due : nil }

    mutating func add(_ poll: Int, due: UInt64) { entries.append((due, poll)) }

    /// The next poll whose time has come.
    mutating func next(_ now: UInt64) -> Int? {
      guard head < entries.count, entries[head].due <= now else { return nil }
      defer { head += 1 }
      let poll = entries[head].poll
      if head == entries.count - 1 {
        entries.removeAll(keepingCapacity: true)
        head = -1
      }
      return poll
    }

    mutating func removeAll() {
      entries.removeAll()
      head = 0
    }
  }
}
