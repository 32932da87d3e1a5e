import Holdfast
import HoldfastProtocol

/// What a publish's head says of the message.
struct Publication {
  var channel: ChannelName
  var type: MediaType
  var ttl: Duration?
  var idempotencyKey: String?

  init(_ path: Range<Int>, _ request: borrowing HTTP1Connection.Request, _ bytes: borrowing Span<UInt8>) throws(Problem)
  {
    let (query, key) = (request.head.query, request.head.idempotencyKey)
    channel = try bytes.channel(path)
    type = MediaType(of: request, bytes)
    ttl = query.isAbsent ? nil : try Query.ttl(try Query(request, bytes).text(.ttl, bytes))
    idempotencyKey = key.isAbsent ? nil : try Draft.checkedKey(bytes.string(key.range.shifted(by: request.start)))
  }
}

extension ServerLoop {
  /// `POST /api/publish/{channel}`: the body is the message.
  mutating func publish(
    _ token: Int32, _ path: Range<Int>, _ request: HTTP1Connection.Request, _ bytes: borrowing Span<UInt8>,
    at moment: Moment
  ) throws(Problem) {
    try Self.checkPublishing(request, isDraining: isDraining)
    let publication = try Publication(path, request, bytes)
    let draft = Draft(
      try publication.type.payload(bytes.array(request.bodyRange)), idempotencyKey: publication.idempotencyKey,
      ttl: publication.ttl)
    let receipt = try publish(draft, to: publication.channel, at: moment)
    reply(receipt, publication.channel, to: token, at: moment)
  }

  static func checkPublishing(_ request: HTTP1Connection.Request, isDraining: Bool) throws(Problem) {
    if isDraining {
      throw Problem(
        .draining, "nothing was published; publish again, at another node or when this one is back", retryAfter: 1)
    }
    // Kept as if it were plain, it would be refused as JSON at best, and at worst given to everybody as the message.
    if request.head.isEncoded {
      throw Problem(.contentEncodingUnsupported, "a body is taken as it is; send it without Content-Encoding")
    }
  }

  private static var servedFirstMax: Int { 16 }

  mutating func publish(_ draft: Draft, to channel: ChannelName, at moment: Moment) throws(Problem) -> Receipt {
    do {
      let receipt = try hubLoop.publish(draft, to: channel, at: moment)
      // Few are served before the publisher is told; of a crowd the publisher must not wait for the last.
      if receipt.subscribers <= Self.servedFirstMax { collect(at: moment) }
      return receipt
    } catch {
      switch error.code {
      case .idempotencyConflict: throw Problem(.idempotencyConflict, "\(error); nothing was published")
      case .storeFull: throw Problem(.storeFull, "\(error); nothing was published", retryAfter: 5)
      }
    }
  }
}

extension [UInt8] {
  mutating func writeReceipt(_ receipt: Receipt, _ channel: ChannelName) {
    append(addingCapacity: 100 + Position.textBytesMax + ChannelName.lengthMax + 47) {
      (bytes: inout OutputSpan<UInt8>) in
      bytes.write("{\"status\":\"published\",\"message_id\":\"")
      receipt.id.write(to: &bytes)
      bytes.write("\",\"channel\":\"")
      bytes.write(text: channel.text)
      bytes.write("\",\"timestamp\":")
      bytes.write(receipt.timestamp)
      bytes.write(",\"subscribers\":")
      bytes.write(UInt64(receipt.subscribers))
      bytes.write("}")
    }
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
