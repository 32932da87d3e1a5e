import Holdfast
import HoldfastProtocol

extension ServerLoop {
  /// `GET /api/poll/{channels}`: answers at once where there is something to tell, else holds the connection.
  mutating func poll(
    _ token: Int32, _ request: HTTP1Connection.Request, _ path: Range<Int>, _ bytes: borrowing Span<UInt8>,
    at moment: Moment
  ) throws(Problem) {
    var slots =
      bytes.isPlainName(path)
      ? [HubLoop.Slot(try bytes.channel(path), .now)] : try bytes.channels(path).map { HubLoop.Slot($0, .now) }
    let query = try Query(request, bytes)
    let timeout = try query.timeout(bytes, default: settings.pollTimeout, max: settings.pollTimeoutMax)
    var limit = ReadLimit(messages: try query.limit(bytes))
    if try !query.readCursor(bytes, into: &slots), let since = try query.since(bytes) {
      for index in slots.indices { slots[index].start = .since(since) }
      limit.messages = 1
      setShape(token) { $0.form = .simple(since: since.microseconds) }
    }
    let holder = try settings.holders.holder(request.head, bytes, base: request.start, peer: address(of: token))
    if timeout == .zero || isDraining {
      reply(hub.read(slots, limit: limit, at: moment), to: token, at: moment)
      return
    }
    switch hubLoop.poll(token, on: consume slots, limit: limit, holder: holder, at: moment) {
    case .held: hold(token, for: timeout, at: moment)
    case .answer(let answer): reply(answer, to: token, at: moment)
    case .refused(let refusal): throw Problem(refusal)
    }
  }
}

extension Problem {
  /// A limit of held polls. Those refused come back spread over some seconds, not all together.
  fileprivate init(_ refusal: HoldRefusal) {
    let (code, limit): (ProblemCode, String) =
      switch refusal {
      case .client: (.clientAtCapacity, "--connections-per-client-max")
      case .address: (.addressAtCapacity, "--connections-per-address-max")
      case .channel: (.channelAtCapacity, "--connections-per-channel-max")
      case .server: (.serverAtCapacity, "--connections-max")
      }
    self.init(
      code, "as many polls are held as \(limit) allows; poll again later", retryAfter: Int.random(in: 1...5))
  }
}
