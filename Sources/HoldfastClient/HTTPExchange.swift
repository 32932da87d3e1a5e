public import AsyncHTTPClient
import HoldfastProtocol
import NIOCore
import NIOHTTP1

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

extension HTTPClient {
  /// The HTTP client that a ``HoldfastClient`` uses unless it is given another; one for the process.
  ///
  /// It differs from `HTTPClient.shared` where held polls need it to: any number of connections to one server, since a
  /// held poll occupies one and must not keep a publish waiting, and no reconnecting of its own beneath the client's.
  public static let holdfast: HTTPClient = {
    var configuration = HTTPClient.Configuration()
    configuration.timeout.connect = .seconds(10)
    configuration.connectionPool.retryConnectionEstablishment = false
    configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 1 << 16
    return HTTPClient(eventLoopGroup: HTTPClient.defaultEventLoopGroup, configuration: configuration)
  }()
}

/// One request and its whole answer, or a ``HoldfastClientError``: the only place that knows the HTTP client.
struct HTTPExchange: Sendable {
  /// An answer that is longer is not one of Holdfast's: a page holds 1 MiB of data, or one message.
  static let answerBytesMax = 16 << 20

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

  let httpClient: HTTPClient
  let clientID: String
  let timing: ClientTiming

  /// - Parameter deadline: for all of it, from the connection to the answer's last byte.
  func answer(to request: HTTPClientRequest, deadline: Duration) async throws(HoldfastClientError) -> Answer {
    var request = request
    request.headers.replaceOrAdd(name: WireHeader.clientID, value: clientID)
    let complete = request
    do {
      return try await withThrowingTaskGroup(of: Answer?.self) { group in
        group.addTask { try await perform(complete) }
        group.addTask {
          try await timing.deadline(deadline)
          return nil
        }
        defer { group.cancelAll() }
        guard let first = try await group.next(), let answer = first else {
          throw HoldfastClientError(
            .timeout, "The server did not answer in time", detail: "waited \(deadline.wireSeconds) s")
        }
        return answer
      }
    } catch {
      throw Self.clientError(error)
    }
  }

  private func perform(_ request: HTTPClientRequest) async throws -> Answer {
    // The HTTP client's own deadline ends with the answer's head; the caller's holds for the body too.
    let response = try await httpClient.execute(request, deadline: .distantFuture)
    let body = try await response.body.collect(upTo: Self.answerBytesMax)
    let bytes = Array(body.readableBytesView)
    guard response.status == .ok else {
      let retryAfter = response.headers.first(name: WireHeader.retryAfter)
      throw HoldfastClientError(
        refusal: Int(response.status.code), body: bytes, retryAfter: retryAfter.flatMap(Self.seconds))
    }
    let isReplay = response.headers.first(name: WireHeader.idempotencyReplayed) == "true"
    return Answer(body: bytes, isReplay: isReplay)
  }

  /// A `Retry-After` in seconds. Its other form, a date, needs clocks that agree, and is left alone.
  static func seconds(_ field: String) -> Duration? {
    guard !field.isEmpty, field.utf8.count < 10, field.utf8.allSatisfy({ 0x30...0x39 ~= $0 }) else { return nil }
    return Int(field).map { .seconds($0) }
  }

  private static func clientError(_ error: any Error) -> HoldfastClientError {
    if let error = error as? HoldfastClientError { return error }
    if Task.isCancelled || error is CancellationError { return .cancelled }
    switch error {
    case let error as HTTPClientError where error == .invalidURL || error == .emptyHost || error == .emptyScheme:
      return HoldfastClientError(.serverInvalid, "The server's address is not valid", detail: "\(error)")
    case let error as HTTPClientError
    where error.shortDescription == HTTPClientError.invalidHeaderFieldValues([]).shortDescription:
      return HoldfastClientError(.valueInvalid, "An id or a key cannot be sent", detail: "it holds a control character")
    case is NIOTooManyBytesError:
      return HoldfastClientError(
        .answerInvalid, "The answer is not one of Holdfast's", detail: "longer than \(answerBytesMax >> 20) MiB")
    case let error as HTTPClientError:
      return HoldfastClientError(.unreachable, "The server cannot be reached", detail: error.shortDescription)
    case let error as IOError:
      let text = String(cString: strerror(error.errnoCode))
      return HoldfastClientError(.unreachable, "The server cannot be reached", detail: text)
    default:
      return HoldfastClientError(.unreachable, "The server cannot be reached", detail: "\(error)")
    }
  }
}
