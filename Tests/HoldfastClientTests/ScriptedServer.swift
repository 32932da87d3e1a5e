import NIOCore
import NIOPosix
import Synchronization

/// A server on a free port that does what its script says, one step a request, and then holds every further request.
struct ScriptedServer: Sendable {
  enum Step: Sendable {
    case answer(String, status: Int = 200, headers: [String] = [])
    /// Takes the request and closes without a word.
    case close
    /// Sends the head and half of the body, and closes.
    case half(String)
    /// Bytes that are no HTTP.
    case raw(String)
    case hold
  }

  struct Request: Sendable {
    var target: String
    var fields: [String: String]
    var body: String
  }

  enum Event: Sendable {
    case request(Request)
    /// The client closed the connection of a request that was held.
    case abandoned
  }

  let address: String
  /// What happens, as it happens.
  let events: AsyncStream<Event>
  private let seen: Log

  /// The requests so far.
  var requests: [Request] { seen.requests.withLock { $0 } }

  private final class Log: Sendable {
    let requests = Mutex<[Request]>([])
    let steps: Mutex<ArraySlice<Step>>
    init(_ steps: [Step]) { self.steps = Mutex(steps[...]) }
  }

  static func run(
    _ steps: [Step], _ body: sending (ScriptedServer) async throws -> Void
  ) async throws {
    let (events, told) = AsyncStream<Event>.makeStream()
    let seen = Log(steps)
    let listener = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
      .childChannelOption(.allowRemoteHalfClosure, value: false)
      .bind(host: "127.0.0.1", port: 0) { channel in
        channel.eventLoop.makeCompletedFuture {
          try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
        }
      }
    let server = ScriptedServer(
      address: "http://127.0.0.1:\(listener.channel.localAddress?.port ?? 0)", events: events, seen: seen)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        try await listener.executeThenClose { connections in
          await withDiscardingTaskGroup { group in
            do {
              for try await connection in connections {
                group.addTask { try? await serve(connection, seen, told) }
              }
            } catch {}
          }
        }
      }
      defer { group.cancelAll() }
      try await body(server)
    }
  }

  private static func serve(
    _ connection: NIOAsyncChannel<ByteBuffer, ByteBuffer>, _ seen: Log, _ told: AsyncStream<Event>.Continuation
  ) async throws {
    try await connection.executeThenClose { inbound, outbound in
      var received = ""
      var isHolding = false
      for try await bytes in inbound {
        received += String(buffer: bytes)
        guard let request = request(in: received) else { continue }
        received = ""
        let step = seen.steps.withLock { $0.popFirst() } ?? .hold
        seen.requests.withLock { $0.append(request) }
        told.yield(.request(request))
        switch step {
        case .answer(let body, let status, let headers):
          let head = ["HTTP/1.1 \(status) X", "content-length: \(body.utf8.count)"] + headers
          try await outbound.write(ByteBuffer(string: head.joined(separator: "\r\n") + "\r\n\r\n" + body))
        case .half(let body):
          let head = "HTTP/1.1 200 OK\r\ncontent-length: \(body.utf8.count)\r\n\r\n"
          try await outbound.write(ByteBuffer(string: head + body.prefix(body.count / 2)))
          return
        case .raw(let text):
          try await outbound.write(ByteBuffer(string: text))
          return
        case .close: return
        case .hold: isHolding = true
        }
      }
      if isHolding { told.yield(.abandoned) }
    }
  }

  private static func request(in text: String) -> Request? {
    guard let end = text.firstRange(of: "\r\n\r\n") else { return nil }
    let lines = text[..<end.lowerBound].split(separator: "\r\n")
    let fields = lines.dropFirst().reduce(into: [String: String]()) { fields, line in
      let parts = line.split(separator: ":", maxSplits: 1)
      fields[parts[0].lowercased()] = String(parts[1].drop { $0 == " " })
    }
    let body = String(text[end.upperBound...])
    guard body.utf8.count == fields["content-length"].flatMap(Int.init) ?? 0 else { return nil }
    return Request(target: String(lines[0].split(separator: " ")[1]), fields: fields, body: body)
  }
}

/// A page as the server writes it: messages `id: data` of the channel `news`.
func page(_ messages: [(Int, String)], cursor: String, gap: String? = nil, more: Bool = false) -> String {
  let list = messages.map { #"{"id":"e-\#($0)-t","channel":"news","timestamp":\#($0).5,"data":\#($1)}"# }
  let gaps = gap.map { #""gap":[\#($0)],"# } ?? ""
  return #"{"status":"messages",\#(gaps)"messages":[\#(list.joined(separator: ","))],"count":\#(list.count),"#
    + #""cursor":"\#(cursor)","more":\#(more)}"#
}

let published = #"{"status":"published","message_id":"e-1-t","channel":"news","timestamp":1.5,"subscribers":3}"#
