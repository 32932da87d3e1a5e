import CLinux
import Glibc
import Histogram

extension Bench {
  /// One worker's loop: all its connections on one epoll instance, in one thread.
  ///
  /// ```
  ///  parent ── orders ──► control ─► phase ─┐
  ///                                         ▼
  ///  epoll ─► polls[i]       request ⇄ answer ─► ledger, latencies
  ///        └► publishers[i]  message ⇄ acknowledgement
  /// ```
  ///
  /// A connection is a row of a flat array, and its number is epoll's tag. No request and no answer allocates: one
  /// buffer is read into, one is written from, and an answer that comes in pieces is kept aside until it is whole. So
  /// the generator costs little more than the kernel does, and is not what it measures.
  struct Engine: ~Copyable {
    let plan: Plan
    let wire: Wire
    let epoll: Int32
    var polls: [Poll]
    /// The position of each poll, as its next request carries it: rows of `positionBytesMax`.
    var positions: [UInt8]
    var publishers: [Publisher]
    var ledger: Ledger
    /// The last number used on each channel.
    var last: [UInt32]
    var published = Published()
    var publishing: Publishing
    var latency = Latencies.empty()
    var answers = 0
    var cpuStart = 0.0
    var tally = Tally()
    var phase = Phase.idle
    /// The polls that are to be connected first, from this one on.
    var unopened: Int
    /// Polls that shall be tried again, each a fixed time after its failure and so in order.
    var retries = Retries()
    var partials: [UInt64: [UInt8]] = [:]
    var inbox: UnsafeMutableRawBufferPointer
    var outbox = Outbox()
    var position = Outbox()
    var payload: [UInt8]
    var now = Bench.now()
    var progressDue: UInt64 = 0
    var control: LineReader

    static let positionBytesMax = 192
    static let controlTag = UInt64.max
    static let publisherTag: UInt64 = 1 << 32
    static let retryNanoseconds: UInt64 = 500_000_000

    enum Phase {
      case idle
      case connecting(giveUp: UInt64)
      case publishing
      case draining(last: [UInt32], voids: Set<UInt64>, grace: UInt64, giveUp: UInt64, check: UInt64, seen: Int)
    }

    struct Poll {
      enum State: UInt8 { case closed, connecting, held }
      var descriptor: Int32 = -1
      var state = State.closed
      var positionLength: UInt8 = 0
      var channel: UInt32
    }

    init(_ plan: Plan, control: LineReader) {
      self.plan = plan
      self.control = control
      wire = Wire(plan)
      epoll = clinux_epoll_create()
      polls = plan.polls.map { Poll(channel: UInt32($0 % plan.channels)) }
      positions = Array(repeating: 0, count: plan.polls.count * Self.positionBytesMax)
      publishers = (0..<plan.publishers).map { _ in Publisher() }
      ledger = Ledger(polls: plan.polls.count)
      last = Array(repeating: 0, count: plan.publishers > 0 ? plan.channels : 0)
      publishing = Publishing(PublishOrder(pace: .acknowledged, channels: 1, messages: 0, seconds: 0), at: 0)
      unopened = plan.polls.count
      inbox = .allocate(byteCount: 2 << 20, alignment: 16)
      payload = Payload.template(bytes: plan.payloadBytes)
    }

    deinit { inbox.deallocate() }

    /// Serves the parent until it closes the pipe.
    mutating func run() {
      _ = clinux_epoll_add(epoll, STDIN_FILENO, EPOLLIN.rawValue, Self.controlTag)
      let events = UnsafeMutableBufferPointer<epoll_event>.allocate(capacity: 64)
      defer { events.deallocate() }
      // An order may have come along with the plan.
      guard takeOrders() else { return }
      while true {
        now = Bench.now()
        let count = clinux_epoll_wait(epoll, events.baseAddress, 64, timeout())
        guard count >= 0 else { return }
        for event in events[0..<Int(count)] {
          let tag = event.data.u64
          if tag == Self.controlTag {
            guard readOrders() else { return }
          } else if tag >= Self.publisherTag {
            publisherReady(Int(tag - Self.publisherTag))
          } else {
            pollReady(Int(tag))
          }
        }
        now = Bench.now()
        turn()
      }
    }

    /// How long nothing is to be done, in nanoseconds; negative: until something comes.
    private func timeout() -> Int64 {
      var due = UInt64.max
      if unopened < polls.count { due = now + 1_000_000 }
      if let retry = retries.due { due = min(due, retry) }
      switch phase {
      case .idle: break
      case .connecting: due = min(due, now + 10_000_000)
      case .publishing: due = min(due, publishing.due(now))
      case .draining(_, _, _, _, let check, _): due = min(due, check)
      }
      if !isIdle { due = min(due, progressDue) }
      return due == .max ? -1 : due <= now ? 0 : Int64(due - now)
    }

    private var isIdle: Bool { if case .idle = phase { true } else { false } }

    /// Does what is due between two rounds of events.
    private mutating func turn() {
      var opened = 0
      while unopened < polls.count, opened < 16 {
        open(poll: unopened)
        unopened += 1
        opened += 1
      }
      while let poll = retries.next(now) { open(poll: poll) }
      switch phase {
      case .idle: return
      case .connecting(let giveUp): if tally.held == polls.count || now > giveUp { finish() }
      case .publishing: publishDue()
      case .draining: checkDrained()
      }
      if !isIdle, now >= progressDue {
        progressDue = now + 500_000_000
        say(WorkerEvent(kind: .progress, tally: tally))
      }
    }

    /// Reads what a ready connection has into the inbox, behind what it had before.
    mutating func receive(_ descriptor: Int32, tag: UInt64) -> Received {
      var kept = 0
      if !partials.isEmpty, let partial = partials.removeValue(forKey: tag) {
        inbox.copyBytes(from: partial)
        kept = partial.count
      }
      let count = recv(descriptor, inbox.baseAddress! + kept, inbox.count - kept, 0)
      guard count > 0 else {
        if count < 0, errno == EAGAIN || errno == EINTR {
          if kept > 0 { partials[tag] = Array(inbox[0..<kept]) }
          return .incomplete
        }
        return .closed(count == 0 ? "the server closed a connection" : Bench.words(errno))
      }
      let bytes = UnsafeRawBufferPointer(rebasing: inbox[0..<(kept + count)])
      switch HTTPAnswer.read(bytes) {
      case .complete(let answer): return .answer(answer, bytes)
      case .malformed(let why): return .malformed(why)
      case .incomplete:
        guard bytes.count < inbox.count else { return .malformed("an answer is longer than 2 MiB") }
        partials[tag] = Array(bytes)
        return .incomplete
      }
    }

    enum Received {
      case answer(HTTPAnswer, UnsafeRawBufferPointer)
      case incomplete
      case closed(String)
      case malformed(String)
    }

    /// Sends what the socket takes, and says how much that was; -1 on an error.
    func transmit(_ bytes: [UInt8], to descriptor: Int32) -> Int {
      let count = bytes.withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
      return count < 0 && errno == EAGAIN ? 0 : count
    }

    mutating func refused(_ answer: HTTPAnswer, _ bytes: UnsafeRawBufferPointer, _ request: StaticString) {
      tally.troubles.statuses[answer.status, default: 0] += 1
      tally.troubles.sample(
        "\(request): \(answer.status) \(String(decoding: bytes[answer.body].prefix(160), as: UTF8.self))")
    }
  }

  /// The system's words for an `errno`.
  static func words(_ code: Int32) -> String { String(cString: strerror(code)) }
}
