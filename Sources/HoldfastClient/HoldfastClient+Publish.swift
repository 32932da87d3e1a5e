public import HoldfastProtocol

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

extension HoldfastClient {
  /// How long one attempt to publish may take until its answer begins.
  static let publishTimeout = Duration.seconds(30)

  /// Publishes a value as JSON.
  ///
  ///     try await client.publish(["text": "hello"], to: "news")
  ///
  /// See ``publish(body:contentType:to:idempotencyKey:ttl:)``.
  ///
  /// - Throws: ``HoldfastClientError``; ``HoldfastClientError/Code/valueInvalid`` where the value cannot be encoded.
  @discardableResult
  public func publish(
    _ value: some Encodable, to channel: String, idempotencyKey: String? = nil, ttl: Duration? = nil
  ) async throws(HoldfastClientError) -> PublishReceipt {
    let body: [UInt8]
    do {
      body = [UInt8](try JSONEncoder().encode(value))
    } catch {
      throw HoldfastClientError(.valueInvalid, "The value cannot be encoded as JSON", detail: "\(error)")
    }
    return try await publish(body: body, to: channel, idempotencyKey: idempotencyKey, ttl: ttl)
  }

  /// Publishes bytes as they are.
  ///
  /// All messages of a client go one after another, in the order of the calls; who publishes while the server or the network
  /// is away waits in a queue of at most ``Configuration/publishQueueMax``. An attempt without an answer, or one that is to
  /// be made later, is repeated with the same idempotency key, so the message is published once, however often it had to be
  /// sent.
  ///
  /// - Parameters:
  ///   - body: One JSON value, kept byte for byte; or what `contentType` says.
  ///   - contentType: `application/json`; `text/plain` for UTF-8 text; anything else is carried as base64.
  ///   - channel: 1 to 128 characters of `A-Z a-z 0-9 _ - . : ~ @`.
  ///   - idempotencyKey: 1 to 255 printable ASCII characters; `nil` makes a random one. A key of your own makes the
  ///     message unique beyond this call, for as long as the server remembers it.
  ///   - ttl: After so long the message expires, if the log does not drop it sooner.
  /// - Returns: The server's word that the message is in the log.
  /// - Throws: A refusal, with the problem's code; after ``Configuration/maxRetries`` failures in a row what the next one
  ///   was; ``HoldfastClientError/Code/queueFull``; ``HoldfastClientError/Code/fateUnknown`` when 9 minutes after the
  ///   message was sent nobody could tell what became of it; ``HoldfastClientError/Code/cancelled`` when the task was
  ///   cancelled, and then a message that was under way may be published or not.
  @discardableResult
  public func publish(
    body: [UInt8], contentType: String = WireMediaType.json, to channel: String, idempotencyKey: String? = nil,
    ttl: Duration? = nil
  ) async throws(HoldfastClientError) -> PublishReceipt {
    let url = core.address.url(
      WirePath.publish, ServerAddress.encoded(channel), query: [(WireParameter.ttl, ttl?.wireSeconds)])
    let fields = [
      (name: WireHeader.contentType, value: contentType),
      (name: WireHeader.idempotencyKey, value: idempotencyKey ?? core.world.newID()),
    ]
    let request = WireRequest(method: .post, url: url, fields: fields, body: body)
    return try await core.publisher.publish(isOffline: { isOffline }) {
      () async throws(HoldfastClientError) -> PublishReceipt in
      let answer = try await core.exchange.answer(to: request, deadline: Self.publishTimeout)
      return try answer.read { (body) throws(JSONReader.Malformed) in
        try PublishReceipt(json: body, isReplay: answer.isReplay)
      }
    }
  }
}
