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

extension ClientWorld {
  static func system(_ httpClient: HTTPClient) -> ClientWorld {
    let start = ContinuousClock.now
    return ClientWorld(
      now: { ContinuousClock.now - start },
      sleep: { try await Task.sleep(for: $0) },
      deadline: { try await Task.sleep(for: $0) },
      random: { Double.random(in: 0...1) },
      newID: {
        let digits = String(UInt128.random(in: .min ... .max), radix: 16)
        return String(repeating: "0", count: 32 - digits.count) + digits
      },
      send: { try await HTTPTransport(httpClient: httpClient).send($0) })
  }
}

/// The only place that knows the HTTP client.
struct HTTPTransport: Sendable {
  /// An answer that is longer is not one of Holdfast's: a page holds 1 MiB of data, or one message.
  static let answerBytesMax = 16 << 20

  let httpClient: HTTPClient

  func send(_ request: WireRequest) async throws -> WireResponse {
    var outgoing = HTTPClientRequest(url: request.url)
    outgoing.method = request.method == .post ? .POST : .GET
    for field in request.fields { outgoing.headers.add(name: field.name, value: field.value) }
    if request.method == .post { outgoing.body = .bytes(ByteBuffer(bytes: request.body)) }
    do {
      // The exchange has deadlines of its own.
      let response = try await httpClient.execute(outgoing, deadline: .distantFuture)
      return WireResponse(
        status: Int(response.status.code), field: { response.headers.first(name: $0) },
        body: { try await Self.body(of: response) })
    } catch {
      throw Self.clientError(error)
    }
  }

  private static func body(of response: HTTPClientResponse) async throws -> [UInt8] {
    do {
      return Array(try await response.body.collect(upTo: answerBytesMax).readableBytesView)
    } catch {
      throw clientError(error)
    }
  }

  private static func clientError(_ error: any Error) -> HoldfastClientError {
    if Task.isCancelled || error is CancellationError { return .cancelled }
    switch error {
    case let error as HTTPClientError where error == .invalidURL || error == .emptyHost || error == .emptyScheme:
      return HoldfastClientError(.serverInvalid, "The server's address is not valid", detail: "\(error)")
    case let error as HTTPClientError
    where error.shortDescription == HTTPClientError.invalidHeaderFieldValues([]).shortDescription:
      return HoldfastClientError(
        .valueInvalid, "An id, a key or a token cannot be sent", detail: "it holds a control character")
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
