import DequeModule

/// A channel's retained messages, in order, bounded by count, age and bytes.
///
/// It guarantees one order (sequences and timestamps both rise strictly, whatever the clock does) and an exact account of
/// what it removed: what a reader asks for is given, or counted in a gap. Append is O(1), look-up O(log n). It knows
/// neither clock nor lock nor randomness; moments and tags are parameters.
///
///     sequence   1 2 3 4 5 6 7 8 9
///                x x x x . 6 . 8 9      x removed from the front (count, age, bytes), . by its own ttl
///     removed ────────────┘ │     └─ head
///                        entries
struct ChannelLog: Sendable {
  struct Entry: Sendable {
    var sequence: UInt64
    var tag: UInt32
    var timestamp: Timestamp
    /// Uptime at which it expires, by the log's age or its own ttl.
    var expiry: Int64
    var payload: Payload
  }

  /// What is left to know of a log when its messages are gone: enough to go on under the same epoch, and to tell a
  /// returning client exactly how many it missed.
  struct Remnant: Hashable, Sendable {
    var epoch: Epoch
    /// A position of sequence 0 under an epoch after this one misses nothing of this channel; under an older one it may
    /// stand before messages that another log held.
    var vouchedAfter: Epoch
    var head: UInt64 = 0
    var headTag: UInt32 = 0
    var headTimestamp = Timestamp(microseconds: 0)
    /// The latest timestamp of a message that was removed; 0 where none is known of.
    var removedTimestamp = Timestamp(microseconds: 0)

    /// The newest epoch whose positions of sequence 0 can no longer be answered for when this is forgotten.
    var forgottenEpoch: Epoch { head == 0 ? vouchedAfter : epoch }
  }

  private(set) var remnant: Remnant
  private(set) var entries: Deque<Entry> = []
  /// Bytes of payload retained.
  private(set) var bytes = 0
  /// The last message removed from the front, whose tag is still known.
  private var lastRemoved: (sequence: UInt64, tag: UInt32)
  /// The earliest expiry of a message that has a ttl of its own; `.max` when there is none.
  private var ttlExpiry = Int64.max

  /// A log that goes on from what is remembered of it.
  init(_ remnant: Remnant) {
    self.remnant = remnant
    lastRemoved = (remnant.head, remnant.headTag)
  }

  var epoch: Epoch { remnant.epoch }
  var head: Position { Position(epoch: epoch, sequence: remnant.head, tag: remnant.headTag) }
  var oldest: Position? { entries.first.map(position) }
  /// About what the log costs in memory, in bytes.
  var footprint: Int { bytes + entries.count * 128 + 256 }

  /// The place right before an entry, or at the head behind the last: who goes on from here misses nothing unheard of.
  private func beforeEntry(_ index: Int) -> Position {
    if index == entries.count { return head }
    if index > 0 { return position(entries[index - 1]) }
    let sequence = entries[0].sequence - 1
    // The tag of a message that is gone is only known, and only asked for, of the last one removed from the front.
    return Position(epoch: epoch, sequence: sequence, tag: sequence == lastRemoved.sequence ? lastRemoved.tag : 0)
  }

  private func position(_ entry: Entry) -> Position {
    Position(epoch: epoch, sequence: entry.sequence, tag: entry.tag)
  }

  // MARK: Writing

  /// Appends and gives the message's place. `tag` is drawn by the caller.
  mutating func append(
    _ payload: Payload, ttl: Duration?, tag: UInt32, bounds: LogBounds, at moment: Moment
  ) -> (id: Position, timestamp: Timestamp) {
    // First what has expired, so that it takes no place from what has not.
    expire(at: moment)
    remnant.head += 1
    remnant.headTag = tag
    remnant.headTimestamp = Timestamp(microseconds: max(moment.unix, remnant.headTimestamp.microseconds + 1))
    let age = ttl.map { min($0, bounds.ageMax) } ?? bounds.ageMax
    let entry = Entry(
      sequence: remnant.head, tag: tag, timestamp: remnant.headTimestamp, expiry: moment.uptime(after: age),
      payload: payload)
    entries.append(entry)
    bytes += payload.bytes.count
    if age < bounds.ageMax { ttlExpiry = min(ttlExpiry, entry.expiry) }
    while entries.count > max(1, bounds.messagesMax) || (bytes > bounds.bytesMax && entries.count > 1) { removeFirst() }
    return (head, remnant.headTimestamp)
  }

  /// Removes what has expired. Messages expire in order, but for those with a ttl of their own, which are looked for
  /// only when the first of them is due.
  mutating func expire(at moment: Moment) {
    while let first = entries.first, first.expiry <= moment.uptime { removeFirst() }
    if ttlExpiry > moment.uptime { return }
    var next = Int64.max
    var left: Deque<Entry> = []
    var previous = Int64.min
    for entry in entries {
      if entry.expiry <= moment.uptime {
        bytes -= entry.payload.bytes.count
        remnant.removedTimestamp = max(remnant.removedTimestamp, entry.timestamp)
      } else {
        left.append(entry)
        // What expires after all that stands before it is found at the front when its time comes.
        if entry.expiry < previous { next = min(next, entry.expiry) }
        previous = max(previous, entry.expiry)
      }
    }
    entries = left
    ttlExpiry = next
  }

  private mutating func removeFirst() {
    let entry = entries.removeFirst()
    bytes -= entry.payload.bytes.count
    lastRemoved = (entry.sequence, entry.tag)
    remnant.removedTimestamp = max(remnant.removedTimestamp, entry.timestamp)
  }

  // MARK: Reading

  /// What follows `start`. The log must have been expired at the same moment.
  func read(_ channel: ChannelName, from start: ReadStart, limit: ReadLimit) -> Page {
    switch start {
    case .now:
      return Page(origin: .after(head), next: head, timestamp: remnant.headTimestamp)
    case .earliest:
      return page(channel, from: 0, after: 0, missed: { _ in nil }, origin: .after(beforeEntry(0)), limit: limit)
    case .since(let timestamp):
      let index = firstIndex { $0.timestamp <= timestamp }
      let gap: Gap? =
        timestamp.microseconds > 0 && remnant.removedTimestamp > timestamp
        ? Gap(channel: channel, reason: .expired, missed: nil) : nil
      return page(
        channel, from: index, after: 0, missed: { _ in gap }, origin: .after(beforeEntry(index)), limit: limit)
    case .after(let given):
      // Most have seen everything there is.
      if given == head { return Page(origin: .after(given), next: head, timestamp: remnant.headTimestamp) }
      if names(given) {
        let index = firstIndex { $0.sequence <= given.sequence }
        return page(
          channel, from: index, after: given.sequence,
          missed: { $0 > 0 ? Gap(channel: channel, reason: .expired, missed: $0) : nil },
          origin: .after(given), limit: limit)
      }
      let gap = Gap(channel: channel, reason: .reset, missed: nil)
      return page(channel, from: 0, after: 0, missed: { _ in gap }, origin: .after(given), limit: limit)
    }
  }

  /// Whether a position is a place of this log, as far as can be known: the tag of what was removed is not.
  private func names(_ given: Position) -> Bool {
    if given.sequence == 0 {
      return given.epoch.isOfSameLife(as: epoch) && given.epoch > remnant.vouchedAfter && given.epoch <= epoch
    }
    if given.epoch != epoch || given.sequence > remnant.head { return false }
    if given.sequence == remnant.head { return given.tag == remnant.headTag }
    if given.sequence == lastRemoved.sequence { return given.tag == lastRemoved.tag }
    let index = firstIndex { $0.sequence < given.sequence }
    return index == entries.count || entries[index].sequence != given.sequence || entries[index].tag == given.tag
  }

  /// The messages from `index` on, with `missed` asked for the number of those after `sequence` that are not among them.
  private func page(
    _ channel: ChannelName, from index: Int, after sequence: UInt64, missed: (UInt64) -> Gap?, origin: Cursor.Slot,
    limit: ReadLimit
  ) -> Page {
    var end = index
    var size = 0
    while end < entries.count, end == index || end - index < limit.messages {
      size += entries[end].payload.bytes.count
      if size > limit.bytes && end > index { break }
      end += 1
    }
    var messages: [Message] = []
    messages.reserveCapacity(end - index)
    for index in index..<end {
      let entry = entries[index]
      messages.append(
        Message(id: position(entry), channel: channel, timestamp: entry.timestamp, payload: entry.payload))
    }
    let next = messages.last?.id ?? head
    // Messages at the very end that expired by a ttl of their own are told of with the next page.
    let gap = missed(next.sequence - min(sequence, next.sequence) - UInt64(messages.count))
    return Page(
      messages: messages, gap: gap, origin: origin, next: next, more: end < entries.count,
      timestamp: remnant.headTimestamp)
  }

  /// The first index for which `isBefore` does not hold; it holds for a prefix.
  private func firstIndex(_ isBefore: (Entry) -> Bool) -> Int {
    var low = 0
    var high = entries.count
    while low < high {
      let middle = (low + high) / 2
      if isBefore(entries[middle]) { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
