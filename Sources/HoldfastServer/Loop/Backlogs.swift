/// What clients have yet to take: of each slow client, where it stands in which bytes. Clients that are given the same
/// bytes one after the other share them, so that a crowd that reads slowly costs what one does.
///
/// All bytes kept are bounded by ``bytesMax``. Beyond it those who have been taking the longest are given up.
struct Backlogs {
  private struct Buffer {
    var bytes: [UInt8]
    var users: Int
  }

  private struct Entry {
    var buffers: [(buffer: Int, offset: Int)]
    /// Rises from one entry to the next.
    var age: UInt64
  }

  let bytesMax: Int
  /// What the buffers take, with the room in them that is not used.
  private(set) var bytes = 0
  private var entries: [Int32: Entry] = [:]
  private var buffers: [Buffer] = []
  private var freeBuffers: [Int] = []
  /// The buffer that came last.
  private var recent: Int?
  private var nextAge: UInt64 = 0

  init(bytesMax: Int) { self.bytesMax = bytesMax }

  var isEmpty: Bool { entries.isEmpty }

  /// Whether something is kept for `token`.
  func contains(_ token: Int32) -> Bool { entries[token] != nil }

  /// Keeps `bytes` from `offset` on for `token`, behind what it has to take already.
  mutating func append(_ bytes: [UInt8], from offset: Int, to token: Int32) {
    let buffer = share(bytes)
    if entries[token] == nil {
      entries[token] = Entry(buffers: [], age: nextAge)
      nextAge += 1
    }
    entries[token]!.buffers.append((buffer, offset))
  }

  /// Gives what is next for `token` to `send`, which says how much was taken, for as long as all of it is.
  /// - Returns: Whether nothing is left; nil where `send` says that the client is gone.
  mutating func flush(_ token: Int32, _ send: ([UInt8], Int) -> Int?) -> Bool? {
    while let next = entries[token]?.buffers.first {
      let count = buffers[next.buffer].bytes.count
      guard let sent = send(buffers[next.buffer].bytes, next.offset) else { return nil }
      if next.offset + sent < count {
        entries[token]!.buffers[0].offset += sent
        return false
      }
      entries[token]!.buffers.removeFirst()
      letGo(next.buffer)
    }
    entries[token] = nil
    return true
  }

  mutating func remove(_ token: Int32) {
    guard let entry = entries.removeValue(forKey: token) else { return }
    for (buffer, _) in entry.buffers { letGo(buffer) }
    if entries.isEmpty { self = Backlogs(bytesMax: bytesMax) }
  }

  /// Where more is kept than may be, forgets the oldest until a quarter is free, but never who came last.
  /// - Returns: Whose was forgotten.
  mutating func removeOldest() -> [Int32] {
    if bytes <= bytesMax { return [] }
    var removed: [Int32] = []
    for (token, _) in entries.sorted(by: { $0.value.age < $1.value.age }).dropLast() {
      if bytes <= bytesMax / 4 * 3 { break }
      remove(token)
      removed.append(token)
    }
    return removed
  }

  private mutating func share(_ new: [UInt8]) -> Int {
    // The same array is known as such at once; others nearly always differ in their first line.
    if let recent, buffers[recent].bytes == new {
      buffers[recent].users += 1
      return recent
    }
    // An array that is used again and again may have far more room than what is in it needs.
    let buffer = Buffer(bytes: new.capacity > 2 * new.count ? new.span.array(0..<new.count) : new, users: 1)
    bytes += buffer.bytes.capacity
    if let index = freeBuffers.popLast() {
      buffers[index] = buffer
      recent = index
      return index
    }
    buffers.append(buffer)
    recent = buffers.count - 1
    return buffers.count - 1
  }

  private mutating func letGo(_ index: Int) {
    buffers[index].users -= 1
    if buffers[index].users > 0 { return }
    bytes -= buffers[index].bytes.capacity
    buffers[index].bytes = []
    freeBuffers.append(index)
    if recent == index { recent = nil }
  }
}
