import Holdfast
import HoldfastProtocol

extension ServerLoop {
  /// `POST /api/publish/{channel}`: the body is the message.
  mutating func publish(
    to channel: ChannelName, _ request: HTTP1Connection.Request, _ query: Query, _ bytes: borrowing Span<UInt8>,
    at moment: Moment
  ) throws(Problem) -> Reply {
    try checkPublishing()
    let head = request.head
    let mediaType = MediaType(
      head.contentType.isAbsent ? "" : bytes.string(head.contentType.range.shifted(by: request.start)))
    var draft = Draft(try mediaType.payload(bytes.array(request.bodyRange)))
    draft.ttl = try Query.ttl(query.text(.ttl, bytes))
    if !head.idempotencyKey.isAbsent {
      draft.idempotencyKey = try Draft.checkedKey(bytes.string(head.idempotencyKey.range.shifted(by: request.start)))
    }
    let receipt = try publish(draft, to: channel, at: moment)
    var reply = Reply()
    reply.body.writeReceipt(receipt, channel)
    if receipt.isRepeated { reply.setField("Idempotency-Replayed", "true") }
    return reply
  }

  func checkPublishing() throws(Problem) {
    if isDraining {
      throw Problem(
        .draining, "nothing was published; publish again, at another node or when this one is back", retryAfter: 1)
    }
  }

  mutating func publish(_ draft: Draft, to channel: ChannelName, at moment: Moment) throws(Problem) -> Receipt {
    do { return try hubLoop.publish(draft, to: channel, at: moment) } catch {
      switch error.code {
      case .idempotencyConflict: throw Problem(.idempotencyConflict, "\(error); nothing was published")
      case .storeFull: throw Problem(.storeFull, "\(error); nothing was published", retryAfter: 5)
      }
    }
  }
}

extension [UInt8] {
  mutating func writeReceipt(_ receipt: Receipt, _ channel: ChannelName) {
    write("{\"status\":\"published\",\"message_id\":\"")
    receipt.id.write(to: &self)
    write("\",\"channel\":\"")
    write(channel.text)
    write("\",\"timestamp\":")
    writeTimestamp(receipt.timestamp)
    write(",\"subscribers\":")
    write(UInt(receipt.subscribers))
    write("}")
  }
}

extension Draft {
  static func checkedKey(_ key: String) throws(Problem) -> String {
    let isValid =
      (1...WireLimit.idempotencyKeyBytesMax).contains(key.utf8.count)
      && key.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7f }
    if isValid { return key }
    throw Problem(
      .idempotencyKeyInvalid,
      "an idempotency key is 1 to \(WireLimit.idempotencyKeyBytesMax) printable ASCII characters")
  }
}
