import DequeModule

/// Requests that came behind a held poll, in order. It exists only while there are any.
final class RequestQueue {
  enum Item {
    case request(HTTP1Connection.Request)
    case refusal(HTTP1Refusal, OriginPolicy.Grant)
    /// A request for an upgrade, and all that came behind: no request is looked for there. It is the last.
    case upgrade([UInt8])
  }

  /// What may wait behind a held poll; more makes the poll be answered early.
  static let countMax = 16
  static let bytesMax = 64 << 10

  private var items: Deque<Item> = []
  private(set) var bytes = 0

  var count: Int { items.count }

  func append(_ item: Item) {
    items.append(item)
    bytes += Self.size(item)
  }

  /// Puts back what was taken, or puts it before all others.
  func prepend(_ item: Item) {
    items.prepend(item)
    bytes += Self.size(item)
  }

  /// Takes what comes behind a request for an upgrade.
  /// - Returns: Whether there is one.
  func appendRest(_ input: borrowing Span<UInt8>) -> Bool {
    guard case .upgrade(let begun) = items.last else { return false }
    items[items.count - 1] = .upgrade(begun + input.array(0..<input.count))
    bytes += input.count
    return true
  }

  func popFirst() -> Item? {
    guard let item = items.popFirst() else { return nil }
    bytes -= Self.size(item)
    return item
  }

  private static func size(_ item: Item) -> Int {
    switch item {
    case .request(let request): request.bytes?.count ?? 0
    case .refusal: 0
    case .upgrade(let bytes): bytes.count
    }
  }
}
