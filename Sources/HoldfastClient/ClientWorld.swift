/// All that a client has of the world: time, chance, names that nobody else has, and HTTP. Its tests put another in its
/// place, and run the whole client in virtual time.
struct ClientWorld: Sendable {
  /// A point on a clock that never goes back.
  var now: @Sendable () -> Duration
  /// Waits, or throws as soon as the task is cancelled.
  var sleep: @Sendable (Duration) async throws -> Void
  /// Waits for the end of the time that a request has; likewise.
  var deadline: @Sendable (Duration) async throws -> Void
  /// From 0 to 1.
  var random: @Sendable () -> Double
  /// A text that nobody else makes.
  var newID: @Sendable () -> String
  /// Sends a request, and returns with the head of its answer. It ends as soon as the task is cancelled.
  var send: @Sendable (WireRequest) async throws -> WireResponse
  /// Where the tasks run that the client makes; `nil`: where all do.
  var executor: (any TaskExecutor)?
}

/// A request, as far as the client is concerned.
struct WireRequest: Sendable {
  enum Method: Sendable { case get, post }

  var method = Method.get
  var url: String
  var fields: [(name: String, value: String)] = []
  var body: [UInt8] = []
}

/// The head of an answer, and the way to the rest of it.
struct WireResponse: Sendable {
  var status: Int
  /// The value of a header field by its name in lower case, as ``WireHeader`` has it.
  var field: @Sendable (String) -> String?
  var body: @Sendable () async throws -> [UInt8]
}

extension Duration {
  /// So long that nobody waits for its end, but for what ends the wait.
  static let centuries = Duration.seconds(1 << 33)
}
