import HoldfastProtocol

/// One answer on its way to the consumer, event by event, and the cursor that follows from what was handled.
///
/// A cursor has a slot for each channel. When a message was handled, its channel's slot is the message's id. A channel
/// of which the answer has no message is as far as it gets. When all was handled the cursor is the answer's own.
struct Delivery {
  private struct Item {
    var event: SubscriptionEvent
    /// Unwanted ones count as handled when their turn comes.
    var isWanted: Bool
  }

  private let channels: [String]
  private var items: ArraySlice<Item>
  private var slots: [String]
  private let end: String
  /// Whether the consumer has the first item.
  private(set) var isInHand = false

  /// - Parameters:
  ///   - cursor: where the poll began.
  ///   - isWanted: what of it the consumer is to see.
  init(_ page: MessagePage, from cursor: String, channels: [String], isWanted: (Message) -> Bool) {
    self.channels = channels
    items =
      (page.gaps.map { Item(event: .gap($0), isWanted: true) }
      + page.messages.map { Item(event: .message($0), isWanted: isWanted($0)) })[...]
    end = page.cursor
    let after = Self.slots(page.cursor, channels)
    let moving = Set(page.messages.map(\.channel))
    slots = zip(channels, Self.slots(cursor, channels)).enumerated().map { index, slot in
      moving.contains(slot.0) ? slot.1 : after[index]
    }
  }

  /// The next event, which is in the consumer's hand from now on; `nil` when there is no more.
  mutating func next() -> SubscriptionEvent? {
    while let item = items.first, !item.isWanted { drop() }
    guard let item = items.first else { return nil }
    isInHand = true
    return item.event
  }

  /// The consumer is done with what it had in hand.
  mutating func handled() {
    isInHand = false
    drop()
  }

  /// The cursor behind all that was handled; `nil`: where the poll began.
  private(set) var cursor: String?

  private mutating func drop() {
    guard let item = items.popFirst() else { return }
    if case .message(let message) = item.event, let slot = channels.firstIndex(of: message.channel) {
      slots[slot] = message.id
      cursor = slots.joined(separator: WireCursor.slotSeparator)
    }
    if items.isEmpty { cursor = end }
  }

  /// A single word stands for all channels.
  private static func slots(_ cursor: String, _ channels: [String]) -> [String] {
    let list = cursor.split(separator: WireCursor.slotSeparator, omittingEmptySubsequences: false).map(String.init)
    return channels.indices.map { $0 < list.count ? list[$0] : cursor }
  }
}
