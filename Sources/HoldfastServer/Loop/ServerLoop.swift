import DequeModule
import Holdfast
import HoldfastProtocol
import Logging

/// The whole server, but for I/O: what one event loop does with the connections it owns. It is the same above any driver;
/// the driver tells it what came and what time it is, and does what ``Transport`` says.
///
///     driver ─ opened, received, drained, closed, tick, collect ─► ServerLoop ─ send, shutdownOutput, close ─► driver
///                                                               │
///                                            HTTP1Connection ◄──┴──► HubLoop
///
/// A connection is a row in an array, indexed by token. Rows, waiters and timers hold no object a connection, and a held
/// poll keeps no bytes. Time is counted in ticks of ``tickNanoseconds``.
struct ServerLoop<Driver: Transport>: ~Copyable {
  static var tickNanoseconds: Int64 { 100_000_000 }

  enum State: Equatable {
    /// There is no such connection.
    case free
    /// Ready for a request, or reading one.
    case open
    /// A poll of it waits in the hub.
    case held
    /// It has not taken an answer yet; nothing more is read meanwhile.
    case sending
    /// Its next request, the first of its queue, is too dear to be answered in this tick; nothing more is read meanwhile.
    case postponed
    /// The last answer is given; what still comes is read and dropped, so that the answer arrives (a close with unread
    /// input would reset the connection and take the answer with it).
    case finishing
  }

  struct Row {
    // In this order it takes 64 bytes.
    var http: HTTP1Connection
    /// Of the answer being waited for or sent.
    var shape = AnswerShape()
    var state = State.free
    /// Whether the client has ended its side while it takes an answer.
    var isEnded = false
    var address: Address
    /// Requests that came behind a held poll.
    var queue: RequestQueue?
  }

  private struct Encoded {
    var answer: Answer
    var shape: AnswerShape
    var bytes: [UInt8]
  }

  var driver: Driver
  let settings: LoopSettings
  let hub: Hub
  var hubLoop: HubLoop
  private(set) var rows: ContiguousArray<Row> = []
  private var timers: TimerWheel
  private(set) var openCount = 0
  private(set) var drain: Drain?
  private var isCollecting = false
  /// How many channels lists may still look at. It grows with each tick, so that whoever asks for lists of many channels,
  /// over whatever number of connections, takes a share of this thread and not all of it.
  private var listAllowance: Int
  /// Connections whose lists have to wait, in order.
  private var postponed: Deque<Int32> = []
  /// Of requests that have not come whole.
  private var partialBytes = 0
  /// The last answer that was given at once: a crowd that comes back with one cursor is given the same one.
  private var recent: Encoded?
  /// Where the JSON of answers is made, before their heads are.
  private var body: [UInt8] = []
  private static var bytesKeptMax: Int { 64 << 10 }
  /// Where all answers are made that are not shared.
  private var output: [UInt8] = []
  /// The fields that all answers have, made once a second for their `Date`.
  private var common: (unix: Int64, fields: [UInt8]) = (-1, [])
  /// Kept between collects, so that their memory is.
  private var batch = HubLoop.Batch()
  private var answerBytes: [UInt8] = []

  init(driver: Driver, settings: LoopSettings, hub: Hub, at moment: Moment, wake: @escaping @Sendable () -> Void) {
    self.driver = driver
    self.settings = settings
    self.hub = hub
    hubLoop = HubLoop(hub: hub, wake: wake)
    listAllowance = settings.listedPerTick
    timers = TimerWheel(now: Self.tick(moment))
  }

  static func tick(_ moment: Moment) -> UInt32 { UInt32(truncatingIfNeeded: moment.uptime / tickNanoseconds) }

  /// Whether ``collect(at:)`` has to run at the end of this turn.
  var hasNews: Bool { hubLoop.hasNews }
  var isDraining: Bool { drain != nil }

  // MARK: Connections

  mutating func opened(_ token: Int32, from address: Address, at moment: Moment) {
    let tick = Self.tick(moment)
    let http = HTTP1Connection(at: tick, limits: settings.http)
    while rows.count <= Int(token) { rows.append(Row(http: http, address: address)) }
    rows[Int(token)] = Row(http: http, state: .open, address: address)
    openCount += 1
    timers.arm(token, at: http.deadline)
  }

  /// The client has gone, or the connection broke.
  mutating func closed(_ token: Int32) {
    if rows[Int(token)].state == .free { return }
    hubLoop.cancel(token)
    partialBytes -= rows[Int(token)].http.bytesKept
    rows[Int(token)].state = .free
    rows[Int(token)].isEnded = false
    rows[Int(token)].queue = nil
    rows[Int(token)].shape = AnswerShape()
    rows[Int(token)].http = HTTP1Connection(at: 0, limits: settings.http)
    timers.disarm(token)
    openCount -= 1
  }

  private mutating func close(_ token: Int32) {
    closed(token)
    driver.close(token)
  }

  /// The client has ended its side: it may still listen, but what it sent before is all that it asks. An answer that has
  /// begun is sent whole, and so are those to what came behind it; a held poll must not wait for who may be gone.
  mutating func ended(_ token: Int32) {
    switch rows[Int(token)].state {
    case .free: break
    case .sending, .postponed: rows[Int(token)].isEnded = true
    case .open, .held, .finishing: close(token)
    }
  }

  /// Bytes came.
  mutating func received(_ token: Int32, _ input: borrowing Span<UInt8>, at moment: Moment) {
    let index = Int(token)
    let tick = Self.tick(moment)
    // Only of one who has ended its side something may come while it is sent to. What is too much is as if it had not come.
    let isSending = rows[index].state == .sending || rows[index].state == .postponed
    if isSending && (rows[index].isEnded || isCrowded(index)) {
      rows[index].isEnded = true
      return
    }
    if let queue = rows[index].queue, queue.appendRest(input) {
      if rows[index].state == .held && isCrowded(index) { answerEarly(token, at: moment) }
      return
    }
    var offset = 0
    while rows[index].state != .free && rows[index].state != .finishing {
      let before = rows[index].http.bytesKept
      let event = rows[index].http.next(input, &offset, at: tick, limits: settings.http)
      partialBytes += rows[index].http.bytesKept - before
      switch event {
      case .needsMore where partialBytes > settings.partialBytesMax && rows[index].state == .open:
        let detail = "more requests than there is memory for have come in part; send this one again later"
        refuse(
          token, HTTP1Refusal(code: .serverAtCapacity, detail: detail), origin: settings.origins.unknown, at: moment)
        return
      case .needsMore:
        if rows[index].state == .open { timers.arm(token, at: rows[index].http.deadline) }
        if rows[index].state == .held && isCrowded(index) {
          answerEarly(token, at: moment)
          continue
        }
        return
      case .sendContinue(let request):
        // Behind a held poll the client goes on by itself after a while, as RFC 9110 tells it to.
        if rows[index].state == .open { askForBody(token, request, at: moment) }
      case .request(let request) where request.head.asksForUpgrade && !isDraining && driver.handsOver:
        var bytes = request.bytes ?? input.array(request.headRange)
        bytes += input.array(offset..<input.count)
        if rows[index].state == .open { handOver(token, bytes) } else { enqueue(.upgrade(bytes), token, at: moment) }
        return
      case .preface(let bytes, let refusal):
        if !isDraining && driver.handsOver {
          handOver(token, bytes)
        } else {
          refuse(token, refusal, origin: settings.origins.unknown, at: moment)
        }
        return
      case .request(let request):
        if rows[index].state == .open {
          handle(token, request, input, at: moment)
        } else {
          enqueue(.request(request.detached(from: input)), token, at: moment)
        }
      case .refused(let refusal, let request):
        let origin = origin(of: request, input, peer: rows[index].address)
        if rows[index].state == .open {
          refuse(token, refusal, origin: origin, at: moment)
        } else {
          enqueue(.refusal(refusal, origin), token, at: moment)
        }
        return
      }
    }
  }

  /// Leaves a connection to the driver beside this one, which answers what is in `bytes`.
  private mutating func handOver(_ token: Int32, _ bytes: [UInt8]) {
    closed(token)
    driver.handOver(token, bytes)
  }

  /// All that was kept for a slow client has been sent.
  mutating func drained(_ token: Int32, at moment: Moment) {
    guard rows[Int(token)].state == .sending else { return }
    driver.setReading(true, token)
    // What was not read meanwhile did not come slowly.
    rows[Int(token)].http.restart(at: Self.tick(moment), limits: settings.http)
    answered(token, at: moment)
    answerQueued(token, at: moment)
    if rows[Int(token)].isEnded { ended(token) }
  }

  // MARK: Lists

  /// Whether a list of channels may be made in this tick.
  var mayList: Bool { listAllowance > 0 }

  /// Notes what a list has looked at.
  mutating func listed(_ count: Int) { listAllowance -= count }

  /// Lets a request wait for a tick in which it is its turn.
  mutating func postpone(_ token: Int32, _ request: HTTP1Connection.Request) {
    if rows[Int(token)].queue == nil { rows[Int(token)].queue = RequestQueue() }
    rows[Int(token)].queue!.prepend(.request(request))
    rows[Int(token)].state = .postponed
    driver.setReading(false, token)
    postponed.append(token)
  }

  private mutating func answerPostponed(at moment: Moment) {
    listAllowance = min(settings.listedPerTick, listAllowance + settings.listedPerTick)
    for _ in 0..<postponed.count where mayList {
      guard let token = postponed.popFirst(), rows[Int(token)].state == .postponed else { continue }
      rows[Int(token)].state = .open
      driver.setReading(true, token)
      rows[Int(token)].http.restart(at: Self.tick(moment), limits: settings.http)
      timers.arm(token, at: rows[Int(token)].http.deadline)
      answerQueued(token, at: moment)
      if rows[Int(token)].isEnded { ended(token) }
    }
  }

  // MARK: Pipelining

  private mutating func enqueue(_ item: RequestQueue.Item, _ token: Int32, at moment: Moment) {
    let index = Int(token)
    if rows[index].queue == nil { rows[index].queue = RequestQueue() }
    rows[index].queue!.append(item)
    if rows[index].state == .held && isCrowded(index) { answerEarly(token, at: moment) }
  }

  /// Whether more waits behind a held poll than may.
  private func isCrowded(_ index: Int) -> Bool {
    guard let queue = rows[index].queue else { return rows[index].http.bytesKept > RequestQueue.bytesMax }
    return queue.count > RequestQueue.countMax || queue.bytes + rows[index].http.bytesKept > RequestQueue.bytesMax
  }

  /// Answers a held poll as if its time-out had passed.
  private mutating func answerEarly(_ token: Int32, at moment: Moment) {
    guard let answer = hubLoop.timeOut(token, at: moment) else { return }
    reply(answer, to: token, at: moment)
    answerQueued(token, at: moment)
  }

  /// Goes on with what came behind an answered poll.
  private mutating func answerQueued(_ token: Int32, at moment: Moment) {
    let index = Int(token)
    let none: [UInt8] = []
    while rows[index].state == .open, let queue = rows[index].queue {
      guard let item = queue.popFirst() else {
        rows[index].queue = nil
        return
      }
      switch item {
      case .request(let request): handle(token, request, none.span, at: moment)
      case .refusal(let refusal, let origin): refuse(token, refusal, origin: origin, at: moment)
      case .upgrade(let bytes):
        rows[index].queue = nil
        // A server that is about to end gives no connection away, but answers as if no upgrade were asked for; so does one
        // that has no room for it.
        if isDraining || !driver.handsOver { received(token, bytes.span, at: moment) } else { handOver(token, bytes) }
      }
    }
  }

  // MARK: Answers

  private mutating func handle(
    _ token: Int32, _ request: HTTP1Connection.Request, _ input: borrowing Span<UInt8>, at moment: Moment
  ) {
    rows[Int(token)].shape = AnswerShape(closes: !request.head.isKeptAlive || isDraining)
    if let bytes = request.bytes {
      respond(token, request, bytes.span, at: moment)
    } else {
      respond(token, request, input, at: moment)
    }
  }

  /// Tells the client to send its body, unless what has come is refused already.
  private mutating func askForBody(_ token: Int32, _ request: HTTP1Connection.Request, at moment: Moment) {
    guard let bytes = request.bytes else { return }
    do throws(Problem) {
      try checkHead(token, request, bytes.span)
      _ = driver.send(Array("HTTP/1.1 100 Continue\r\n\r\n".utf8), to: token)
    } catch {
      // Whether the body comes all the same nobody knows, so nothing more is read as a request.
      let origin = origin(of: request, bytes.span, peer: rows[Int(token)].address)
      rows[Int(token)].shape = AnswerShape(origin: origin, closes: true)
      reply(error.reply, to: token, at: moment)
    }
  }

  private mutating func refuse(
    _ token: Int32, _ refusal: HTTP1Refusal, origin: OriginPolicy.Grant, at moment: Moment
  ) {
    rows[Int(token)].shape = AnswerShape(origin: origin, closes: true)
    reply(Problem(refusal.code, refusal.detail).reply, to: token, at: moment)
  }

  /// Whose pages may read the refusal of a request that has come as far as its head, or, where there is none, less far.
  private func origin(
    of request: HTTP1Connection.Request?, _ input: borrowing Span<UInt8>, peer: Address
  ) -> OriginPolicy.Grant {
    guard let request else { return settings.origins.unknown }
    let origins = settings.origins
    if let bytes = request.bytes {
      return (try? origins.check(request.head, bytes.span, base: request.start, peer: peer)) ?? .own
    }
    return (try? origins.check(request.head, input, base: request.start, peer: peer)) ?? .own
  }

  /// The answer to a connection that there is no room for.
  mutating func refusal(_ code: ProblemCode, at moment: Moment) -> [UInt8] {
    let detail = "as many connections are open as there may be; connect again later"
    let shape = AnswerShape(origin: settings.origins.unknown, closes: true)
    write(Problem(code, detail, retryAfter: Int.random(in: 1...5)).reply, shape, at: moment)
    return output
  }

  mutating func setShape(_ token: Int32, _ change: (inout AnswerShape) -> Void) { change(&rows[Int(token)].shape) }

  func address(of token: Int32) -> Address { rows[Int(token)].address }

  mutating func reply(_ reply: Reply, to token: Int32, isHeadOnly: Bool = false, at moment: Moment) {
    write(reply, rows[Int(token)].shape, isHeadOnly: isHeadOnly, at: moment)
    send(output, to: token, at: moment)
  }

  /// Answers a publish.
  mutating func reply(_ receipt: Receipt, _ channel: ChannelName, to token: Int32, at moment: Moment) {
    if receipt.isRepeated {
      var reply = Reply()
      reply.body.writeReceipt(receipt, channel)
      reply.setField("Idempotency-Replayed", "true")
      self.reply(reply, to: token, at: moment)
      return
    }
    Self.clear(&body)
    body.writeReceipt(receipt, channel)
    Self.clear(&output)
    refreshCommon(at: moment)
    let shape = rows[Int(token)].shape
    output.writeHead(
      bodyCount: body.count, common: common.fields, origin: settings.origins.text(shape.origin), closes: shape.closes)
    output.append(contentsOf: body)
    send(output, to: token, at: moment)
  }

  private mutating func write(
    _ reply: Reply, _ shape: AnswerShape, isHeadOnly: Bool = false, at moment: Moment
  ) {
    refreshCommon(at: moment)
    Self.clear(&output)
    output.writeHead(
      status: reply.status, contentType: reply.contentType, bodyCount: reply.body.count, common: common.fields,
      fields: reply.fields, mayBeKept: reply.mayBeKept, origin: settings.origins.text(shape.origin),
      closes: shape.closes)
    if !isHeadOnly { output.append(contentsOf: reply.body) }
  }

  private static func clear(_ bytes: inout [UInt8]) {
    bytes.removeAll(keepingCapacity: bytes.capacity <= bytesKeptMax)
  }

  mutating func hold(_ token: Int32, for timeout: Duration, at moment: Moment) {
    rows[Int(token)].state = .held
    timers.arm(token, at: Self.tick(moment) &+ LoopSettings.ticks(timeout) &+ 1)
  }

  /// Answers a poll. Who calls goes on with what came behind it: here, each of a queue of polls would take a stack frame.
  mutating func reply(_ answer: Answer, to token: Int32, at moment: Moment) {
    let shape = rows[Int(token)].shape
    if recent == nil || recent!.shape != shape || recent!.answer != answer {
      var bytes: [UInt8] = []
      encode(answer, shape, into: &bytes, at: moment)
      recent = Encoded(answer: answer, shape: shape, bytes: bytes)
    }
    send(recent!.bytes, to: token, at: moment)
  }

  private mutating func encode(
    _ answer: Answer, _ shape: AnswerShape, into bytes: inout [UInt8], at moment: Moment
  ) {
    Self.clear(&body)
    body.write(answer, as: shape.form)
    Self.clear(&bytes)
    refreshCommon(at: moment)
    bytes.writeHead(
      bodyCount: body.count, common: common.fields, origin: settings.origins.text(shape.origin), closes: shape.closes)
    bytes.append(contentsOf: body)
  }

  private mutating func send(_ bytes: [UInt8], to token: Int32, at moment: Moment) {
    if driver.send(bytes, to: token) {
      answered(token, at: moment)
    } else {
      rows[Int(token)].state = .sending
      driver.setReading(false, token)
      timers.arm(token, at: Self.tick(moment) &+ settings.sendTicks)
    }
  }

  private mutating func answered(_ token: Int32, at moment: Moment) {
    let index = Int(token)
    if rows[index].shape.closes {
      rows[index].state = .finishing
      rows[index].queue = nil
      driver.shutdownOutput(token)
      timers.arm(token, at: Self.tick(moment) &+ LoopSettings.finishTicks)
    } else {
      rows[index].state = .open
      rows[index].http.restartIdle(at: Self.tick(moment), limits: settings.http)
      timers.arm(token, at: rows[index].http.deadline)
    }
  }

  private mutating func refreshCommon(at moment: Moment) {
    let seconds = moment.unix / 1_000_000
    if common.unix == seconds { return }
    common = (seconds, [])
    common.fields.write(Reply.noStore)
    common.fields.write("X-Content-Type-Options: nosniff\r\nDate: ")
    common.fields.append(contentsOf: HTTPDate.text(seconds))
    common.fields.write("\r\n")
  }

  // MARK: Turns

  /// Sends each poll its answer that news has made due. Those with the same answer in the same shape share its bytes.
  mutating func collect(at moment: Moment) {
    // What is answered may have publishes behind it; their news is taken along by the loop below.
    if isCollecting { return }
    isCollecting = true
    var batch = HubLoop.Batch()
    swap(&batch, &self.batch)
    var bytes: [UInt8] = []
    swap(&bytes, &answerBytes)
    while hubLoop.collect(into: &batch, at: moment) {
      // What `bytes` holds: an answer in a shape, made once for all who are given it one after the other.
      var made: (answer: Int32, shape: AnswerShape)?
      for delivery in batch.deliveries {
        let (token, answer) = (delivery.token, delivery.answer)
        // Nothing else answers a poll between, but a waiter that is none would be answered out of turn.
        if rows[Int(token)].state != .held { continue }
        let shape = rows[Int(token)].shape
        if made?.answer != answer || made?.shape != shape {
          encode(batch.answers.span[Int(answer)], shape, into: &bytes, at: moment)
          made = (answer, shape)
        }
        send(bytes, to: token, at: moment)
        answerQueued(token, at: moment)
      }
    }
    self.batch = batch
    Self.clear(&bytes)
    answerBytes = bytes
    isCollecting = false
  }

  /// Time has passed: to be called once a tick.
  mutating func tick(at moment: Moment) {
    let now = Self.tick(moment)
    for token in timers.advance(to: now) {
      let row = rows[Int(token)]
      switch row.state {
      case .free: break
      case .open where Int32(bitPattern: row.http.deadline &- now) > 0: timers.arm(token, at: row.http.deadline)
      case .open where row.http.isMidRequest:
        let origin = origin(of: row.http.unfinished, Span(), peer: row.address)
        refuse(token, row.http.timeout, origin: origin, at: moment)
      case .held: answerEarly(token, at: moment)
      case .postponed: break
      case .open, .sending, .finishing: close(token)
      }
    }
    // Nobody is to be given an old date, nor memory to be held for it.
    recent = nil
    answerPostponed(at: moment)
    goOnDraining(at: moment)
  }

  // MARK: Shutting down

  /// Begins to answer held polls, a share each tick, and to close connections.
  mutating func beginDrain(window: Duration) {
    if drain == nil { drain = Drain(ticksLeft: max(1, LoopSettings.ticks(window))) }
  }

  private mutating func goOnDraining(at moment: Moment) {
    guard var drain else { return }
    var share = (hubLoop.heldCount + Int(drain.ticksLeft) - 1) / Int(drain.ticksLeft)
    while share > 0, drain.hand < rows.count {
      if rows[drain.hand].state == .held {
        rows[drain.hand].shape.closes = true
        answerEarly(Int32(drain.hand), at: moment)
        share -= 1
      }
      drain.hand += 1
    }
    if drain.ticksLeft > 1 {
      drain.ticksLeft -= 1
    } else {
      drain.hand = 0
      for index in rows.indices where rows[index].state == .open && !rows[index].http.isMidRequest {
        rows[index].shape.closes = true
        answered(Int32(index), at: moment)
      }
    }
    self.drain = drain
  }

  /// Closes whatever is left.
  mutating func closeAll() {
    for index in rows.indices where rows[index].state != .free { close(Int32(index)) }
  }
}

/// How far the answering of held polls at the end has come.
struct Drain {
  var ticksLeft: UInt32
  /// The next row to look at.
  var hand = 0
}
