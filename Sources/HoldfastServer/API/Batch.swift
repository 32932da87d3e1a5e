import Holdfast
import HoldfastProtocol

extension ServerLoop {
  /// `POST /api/publish`: an array or lines of items, each published or refused by itself; but a body that is not
  /// well-formed publishes nothing.
  mutating func publishBatch(
    _ request: HTTP1Connection.Request, _ bytes: borrowing Span<UInt8>, at moment: Moment
  ) throws(Problem) -> Reply {
    try Self.checkPublishing(request, isDraining: isDraining)
    let type = try MediaType(ofBatch: request, bytes)
    let body = bytes.array(request.bodyRange)
    let items: [BatchItem]
    do { items = type.kind == .ndjson ? try BatchItem.readLines(body) : try BatchItem.readArray(body) } catch {
      throw Problem(error)
    }
    if items.count > WireLimit.batchItemsMax {
      throw Problem(.bodyTooLarge, "a batch has at most \(WireLimit.batchItemsMax) items; nothing was published")
    }
    var reply = Reply()
    var failed = 0
    reply.body.write("{\"status\":\"published\",\"results\":[")
    for (index, item) in items.enumerated() {
      if index > 0 { reply.body.write(",") }
      do {
        let (channel, draft) = try item.draft()
        reply.body.writeReceipt(try publish(draft, to: channel, at: moment), channel)
      } catch {
        failed += 1
        reply.body.writeFailure(error)
      }
    }
    reply.body.write("],\"count\":")
    reply.body.write(UInt(items.count))
    reply.body.write(",\"failed\":")
    reply.body.write(UInt(failed))
    reply.body.write("}")
    return reply
  }
}

extension [UInt8] {
  fileprivate mutating func writeFailure(_ problem: Problem) {
    write("{\"status\":\"failed\",\"code\":")
    writeString(problem.code.rawValue)
    write(",\"error\":")
    writeString(problem.code.error)
    write(",\"detail\":")
    writeString(problem.detail)
    write("}")
  }
}

/// One item of a batch, as it stands in the body.
struct BatchItem {
  private let body: [UInt8]
  /// Where the members' values lie; the last of a name counts, as in most readers of JSON.
  private var channel: Range<Int>?
  private var data: Range<Int>?
  private var ttl: Range<Int>?
  private var key: Range<Int>?

  static func readArray(_ body: [UInt8]) throws(JSONError) -> [BatchItem] {
    var scanner = JSONScanner(body)
    var items: [BatchItem] = []
    scanner.skipSpace()
    try scanner.take(UInt8(ascii: "["), "'[', since a batch is an array of items")
    scanner.skipSpace()
    if scanner.peek() == UInt8(ascii: "]") {
      try scanner.take(UInt8(ascii: "]"), "']'")
    } else {
      while true {
        items.append(try BatchItem(&scanner, body))
        scanner.skipSpace()
        if scanner.peek() != UInt8(ascii: ",") { break }
        try scanner.take(UInt8(ascii: ","), "','")
      }
      try scanner.take(UInt8(ascii: "]"), "',' or ']'")
    }
    try scanner.end()
    return items
  }

  static func readLines(_ body: [UInt8]) throws(JSONError) -> [BatchItem] {
    var items: [BatchItem] = []
    var start = 0
    while start < body.count {
      let end = body[start...].firstIndex(of: Byte.lf) ?? body.count
      let line = Array(body[start..<end])
      do throws(JSONError) {
        var scanner = JSONScanner(line)
        scanner.skipSpace()
        if !scanner.isAtEnd {
          items.append(try BatchItem(&scanner, line))
          try scanner.end()
        }
      } catch {
        throw JSONError(offset: start + error.offset, detail: error.detail, isTooDeep: error.isTooDeep)
      }
      start = end + 1
    }
    return items
  }

  /// Reads one value; one that is no object has no members, and is refused as an item later.
  private init(_ scanner: inout JSONScanner, _ body: [UInt8]) throws(JSONError) {
    self.body = body
    scanner.skipSpace()
    if scanner.peek() != UInt8(ascii: "{") {
      _ = try scanner.value()
      return
    }
    try scanner.take(UInt8(ascii: "{"), "'{'")
    scanner.skipSpace()
    while scanner.peek() != UInt8(ascii: "}") {
      scanner.skipSpace()
      let name = try scanner.string()
      scanner.skipSpace()
      try scanner.take(UInt8(ascii: ":"), "':' after a member's name")
      let value = try scanner.value()
      switch String(decoding: body[name], as: UTF8.self) {
      case "channel": channel = value
      case "data": data = value
      case "ttl": ttl = value
      case "idempotency_key": key = value
      default: break
      }
      scanner.skipSpace()
      if scanner.peek() != UInt8(ascii: ",") { break }
      try scanner.take(UInt8(ascii: ","), "','")
      scanner.skipSpace()
      if scanner.peek() == UInt8(ascii: "}") { try scanner.take(UInt8(ascii: "\""), "a member's name in quotes") }
    }
    try scanner.take(UInt8(ascii: "}"), "',' or '}'")
  }

  func draft() throws(Problem) -> (ChannelName, Draft) {
    guard let channel, let data else {
      throw Problem(.itemInvalid, "an item is an object with 'channel' and 'data'")
    }
    guard let name = text(channel) else { throw Problem(.channelInvalid, "'channel' is a channel's name in quotes") }
    var draft = Draft(Payload(json: Array(body[data])))
    if let ttl { draft.ttl = try Query.ttl(String(decoding: body[ttl], as: UTF8.self)) }
    if let key {
      guard let key = text(key) else { throw Problem(.idempotencyKeyInvalid, "'idempotency_key' is a text in quotes") }
      draft.idempotencyKey = try Draft.checkedKey(key)
    }
    return (try ChannelName(checking: name), draft)
  }

  /// The text of a string; nil where the value is no string, or no text.
  private func text(_ range: Range<Int>) -> String? {
    guard body[range.lowerBound] == UInt8(ascii: "\"") else { return nil }
    return JSONScanner.text(Array(body[range.dropFirst().dropLast()]))
  }
}
