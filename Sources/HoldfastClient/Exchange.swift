import HoldfastProtocol

/// One request and its whole answer, or a ``HoldfastClientError``: with the token, the deadlines, and the meaning of each
/// status.
struct Exchange: Sendable {
  /// How long the rest of an answer may take, once it has begun.
  static let bodyTimeout = Duration.seconds(30)

  /// An answer with status 200.
  struct Answer: Sendable {
    var body: [UInt8]
    var isReplay: Bool

    /// Reads the body; what is not the JSON asked for makes the answer invalid.
    func read<Value>(
      _ decode: ([UInt8]) throws(JSONReader.Malformed) -> Value
    ) throws(HoldfastClientError) -> Value {
      do {
        return try decode(body)
      } catch {
        throw HoldfastClientError(
          .answerInvalid, "The answer is not one of Holdfast's", detail: "unexpected at byte \(error.offset) of it")
      }
    }
  }

  let world: ClientWorld
  let clientID: String
  let tokens: Tokens?

  /// - Parameter deadline: for the answer to begin; its end may come 30 s later.
  func answer(to request: WireRequest, deadline: Duration) async throws(HoldfastClientError) -> Answer {
    var request = request
    request.fields.append((WireHeader.clientID, clientID))
    while true {
      let (token, answer) = try await attempt(request, deadline: deadline)
      switch answer {
      case .success(let answer):
        tokens?.accepted()
        return answer
      case .failure(let error):
        guard error.status == 401, let token, let tokens, tokens.refused(token) else { throw error }
      }
    }
  }

  private func attempt(
    _ request: WireRequest, deadline: Duration
  ) async throws(HoldfastClientError) -> (Tokens.Token?, Result<Answer, HoldfastClientError>) {
    do {
      var request = request
      var token: Tokens.Token?
      if let tokens {
        let given = try await within(deadline, else: .tokenFailed, "The token provider did not answer in time") {
          try await tokens.token()
        }
        request.fields.append((WireHeader.authorization, "Bearer " + given.text))
        token = given
      }
      let response = try await within(deadline) { [request] in try await world.send(request) }
      let body = try await within(Self.bodyTimeout) { try await response.body() }
      guard response.status == 200 else {
        let retryAfter = response.field(WireHeader.retryAfter).flatMap(Self.seconds)
        return (token, .failure(HoldfastClientError(status: response.status, body: body, retryAfter: retryAfter)))
      }
      let isReplay = response.field(WireHeader.idempotencyReplayed) == "true"
      return (token, .success(Answer(body: body, isReplay: isReplay)))
    } catch {
      guard !Task.isCancelled, let error = error as? HoldfastClientError else { throw .cancelled }
      throw error
    }
  }

  private func within<Value: Sendable>(
    _ limit: Duration, else code: HoldfastClientError.Code = .timeout,
    _ reason: String = "The server did not answer in time", _ body: @escaping @Sendable () async throws -> Value
  ) async throws -> Value {
    try await withThrowingTaskGroup(of: Value?.self) { group in
      group.addTask { try await body() }
      group.addTask {
        try await world.deadline(limit)
        return nil
      }
      defer { group.cancelAll() }
      guard let first = try await group.next(), let value = first else {
        throw HoldfastClientError(
          code, reason, detail: "waited \(limit.wireSeconds) s")
      }
      return value
    }
  }

  /// A `Retry-After` in seconds. Its other form, a date, needs clocks that agree, and is left alone.
  static func seconds(_ field: String) -> Duration? {
    guard !field.isEmpty, field.utf8.count < 10, field.utf8.allSatisfy({ 0x30...0x39 ~= $0 }) else { return nil }
    return Int(field).map { .seconds($0) }
  }
}
