import Holdfast
import HoldfastProtocol
import Logging

extension ServerLoop {
  /// Answers one request, or holds it.
  mutating func respond(
    _ token: Int32, _ request: HTTP1Connection.Request, _ bytes: borrowing Span<UInt8>, at moment: Moment
  ) {
    let head = request.head
    var status = 200
    var isHeld = false
    do throws(Problem) {
      // The origin comes first, so that a page that is allowed can read even a refusal.
      let origin = try settings.origins.check(head, bytes, base: request.start, peer: address(of: token))
      setShape(token) { $0.origin = origin }
      if head.path == head.target, bytes.matches("*", at: head.path.range.shifted(by: request.start)) {
        reply(options("GET, HEAD, POST, DELETE, OPTIONS", origin: origin), to: token, at: moment)
        return
      }
      let route = try Route(request, bytes, prefix: settings.prefix)
      if case .channels = route, head.method != .options, !mayList {
        postpone(token, request.detached(from: bytes))
        return
      }
      if head.method == .options {
        reply(options(route.allow, origin: origin), to: token, at: moment)
        status = 204
      } else if case .poll(let channels) = route {
        try poll(token, request, channels, bytes, at: moment)
        isHeld = hubLoop.isHeld(token)
      } else if case .publish(let channel) = route {
        try publish(token, channel, request, bytes, at: moment)
      } else {
        let reply = try reply(route, request, bytes, at: moment)
        status = reply.status
        self.reply(reply, to: token, isHeadOnly: head.method == .head, at: moment)
      }
    } catch {
      status = error.code.status
      reply(error.reply, to: token, isHeadOnly: head.method == .head, at: moment)
    }
    if settings.logsRequests {
      // The path alone: a query may hold what is nobody else's.
      // Cut, so that the line stays whole.
      let path = bytes.string(head.path.range.shifted(by: request.start).prefix(1024))
      settings.logger.debug(
        "request",
        metadata: ["method": "\(head.method)", "path": "\(path)", "status": "\(isHeld ? "held" : "\(status)")"])
    }
  }

  /// Refuses what the head alone shows will be refused, before the client sends its body.
  func checkHead(
    _ token: Int32, _ request: HTTP1Connection.Request, _ bytes: borrowing Span<UInt8>
  ) throws(Problem) {
    _ = try settings.origins.check(request.head, bytes, base: request.start, peer: address(of: token))
    switch try Route(request, bytes, prefix: settings.prefix) {
    case .publish(let channel) where request.head.method == .post:
      try Self.checkPublishing(request, isDraining: isDraining)
      _ = try Publication(channel, request, bytes)
    case .publishBatch where request.head.method == .post:
      try Self.checkPublishing(request, isDraining: isDraining)
      _ = try MediaType(ofBatch: request, bytes)
    default: break
    }
  }

  private func options(_ allow: StaticString, origin: OriginPolicy.Grant) -> Reply {
    var reply = Reply(status: 204)
    reply.setField("Allow", "\(allow)")
    if origin != .own {
      reply.setField("Access-Control-Allow-Methods", "GET, HEAD, POST, DELETE")
      reply.setField(
        "Access-Control-Allow-Headers", "Authorization, Content-Type, Idempotency-Key, X-Client-ID")
      reply.setField("Access-Control-Max-Age", "600")
    }
    return reply
  }

  /// Whatever is answered without waiting.
  private mutating func reply(
    _ route: Route, _ request: HTTP1Connection.Request, _ bytes: borrowing Span<UInt8>, at moment: Moment
  ) throws(Problem) -> Reply {
    switch route {
    case .poll, .publish: preconditionFailure("these are answered on their own")
    case .publishBatch: return try publishBatch(request, bytes, at: moment)
    case .history(let channel):
      return try history(of: try bytes.channel(channel), try Query(request, bytes), bytes, at: moment)
    case .channels: return try channels(try Query(request, bytes), bytes, at: moment)
    case .channel(let channel):
      let name = try bytes.channel(channel)
      return request.head.method == .delete ? try delete(name) : try self.channel(name, at: moment)
    case .health: return Reply(body: Array(#"{"status":"ok"}"#.utf8))
    case .ready:
      return isDraining
        ? Reply(status: 503, body: Array(#"{"status":"draining"}"#.utf8))
        : Reply(body: Array(#"{"status":"ready"}"#.utf8))
    case .page(let page):
      let known = request.head.noneMatch
      return Pages.reply(
        settings.pages[page], known: known.isAbsent ? nil : bytes.string(known.range.shifted(by: request.start)))
    }
  }
}
