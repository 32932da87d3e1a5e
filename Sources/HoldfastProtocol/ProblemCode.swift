/// The `code` of a problem: stable, and what a program looks at.
///
/// ``status`` and ``error`` belong to the code, so that one refusal looks the same wherever it is written.
///
///     let problem = ProblemCode.cursorMalformed
///     problem.rawValue  // "cursor_malformed"
///     problem.status    // 400
///     problem.error     // "Cursor is not valid"
public enum ProblemCode: String, Sendable, CaseIterable {
  case requestMalformed = "request_malformed"
  case hostInvalid = "host_invalid"
  case channelInvalid = "channel_invalid"
  case channelDuplicate = "channel_duplicate"
  case channelsTooMany = "channels_too_many"
  case cursorMalformed = "cursor_malformed"
  case timeoutInvalid = "timeout_invalid"
  case limitInvalid = "limit_invalid"
  case sinceInvalid = "since_invalid"
  case ttlInvalid = "ttl_invalid"
  case parameterDuplicate = "parameter_duplicate"
  case idempotencyKeyInvalid = "idempotency_key_invalid"
  case clientIDInvalid = "client_id_invalid"
  case jsonMalformed = "json_malformed"
  case jsonTooDeep = "json_too_deep"
  case textMalformed = "text_malformed"
  /// Of one item of a batch only; never the code of a whole answer.
  case itemInvalid = "item_invalid"

  case originForbidden = "origin_forbidden"
  case notFound = "not_found"
  case channelNotFound = "channel_not_found"
  case methodNotAllowed = "method_not_allowed"
  case requestTimeout = "request_timeout"
  case idempotencyConflict = "idempotency_conflict"
  case bodyTooLarge = "body_too_large"
  case targetTooLong = "target_too_long"
  case mediaTypeUnsupported = "media_type_unsupported"
  case contentEncodingUnsupported = "content_encoding_unsupported"
  case expectationFailed = "expectation_failed"

  case clientAtCapacity = "client_at_capacity"
  case addressAtCapacity = "address_at_capacity"
  case channelAtCapacity = "channel_at_capacity"
  case serverAtCapacity = "server_at_capacity"

  case headTooLarge = "head_too_large"
  case transferEncodingUnsupported = "transfer_encoding_unsupported"
  case draining
  case versionUnsupported = "version_unsupported"
  case storeFull = "store_full"

  /// The HTTP status of an answer with this code.
  public var status: Int {
    switch self {
    case .requestMalformed, .hostInvalid, .channelInvalid, .channelDuplicate, .channelsTooMany, .cursorMalformed,
      .timeoutInvalid, .limitInvalid, .sinceInvalid, .ttlInvalid, .parameterDuplicate, .idempotencyKeyInvalid,
      .clientIDInvalid, .jsonMalformed, .jsonTooDeep, .textMalformed, .itemInvalid:
      400
    case .originForbidden: 403
    case .notFound, .channelNotFound: 404
    case .methodNotAllowed: 405
    case .requestTimeout: 408
    case .idempotencyConflict: 409
    case .bodyTooLarge: 413
    case .targetTooLong: 414
    case .mediaTypeUnsupported, .contentEncodingUnsupported: 415
    case .expectationFailed: 417
    case .clientAtCapacity, .addressAtCapacity, .channelAtCapacity, .serverAtCapacity: 429
    case .headTooLarge: 431
    case .transferEncodingUnsupported: 501
    case .draining: 503
    case .versionUnsupported: 505
    case .storeFull: 507
    }
  }

  /// One line for a person; `detail` in the answer says more.
  public var error: String {
    switch self {
    case .requestMalformed: "Request is malformed"
    case .hostInvalid: "Host is not valid"
    case .channelInvalid: "Channel name is not valid"
    case .channelDuplicate: "Channel is named twice"
    case .channelsTooMany: "Too many channels in one poll"
    case .cursorMalformed: "Cursor is not valid"
    case .timeoutInvalid: "Timeout is not valid"
    case .limitInvalid: "Limit is not valid"
    case .sinceInvalid: "Since is not valid"
    case .ttlInvalid: "Time to live is not valid"
    case .parameterDuplicate: "Parameter is given twice"
    case .idempotencyKeyInvalid: "Idempotency key is not valid"
    case .clientIDInvalid: "Client id is not valid"
    case .jsonMalformed: "Body is not valid JSON"
    case .jsonTooDeep: "JSON is nested too deep"
    case .textMalformed: "Text is not valid UTF-8"
    case .itemInvalid: "Item is not valid"
    case .originForbidden: "Origin is not allowed"
    case .notFound: "No such path"
    case .channelNotFound: "No such channel"
    case .methodNotAllowed: "Method is not allowed"
    case .requestTimeout: "Request did not arrive in time"
    case .idempotencyConflict: "Idempotency key was used with another body"
    case .bodyTooLarge: "Body is too large"
    case .targetTooLong: "Request line is too long"
    case .mediaTypeUnsupported: "Media type is not supported"
    case .contentEncodingUnsupported: "Content encoding is not supported"
    case .expectationFailed: "Expectation cannot be met"
    case .clientAtCapacity: "Too many connections from client"
    case .addressAtCapacity: "Too many connections from address"
    case .channelAtCapacity: "Channel at capacity"
    case .serverAtCapacity: "Server at capacity"
    case .headTooLarge: "Request head is too large"
    case .transferEncodingUnsupported: "Transfer encoding is not supported"
    case .draining: "Server is shutting down"
    case .versionUnsupported: "HTTP version is not supported"
    case .storeFull: "Store is full"
    }
  }
}
