/// The paths of protocol version 1.
///
/// All but ``health`` and ``ready`` stand under a prefix: `/api/poll/news` is ``prefixDefault``, ``poll`` and a channel.
public enum WirePath {
  /// The prefix unless configured. A prefix begins with `/` and does not end with one.
  public static let prefixDefault = "/api"
  public static let poll: StaticString = "/poll"
  public static let publish: StaticString = "/publish"
  public static let history: StaticString = "/history"
  public static let channels: StaticString = "/channels"
  /// Answers while the process serves; outside the prefix.
  public static let health: StaticString = "/healthz"
  /// Answers 200 until the server drains; outside the prefix.
  public static let ready: StaticString = "/readyz"
  /// The JavaScript client, its types, and a page that uses it; outside the prefix.
  public static let module: StaticString = "/client.js"
  public static let types: StaticString = "/client.d.ts"
  public static let example: StaticString = "/example"
}

/// The query parameters.
public enum WireParameter {
  public static let after = "after"
  public static let cursor = "cursor"
  public static let limit = "limit"
  public static let prefix = "prefix"
  public static let since = "since"
  public static let timeout = "timeout"
  public static let ttl = "ttl"
}

/// The header fields that are Holdfast's own or that both sides look at, in lower case: HTTP compares them so.
public enum WireHeader {
  public static let authorization = "authorization"
  public static let clientID = "x-client-id"
  public static let contentType = "content-type"
  public static let idempotencyKey = "idempotency-key"
  public static let idempotencyReplayed = "idempotency-replayed"
  public static let retryAfter = "retry-after"
}

/// The media types of bodies and answers.
public enum WireMediaType {
  public static let json = "application/json"
  public static let ndjson = "application/x-ndjson"
  public static let problem = "application/problem+json"
  public static let text = "text/plain"
}
