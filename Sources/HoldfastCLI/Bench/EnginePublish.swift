import CLinux
import Glibc
import Histogram

extension Bench.Engine {
  mutating func beginPublishing(_ order: Bench.PublishOrder) {
    now = Bench.now()
    published = Bench.Published()
    publishing = Bench.Publishing(order, at: now)
    for index in publishers.indices {
      publishers[index].begun = 0
      publishers[index].backlog.removeAll()
      publishers[index].backlogHead = 0
    }
    phase = .publishing
    publishDue()
  }

  /// Publishers that a channel's order allows: where somebody listens, the messages of one channel all go through one
  /// connection, since two would race each other and the server could not be blamed for their order.
  private var publishersUsed: Int {
    plan.pollsInAll > 0 ? min(publishers.count, publishing.order.channels) : publishers.count
  }

  /// Begins what is due, and ends the order when all is acknowledged.
  mutating func publishDue() {
    let used = publishersUsed
    while case .perSecond = publishing.order.pace, publishing.nextMessage <= min(now, publishing.end - 1),
      !publishing.stopped
    {
      published.latenessMax = max(published.latenessMax, now - publishing.nextMessage)
      let channel = publishing.issued % publishing.order.channels
      publishers[plan.pollsInAll > 0 ? channel % used : publishing.issued % used].backlog.append((channel, now))
      publishing.issued += 1
    }
    var underWay = 0
    for index in 0..<used {
      switch publishers[index].state {
      case .closed: if now >= publishers[index].retryDue { open(publisher: index) }
      case .ready: publishNext(index)
      case .connecting, .waiting: break
      }
      if publishers[index].state == .waiting { underWay += 1 }
      underWay += publishers[index].backlog.count - publishers[index].backlogHead
    }
    checkReachable(used)
    guard publishing.isOver(now), underWay == 0 || publishing.stopped || now > publishing.giveUp else { return }
    for index in 0..<used {
      if publishers[index].state == .waiting { fail(publisher: index, "no answer in time") }
      published.unsent += publishers[index].backlog.count - publishers[index].backlogHead
    }
    published.seconds = Double(Bench.now() - publishing.start) / 1e9
    published.last = last
    finish(published: published)
  }

  /// A server that has been gone for three seconds will not come back for this run.
  private mutating func checkReachable(_ used: Int) {
    let reachable = publishers[0..<used].contains { $0.state == .ready || $0.state == .waiting }
    if reachable { publishing.unreachableSince = 0 }
    if !reachable, publishing.unreachableSince == 0 { publishing.unreachableSince = now }
    if !reachable, now - publishing.unreachableSince > 3_000_000_000 {
      publishing.stopped = true
      published.isUnreachable = true
    }
  }

  private mutating func open(publisher index: Int) {
    let source = plan.source(of: plan.pollsInAll + 5 + index)
    let descriptor = clinux_connect_ipv4(source, plan.address, plan.port)
    let tag = Self.publisherTag + UInt64(index)
    guard descriptor >= 0, clinux_epoll_add(epoll, descriptor, EPOLLOUT.rawValue, tag) == 0 else {
      return fail(publisher: index, Bench.words(errno))
    }
    publishers[index].descriptor = descriptor
    publishers[index].state = .connecting
  }

  mutating func publisherReady(_ index: Int) {
    let descriptor = publishers[index].descriptor
    let tag = Self.publisherTag + UInt64(index)
    switch publishers[index].state {
    case .closed: return
    case .connecting:
      let reason = clinux_socket_error(descriptor)
      guard reason == 0, clinux_epoll_modify(epoll, descriptor, EPOLLIN.rawValue, tag) == 0 else {
        return fail(publisher: index, Bench.words(reason))
      }
      publishers[index].state = .ready
      publishNext(index)
    case .waiting where !publishers[index].rest.isEmpty: send(publishers[index].rest, from: index)
    case .ready, .waiting:
      switch receive(descriptor, tag: tag) {
      case .incomplete: return
      // A server may close a connection that is idle.
      case .closed where publishers[index].state == .ready: close(publisher: index)
      case .closed(let why): fail(publisher: index, why)
      case .malformed(let why): fail(publisher: index, why)
      case .answer(let answer, let bytes): acknowledged(index, answer, bytes)
      }
    }
  }

  private mutating func acknowledged(_ index: Int, _ answer: Bench.HTTPAnswer, _ bytes: UnsafeRawBufferPointer) {
    let time = Bench.now()
    guard publishers[index].state == .waiting else { return fail(publisher: index, "an answer came unasked") }
    publishers[index].state = .ready
    if (200..<300).contains(answer.status) {
      published.acknowledged += 1
      tally.acknowledged += 1
      published.expected += plan.listeners(of: publishers[index].channel)
      _ = published.latency.record(min(time - publishers[index].sentAt, Bench.Latencies.max))
    } else {
      refused(answer, bytes, "publish")
      void(index)
    }
    if answer.closes {
      close(publisher: index)
      open(publisher: index)
    } else {
      publishNext(index)
    }
  }

  /// Sends the publisher's next message, where there is one.
  private mutating func publishNext(_ index: Int) {
    guard case .publishing = phase, index < publishersUsed else { return }
    var channel = 0
    var time: UInt64 = 0
    if publishers[index].backlogHead < publishers[index].backlog.count {
      (channel, time) = publishers[index].backlog[publishers[index].backlogHead]
      publishers[index].backlogHead += 1
    } else {
      time = Bench.now()
      guard case .acknowledged = publishing.order.pace, !publishing.isOver(time) else { return }
      channel = nextChannel(index)
      publishing.issued += 1
    }
    publishers[index].begun += 1
    last[channel] += 1
    Bench.Payload(time: time, sequence: last[channel], channel: UInt32(channel)).stamp(&payload)
    wire.writePublish(channel: channel, payload: payload, to: &outbox)
    publishers[index].channel = channel
    publishers[index].sequence = last[channel]
    publishers[index].sentAt = time
    publishers[index].state = .waiting
    send(outbox.bytes, from: index)
  }

  /// Sends what the socket takes; the rest follows when it takes more.
  private mutating func send(_ bytes: [UInt8], from index: Int) {
    let count = transmit(bytes, to: publishers[index].descriptor)
    guard count >= 0 else { return fail(publisher: index, Bench.words(errno)) }
    let hadRest = !publishers[index].rest.isEmpty
    guard hadRest || count < bytes.count else { return }
    publishers[index].rest = Array(bytes[count...])
    let events = count < bytes.count ? EPOLLOUT.rawValue : EPOLLIN.rawValue
    let tag = Self.publisherTag + UInt64(index)
    _ = clinux_epoll_modify(epoll, publishers[index].descriptor, events, tag)
  }

  /// The channels in turn; each publisher has its own where somebody listens.
  private func nextChannel(_ index: Int) -> Int {
    let channels = publishing.order.channels
    guard plan.pollsInAll > 0 else { return publishing.issued % channels }
    let used = publishersUsed
    let own = channels / used + (index < channels % used ? 1 : 0)
    return index + used * (publishers[index].begun % own)
  }

  /// Nobody can be owed a message of which it is not known whether it was published.
  private mutating func void(_ index: Int) {
    published.failed += 1
    published.voids.insert(UInt64(publishers[index].channel) << 32 | UInt64(publishers[index].sequence))
  }

  private mutating func close(publisher index: Int) {
    if publishers[index].descriptor >= 0 { Glibc.close(publishers[index].descriptor) }
    publishers[index].descriptor = -1
    publishers[index].rest = []
    publishers[index].state = .closed
    partials[Self.publisherTag + UInt64(index)] = nil
  }

  private mutating func fail(publisher index: Int, _ why: String) {
    tally.troubles.connections += 1
    tally.troubles.sample("publish: \(why)")
    if publishers[index].state == .waiting { void(index) }
    close(publisher: index)
    publishers[index].retryDue = now + 100_000_000
  }
}
