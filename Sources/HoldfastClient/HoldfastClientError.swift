import HoldfastProtocol

/// Why something came to nothing.
public struct HoldfastClientError: Error, Sendable, Equatable {
  /// What a program looks at: the stable `code` of the server's problem, such as `cursor_malformed`; `http_502` and so on for
  /// a status without one; or one of the client's own below.
  public struct Code: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    public let rawValue: String
    public init(rawValue: String) { self.rawValue = rawValue }
    public var description: String { rawValue }

    /// The server's address is not an HTTP URL.
    public static let serverInvalid = Code(rawValue: "server_invalid")
    /// A value cannot be sent: it has no JSON form, or an id, a key or a token holds what no header field may.
    public static let valueInvalid = Code(rawValue: "value_invalid")
    /// No connection, or it broke before the answer's end.
    public static let unreachable = Code(rawValue: "unreachable")
    /// No answer within the client's own deadline.
    public static let timeout = Code(rawValue: "timeout")
    /// An answer with status 200 that is not one of Holdfast's; something else stands at this address.
    public static let answerInvalid = Code(rawValue: "answer_invalid")
    static let cursorMalformed = Code(rawValue: ProblemCode.cursorMalformed.rawValue)
    /// The token provider threw.
    public static let tokenFailed = Code(rawValue: "token_failed")
    /// Polls are answered at once, with nothing or with a log that begins anew each time; they are paced.
    public static let answersEmpty = Code(rawValue: "answers_empty")
    /// The cursor could not be read or kept, or what was kept is none.
    public static let storeFailed = Code(rawValue: "store_failed")
    /// ``HoldfastClient/Configuration/publishQueueMax`` messages wait already; this one was not sent.
    public static let queueFull = Code(rawValue: "queue_full")
    /// A message was sent, no answer told what became of it, and the server may have forgotten its key by now.
    public static let fateUnknown = Code(rawValue: "fate_unknown")
    /// It was told to stop.
    public static let stopped = Code(rawValue: "stopped")
    /// The task was cancelled.
    public static let cancelled = Code(rawValue: "cancelled")
  }

  public let code: Code
  /// One line for a person.
  public let reason: String
  /// What more is known, for a person; may be empty.
  public let detail: String
  /// The HTTP status of an answer that was an error.
  public let status: Int?
  /// How long the server asks to wait.
  public let retryAfter: Duration?

  init(
    _ code: Code, _ reason: String, detail: String = "", status: Int? = nil, retryAfter: Duration? = nil
  ) {
    self.code = code
    self.reason = reason
    self.detail = detail
    self.status = status
    self.retryAfter = retryAfter
  }

  /// Whether the server refused the request, so that asking again cannot help: a 4xx other than 408 and 429.
  public var isRefusal: Bool { status.map { 400..<500 ~= $0 && $0 != 408 && $0 != 429 } ?? false }

  /// Whether the same request may succeed later.
  public var isTransient: Bool {
    status.map { _ in !isRefusal } ?? [.unreachable, .timeout, .answerInvalid, .tokenFailed].contains(code)
  }
}

extension HoldfastClientError: CustomStringConvertible {
  public var description: String { detail.isEmpty ? reason : "\(reason): \(detail)" }
}

extension HoldfastClientError {
  static let cancelled = HoldfastClientError(.cancelled, "Cancelled")
  static let stopped = HoldfastClientError(.stopped, "Stopped")
  static let answersEmpty = HoldfastClientError(
    .answersEmpty, "Polls are answered at once, with no news",
    detail: "by a cache in between, or by servers that share an address and not their messages")

  static func storeFailed(_ error: any Error) -> HoldfastClientError {
    HoldfastClientError(.storeFailed, "The cursor could not be read or kept", detail: "\(error)")
  }

  /// An answer with another status than 200.
  ///
  /// A proxy in between may have written it, so nothing in its body is relied on.
  init(status: Int, body: [UInt8], retryAfter: Duration?) {
    // One of Holdfast's own has its status in it too.
    let problem = (try? Problem(json: body)).flatMap { $0.status == status ? $0 : nil }
    self.init(
      Code(rawValue: problem?.code ?? "http_\(status)"), problem?.error ?? "HTTP status \(status)",
      detail: problem?.detail ?? "the answer is not one of Holdfast's; is this its address, and its path prefix?",
      status: status, retryAfter: retryAfter)
  }

  /// Whether an answer of Holdfast's own said so, and not a proxy's status alone.
  var isProblem: Bool { status.map { code.rawValue != "http_\($0)" } ?? false }
}

/// The body of an error (RFC 9457), as far as a client looks at it.
private struct Problem {
  var status: Int
  var code: String
  var error: String
  var detail: String

  init(json bytes: [UInt8]) throws(JSONReader.Malformed) {
    var reader = JSONReader(bytes)
    var status: Int?
    var code: String?
    var error: String?
    var detail: String?
    try reader.object { (name, reader) throws(JSONReader.Malformed) in
      switch name {
      case "status": status = try reader.integer()
      case "code": code = try reader.string()
      case "error": error = try reader.string()
      case "detail": detail = try reader.string()
      default: try reader.skip()
      }
    }
    guard let status, let code else { throw JSONReader.Malformed(offset: reader.offset) }
    self.status = status
    self.code = code
    self.error = error ?? code
    self.detail = detail ?? ""
  }
}
