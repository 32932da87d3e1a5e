/// One HTTP connection of a test: sends any bytes, reads answers one after another.
final class Connection {
  /// How long a test waits for what should come at once. Long, since tests share two cores with load tests.
  static let patience = Duration.seconds(20)

  fileprivate let socket: RawSocket
  fileprivate var received = ByteQueue()
  fileprivate var isClosed = false
  /// When the last byte was handed over; what `took` in a conformance case is counted from.
  private(set) var lastSent = ContinuousClock.now

  init(port: UInt16, from source: String? = nil, receiveBufferBytes: Int32? = nil) throws {
    socket = try RawSocket(port: port, from: source, receiveBufferBytes: receiveBufferBytes)
  }

  /// Sends all of `bytes`, reading on meanwhile: a server may answer (and close) before it has read everything.
  func send(_ bytes: [UInt8], within bound: Duration = patience) throws {
    let deadline = Deadline.after(bound)
    var rest = bytes[...]
    while !rest.isEmpty, !isClosed {
      let sent: Int
      do { sent = try socket.sendSome(rest) } catch {
        // The server closed while we sent. What it said before that is what the test is about.
        try receiveUntilClosed(deadline)
        break
      }
      rest = rest.dropFirst(sent)
      if sent == 0 {
        guard socket.wait(orRoomToSend: true, until: deadline) else { throw Failure("cannot send within \(bound)") }
        try receiveOnce()
      }
    }
    lastSent = .now
  }

  func send(_ text: String) throws { try send(Array(text.utf8)) }

  /// Reads the next answer. `bodiless`: the answer to a HEAD, which has no body whatever its Content-Length says.
  func answer(bodiless: Bool = false, within bound: Duration = patience) throws -> Answer {
    let deadline = Deadline.after(bound)
    while true {
      if let answer = try Answer(from: &received, bodiless: bodiless, isClosed: isClosed) { return answer }
      if isClosed { throw Failure("the server closed without an answer; it sent \(received.preview)") }
      guard socket.wait(until: deadline) else {
        throw Failure("no answer within \(bound); so far it sent \(received.preview)")
      }
      try receiveOnce()
    }
  }

  /// Throws when anything comes, or the server closes, within `bound`.
  func expectSilence(for bound: Duration) throws {
    guard received.isEmpty, !isClosed else { throw Failure("expected silence, got \(received.preview)") }
    let deadline = Deadline.after(bound)
    while socket.wait(until: deadline) {
      try receiveOnce()
      guard received.isEmpty, !isClosed else { throw Failure("expected silence, got \(received.preview)") }
    }
  }

  /// Throws unless the server closes, sending nothing more, within `bound`.
  func expectClose(within bound: Duration = patience) throws {
    let deadline = Deadline.after(bound)
    while !isClosed {
      guard received.isEmpty else { throw Failure("expected a close, got \(received.preview)") }
      guard socket.wait(until: deadline) else { throw Failure("the server does not close within \(bound)") }
      try receiveOnce()
    }
    guard received.isEmpty else { throw Failure("expected a close, got \(received.preview)") }
  }

  func close() { socket.close() }
  func reset() throws { try socket.reset() }

  fileprivate func receiveOnce() throws {
    switch try socket.receiveSome() {
    case .bytes(let bytes): received.append(bytes)
    case .nothingYet: break
    case .closed: isClosed = true
    }
  }

  private func receiveUntilClosed(_ deadline: Deadline) throws {
    while !isClosed, socket.wait(until: deadline) { try receiveOnce() }
  }
}

extension Connection {
  /// Reads `count` answers without looking into them, for tests that ask hundreds of thousands of times.
  /// An answer that is an error still fails: only the answers of 200 are counted.
  func skipAnswers(_ count: Int) throws {
    let deadline = Deadline.after(Connection.patience)
    var found = 0
    while found < count {
      found += received.dropThroughLast(Array("HTTP/1.1 200 ".utf8))
      guard !isClosed, found == count || socket.wait(until: deadline) else {
        throw Failure("\(found) answers of 200 instead of \(count); then \(received.preview)")
      }
      if found < count { try receiveOnce() }
    }
    // The last answer's head is counted; the rest of it is still to come.
    received.putBack(Array("HTTP/1.1 200 ".utf8))
    _ = try answer()
  }
}
