import CLinux
import Glibc
import Histogram

extension Bench.Engine {
  /// Connects a poll; its request is sent once the connection stands.
  mutating func open(poll index: Int) {
    let source = plan.source(of: plan.polls.lowerBound + index)
    let descriptor = clinux_connect_ipv4(source, plan.address, plan.port)
    guard descriptor >= 0, clinux_epoll_add(epoll, descriptor, EPOLLOUT.rawValue, UInt64(index)) == 0 else {
      let reason = errno
      if descriptor >= 0 { Glibc.close(descriptor) }
      fail(poll: index, Bench.words(reason))
      return
    }
    polls[index].descriptor = descriptor
    polls[index].state = .connecting
  }

  mutating func pollReady(_ index: Int) {
    switch polls[index].state {
    case .closed: return
    case .connecting:
      let reason = clinux_socket_error(polls[index].descriptor)
      guard reason == 0, clinux_epoll_modify(epoll, polls[index].descriptor, EPOLLIN.rawValue, UInt64(index)) == 0
      else { return fail(poll: index, Bench.words(reason)) }
      ask(index)
    case .held:
      switch receive(polls[index].descriptor, tag: UInt64(index)) {
      case .incomplete: return
      case .closed(let why): fail(poll: index, why)
      case .malformed(let why):
        tally.troubles.malformed += 1
        tally.troubles.sample(why)
        close(poll: index)
        retry(index)
      case .answer(let answer, let bytes): answered(index, answer, bytes)
      }
    }
  }

  /// Sends the poll's next request.
  private mutating func ask(_ index: Int) {
    let start = index * Self.positionBytesMax
    let position = positions[start..<(start + Int(polls[index].positionLength))]
    wire.writePoll(channel: Int(polls[index].channel), position: position, to: &outbox)
    // A socket that has nothing under way takes so little whole.
    guard transmit(outbox.bytes, to: polls[index].descriptor) == outbox.bytes.count else {
      return fail(poll: index, Bench.words(errno))
    }
    if polls[index].state != .held { tally.held += 1 }
    polls[index].state = .held
  }

  /// Takes an answer: its messages into the ledger, its position into the next request, which goes out at once.
  private mutating func answered(_ index: Int, _ answer: Bench.HTTPAnswer, _ bytes: UnsafeRawBufferPointer) {
    let kind = wire.kind(of: answer, in: bytes)
    switch kind {
    case .refused:
      refused(answer, bytes, "poll")
      // The connection is good still, but to ask again at once would answer a refusal with a flood.
      close(poll: index)
      return retry(index)
    case .timeout: tally.troubles.timeouts += 1
    case .messages: note(UnsafeRawBufferPointer(rebasing: bytes[answer.body]), at: index)
    }
    if wire.hasGap(answer, in: bytes) { tally.troubles.gaps += 1 }
    if wire.readPosition(answer, in: bytes, into: &position) {
      guard position.bytes.count <= Self.positionBytesMax else {
        tally.troubles.malformed += 1
        tally.troubles.sample("a cursor is longer than \(Self.positionBytesMax) bytes")
        close(poll: index)
        return retry(index)
      }
      remember(index)
    } else if kind == .messages {
      tally.troubles.malformed += 1
      tally.troubles.sample("an answer to a poll has no cursor")
    }
    if answer.closes {
      close(poll: index)
      open(poll: index)
    } else {
      ask(index)
    }
  }

  /// Copies the position that was read into the poll's row.
  private mutating func remember(_ index: Int) {
    let start = index * Self.positionBytesMax
    let length = position.bytes.count
    for offset in 0..<length { positions[start + offset] = position.bytes[offset] }
    polls[index].positionLength = UInt8(length)
  }

  private mutating func note(_ body: UnsafeRawBufferPointer, at index: Int) {
    let time = Bench.now()
    answers += 1
    var offset = 0
    while let message = Bench.Payload.next(in: body, from: &offset) {
      guard message.channel == polls[index].channel, ledger.isPlausible(message.sequence, at: index) else {
        tally.troubles.misdirected += 1
        continue
      }
      tally.received += 1
      if ledger.note(message.sequence, at: index) {
        _ = latency.record(min(time - min(message.time, time), Bench.Latencies.max))
      }
    }
  }

  mutating func close(poll index: Int) {
    guard polls[index].descriptor >= 0 else { return }
    if polls[index].state == .held { tally.held -= 1 }
    Glibc.close(polls[index].descriptor)
    polls[index].descriptor = -1
    polls[index].state = .closed
    if !partials.isEmpty { partials[UInt64(index)] = nil }
  }

  /// Notes a connection that broke or could not be made, and tries again a little later.
  private mutating func fail(poll index: Int, _ why: String) {
    tally.troubles.connections += 1
    tally.troubles.sample("poll: \(why)")
    close(poll: index)
    retry(index)
  }

  private mutating func retry(_ index: Int) { retries.add(index, due: now + Self.retryNanoseconds) }

  /// Opens every poll anew, asking only for what comes next.
  mutating func connectAll() {
    position.clear()
    position.append(wire.firstPosition)
    for index in polls.indices { remember(index) }
    unopened = 0
  }

  mutating func disconnectAll() {
    unopened = polls.count
    retries.removeAll()
    for index in polls.indices { close(poll: index) }
  }
}
