import AsyncHTTPClient
public import HoldfastProtocol
import NIOCore
import NIOHTTP1

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

extension HoldfastClient {
  /// How long one attempt to publish, or a request that reads without waiting, may take.
  static let requestTimeout = Duration.seconds(10)

  /// Publishes a value as JSON.
  ///
  ///     try await client.publish(["text": "hello"], to: "news")
  ///
  /// See ``publish(body:contentType:to:idempotencyKey:ttl:retryingFor:)``.
  ///
  /// - Throws: ``HoldfastClientError``; ``HoldfastClientError/Code/valueInvalid`` where the value cannot be encoded.
  @discardableResult
  public func publish(
    _ value: some Encodable, to channel: String, idempotencyKey: String? = nil, ttl: Duration? = nil,
    retryingFor retryTime: Duration = .seconds(30)
  ) async throws(HoldfastClientError) -> PublishReceipt {
    let body: [UInt8]
    do {
      body = [UInt8](try JSONEncoder().encode(value))
    } catch {
      throw HoldfastClientError(.valueInvalid, "The value cannot be encoded as JSON", detail: "\(error)")
    }
    return try await publish(
      body: body, to: channel, idempotencyKey: idempotencyKey, ttl: ttl, retryingFor: retryTime)
  }

  /// Publishes bytes as they are.
  ///
  /// A request without an answer, or one that says to come back later, is repeated with the same idempotency key, so
  /// the message is published once, however often it had to be sent.
  ///
  /// - Parameters:
  ///   - body: One JSON value, kept byte for byte; or what `contentType` says.
  ///   - contentType: `application/json`; `text/plain` for UTF-8 text; anything else is carried as base64.
  ///   - idempotencyKey: 1 to 255 printable ASCII characters; `nil` makes a random one. A key of your own makes the
  ///     message unique beyond this call, for as long as the server remembers it.
  ///   - ttl: After so long the message expires, if the log does not drop it sooner.
  ///   - retryTime: How long to go on after a failure. What has failed then is thrown; whether the message was
  ///     published is then unknown, unless the error is a refusal.
  /// - Returns: The server's word that the message is in the log.
  @discardableResult
  public func publish(
    body: [UInt8], contentType: String = WireMediaType.json, to channel: String, idempotencyKey: String? = nil,
    ttl: Duration? = nil, retryingFor retryTime: Duration = .seconds(30)
  ) async throws(HoldfastClientError) -> PublishReceipt {
    let url = address.url(
      WirePath.publish, ServerAddress.encoded(channel), query: [(WireParameter.ttl, ttl?.wireSeconds)])
    var request = HTTPClientRequest(url: url)
    request.method = .POST
    request.headers.add(name: WireHeader.contentType, value: contentType)
    request.headers.add(name: WireHeader.idempotencyKey, value: idempotencyKey ?? Self.randomID())
    request.body = .bytes(ByteBuffer(bytes: body))

    var policy = ReconnectPolicy()
    let start = timing.now()
    while true {
      do {
        let answer = try await exchange.answer(to: request, deadline: Self.requestTimeout)
        return try answer.read { (body) throws(JSONReader.Malformed) in
          try PublishReceipt(json: body, isReplay: answer.isReplay)
        }
      } catch {
        let delay = policy.failed(retryAfter: error.retryAfter, random: timing.random())
        guard error.isTransient, timing.now() - start + delay <= retryTime else { throw error }
        do { try await timing.sleep(delay) } catch { throw .cancelled }
      }
    }
  }
}
