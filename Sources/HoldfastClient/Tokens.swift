import Synchronization

/// The token that requests carry, shared by all requests of a client, so that one question to the provider serves them all.
///
/// The provider is asked for a fresh token once between two good answers. A token that was refused meanwhile to another
/// request is no reason to ask again.
final class Tokens: Sendable {
  /// A token with its number, by which a request that was refused says which one it had.
  struct Token: Sendable {
    var number: Int
    var text: String
  }

  private struct State {
    var number = 0
    var current: Task<String, any Error>?
    /// Whether the provider was asked for a fresh one since the last good answer.
    var isFresh = false
  }

  private let provider: TokenProvider
  private let executor: (any TaskExecutor)?
  private let state = Mutex(State())

  init(_ provider: @escaping TokenProvider, executor: (any TaskExecutor)?) {
    self.provider = provider
    self.executor = executor
  }

  /// The current one, or the one that the provider gives, for which it does not wait when the task is cancelled.
  func token() async throws -> Token {
    let provider = provider
    let (number, task) = state.withLock { state -> (Int, Task<String, any Error>) in
      if let current = state.current { return (state.number, current) }
      state.number += 1
      let task = Task(executorPreference: executor) { [isFresh = state.isFresh] in
        try await provider(isFresh)
      }
      state.current = task
      return (state.number, task)
    }
    let (results, continuation) = AsyncStream<Result<String, any Error>>.makeStream()
    Task(executorPreference: executor) {
      continuation.yield(await task.result)
      continuation.finish()
    }
    for await result in results {
      switch result {
      case .success(let text): return Token(number: number, text: text)
      case .failure(let error):
        drop(number)
        throw HoldfastClientError(.tokenFailed, "The token provider failed", detail: "\(error)")
      }
    }
    // Nobody waits any longer. One that never answers is not to be waited for the next time.
    drop(number)
    throw CancellationError()
  }

  private func drop(_ number: Int) {
    state.withLock { if $0.number == number { $0.current = nil } }
  }

  /// A good answer came.
  func accepted() { state.withLock { $0.isFresh = false } }

  /// The server answered 401. Returns whether to repeat the request with another token.
  func refused(_ token: Token) -> Bool {
    state.withLock { state in
      // Another request has seen to it meanwhile.
      guard state.number == token.number, state.current != nil else { return true }
      state.current = nil
      defer { state.isFresh = true }
      return !state.isFresh
    }
  }
}
