/// What a poll is answered with.
public struct Answer: Hashable, Sendable {
  /// In each channel's order; those of several channels merged by timestamp.
  public var messages: [Message]
  /// What could no longer be given: at most one entry a channel, and told before the channel's messages.
  public var gaps: [Gap]
  /// Goes into the next poll.
  public var cursor: Cursor
  /// Whether more messages than these are there already.
  public var more: Bool

  /// Of the newest message that the logs read ever held; see ``Page/timestamp``.
  public var timestamp: Timestamp

  /// Whether there is nothing to tell: the wait timed out.
  public var isEmpty: Bool { messages.isEmpty && gaps.isEmpty }

  /// What one channel's page tells.
  init(_ page: consuming Page) {
    messages = page.messages
    gaps = page.gap.map { [$0] } ?? []
    cursor = Cursor([.after(page.next)])
    more = page.more
    timestamp = page.timestamp
  }

  /// Merges one page for each channel of a poll, in the poll's order.
  ///
  /// Where the limit cuts a channel off before its first message its slot stays where it was, gap and all, so that a
  /// gap is always told together with what follows it.
  init(_ pages: [Page], limit: ReadLimit) {
    if pages.count == 1 {
      self = Answer(pages[0])
      return
    }
    timestamp = pages.reduce(Timestamp(microseconds: 0)) { max($0, $1.timestamp) }
    var taken = Array(repeating: 0, count: pages.count)
    var size = 0
    messages = []
    gaps = []
    more = pages.contains { $0.more }
    while true {
      var oldest: Int?
      for (index, page) in pages.enumerated() where taken[index] < page.messages.count {
        let timestamp = page.messages[taken[index]].timestamp
        if let other = oldest, pages[other].messages[taken[other]].timestamp <= timestamp { continue }
        oldest = index
      }
      guard let index = oldest else { break }
      let message = pages[index].messages[taken[index]]
      size += message.payload.bytes.count
      if !messages.isEmpty && (messages.count >= limit.messages || size > limit.bytes) {
        more = true
        break
      }
      messages.append(message)
      taken[index] += 1
      // What comes next on this channel is not here, so nothing later may be given before it.
      if taken[index] == pages[index].messages.count && pages[index].more { break }
    }
    var slots: [Cursor.Slot] = []
    for (index, page) in pages.enumerated() {
      if taken[index] == 0 && !page.messages.isEmpty {
        slots.append(page.origin)
        // That of a `since` is told at once all the same: the next `since` may lie past what is missing.
        if let gap = page.gap, gap.reason == .expired, gap.missed == nil { gaps.append(gap) }
        continue
      }
      let next = taken[index] == page.messages.count ? page.next : page.messages[taken[index] - 1].id
      slots.append(.after(next))
      guard var gap = page.gap else { continue }
      if let missed = gap.missed {
        // What is missing behind the last message taken is told of with the next page.
        let later = page.next.sequence - next.sequence - UInt64(page.messages.count - taken[index])
        if missed == later { continue }
        gap.missed = missed - later
      }
      gaps.append(gap)
    }
    cursor = Cursor(slots)
  }
}
