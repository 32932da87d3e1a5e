/// Why a request came to nothing.
public struct HoldfastClientError: Error, Sendable, Equatable {
  /// The kind of failure. More may come with later versions.
  public struct Code: Hashable, Sendable, CustomStringConvertible {
    private enum Kind: String {
      case serverInvalid, unreachable, timeout, refused, answerInvalid, cancelled, valueInvalid
    }

    private let kind: Kind
    public var description: String { kind.rawValue }

    /// The server's address is not an HTTP URL.
    public static let serverInvalid = Code(kind: .serverInvalid)
    /// No connection, or it broke before the answer's end.
    public static let unreachable = Code(kind: .unreachable)
    /// No answer within the client's own deadline.
    public static let timeout = Code(kind: .timeout)
    /// The server answered with an error; see ``HoldfastClientError/status`` and ``HoldfastClientError/problem``.
    public static let refused = Code(kind: .refused)
    /// An answer with status 200 that is not one of Holdfast's; something else stands at this address.
    public static let answerInvalid = Code(kind: .answerInvalid)
    /// The task was cancelled.
    public static let cancelled = Code(kind: .cancelled)
    /// A value cannot be sent: it has no JSON form, or an id or a key holds what no header field may.
    public static let valueInvalid = Code(kind: .valueInvalid)
  }

  public let code: Code
  /// One line for a person.
  public let reason: String
  /// What more is known, for a person; may be empty.
  public let detail: String
  /// The HTTP status of an answer that was an error.
  public let status: Int?
  /// The stable `code` of the server's problem, such as `cursor_malformed`; what a program looks at.
  public let problem: String?
  /// How long the server asks to wait.
  public let retryAfter: Duration?

  init(
    _ code: Code, _ reason: String, detail: String = "", status: Int? = nil, problem: String? = nil,
    retryAfter: Duration? = nil
  ) {
    self.code = code
    self.reason = reason
    self.detail = detail
    self.status = status
    self.problem = problem
    self.retryAfter = retryAfter
  }

  /// Whether the same request may succeed later.
  public var isTransient: Bool {
    switch code {
    case .unreachable, .timeout, .answerInvalid: true
    case .refused: status.map { $0 == 408 || $0 == 429 || !(400..<500).contains($0) } ?? false
    default: false
    }
  }
}

extension HoldfastClientError: CustomStringConvertible {
  public var description: String { detail.isEmpty ? reason : "\(reason): \(detail)" }
}

extension HoldfastClientError {
  static let cancelled = HoldfastClientError(.cancelled, "Cancelled")

  /// An answer with another status than 200.
  ///
  /// A proxy in between may have written it, so nothing in its body is relied on.
  init(refusal status: Int, body: [UInt8], retryAfter: Duration?) {
    let problem = try? Problem(json: body)
    self.init(
      .refused, problem?.error ?? "HTTP status \(status)",
      detail: problem?.detail ?? "the answer is not one of Holdfast's; is this its address, and its path prefix?",
      status: status, problem: problem?.code, retryAfter: retryAfter)
  }
}

/// The body of an error (RFC 9457), as far as a client looks at it.
private struct Problem {
  var code: String
  var error: String
  var detail: String

  init(json bytes: [UInt8]) throws(JSONReader.Malformed) {
    var reader = JSONReader(bytes)
    var code: String?
    var error: String?
    var detail: String?
    try reader.object { (name, reader) throws(JSONReader.Malformed) in
      switch name {
      case "code": code = try reader.string()
      case "error": error = try reader.string()
      case "detail": detail = try reader.string()
      default: try reader.skip()
      }
    }
    guard let code else { throw JSONReader.Malformed(offset: reader.offset) }
    self.code = code
    self.error = error ?? code
    self.detail = detail ?? ""
  }
}
