/// A ``Transport`` over sockets that one epoll watches.
///
/// A connection is a row of twelve bytes, and its token the row's index. What epoll reports bears the row's generation,
/// which moves on when the connection ends: an event that was already under way for one that was closed meanwhile is
/// known by it, and never taken for one of the connection that has its row, or its descriptor, by now.
///
/// Bytes go to the kernel at once. What it does not take is kept in ``Backlogs``, and only while there is some does epoll
/// report that there is room.
struct EpollTransport: Transport {
  private struct Flags: OptionSet {
    var rawValue: UInt8
    static let isOpen = Flags(rawValue: 1)
    static let isReading = Flags(rawValue: 2)
    static let hasBacklog = Flags(rawValue: 4)
  }

  private struct Row {
    /// Of a free row, the next free one.
    var descriptor: Int32
    var generation: UInt32
    var flags: Flags
  }

  private let epoll: Int32
  private let annex: NIOAnnex?
  private var rows: ContiguousArray<Row> = []
  private var firstFree: Int32 = -1
  private var backlogs: Backlogs
  /// Tokens that ended and are not free yet. With bytes, the connection goes on elsewhere.
  private(set) var ended: [(token: Int32, socket: Int32, bytes: [UInt8]?)] = []

  init(epoll: Int32, backlogBytesMax: Int, annex: NIOAnnex? = nil) {
    self.epoll = epoll
    self.annex = annex
    backlogs = Backlogs(bytesMax: backlogBytesMax)
  }

  // MARK: What the reactor does

  /// Begins to watch a connection, whose descriptor is the transport's from then on.
  /// - Returns: nil where the system watches no more.
  mutating func add(_ descriptor: Int32) -> Int32? {
    let token = firstFree >= 0 ? firstFree : Int32(rows.count)
    let generation = firstFree >= 0 ? rows[Int(token)].generation : 0
    let row = Row(descriptor: descriptor, generation: generation, flags: [.isOpen, .isReading])
    guard Linux.watch(epoll, descriptor, for: Self.interest(row.flags), tag: Self.tag(token, row.generation)) else {
      return nil
    }
    if firstFree >= 0 {
      firstFree = rows[Int(token)].descriptor
      rows[Int(token)] = row
    } else {
      rows.append(row)
    }
    return token
  }

  /// Whose an event is; nil where that connection has ended.
  func token(of tag: UInt64) -> Int32? {
    let index = Int(UInt32(truncatingIfNeeded: tag))
    guard index < rows.count, rows[index].flags.contains(.isOpen), rows[index].generation == tag >> 32 else {
      return nil
    }
    return Int32(index)
  }

  func isReading(_ token: Int32) -> Bool { rows[Int(token)].flags.contains(.isReading) }

  func receive(_ token: Int32, into buffer: inout [UInt8]) -> Linux.Received {
    Linux.receive(rows[Int(token)].descriptor, into: &buffer)
  }

  /// There is room for output.
  /// - Returns: Whether the backlog is gone with that.
  mutating func flush(_ token: Int32) -> Bool {
    let index = Int(token)
    let descriptor = rows[index].descriptor
    guard rows[index].flags.contains(.hasBacklog) else { return false }
    switch backlogs.flush(token, { Linux.send(descriptor, $0, from: $1) }) {
    case .none:
      giveUp(token)
      return false
    case .some(false): return false
    case .some(true):
      change(token) { $0.remove(.hasBacklog) }
      return true
    }
  }

  /// Gives back the row of a token that ended.
  mutating func free(_ token: Int32) {
    rows[Int(token)].descriptor = firstFree
    firstFree = token
  }

  mutating func takeEnded() -> [(token: Int32, socket: Int32, bytes: [UInt8]?)] {
    defer { ended.removeAll(keepingCapacity: true) }
    return ended
  }

  // MARK: What the loop asks for

  mutating func send(_ bytes: [UInt8], to token: Int32) -> Bool {
    let index = Int(token)
    var sent = 0
    if !rows[index].flags.contains(.hasBacklog) {
      guard let count = Linux.send(rows[index].descriptor, bytes) else {
        giveUp(token)
        return true
      }
      if count == bytes.count { return true }
      sent = count
    }
    backlogs.append(bytes, from: sent, to: token)
    change(token) { $0.insert(.hasBacklog) }
    for slow in backlogs.removeOldest() { giveUp(slow) }
    return false
  }

  mutating func setReading(_ isReading: Bool, _ token: Int32) {
    change(token) { if isReading { $0.insert(.isReading) } else { $0.remove(.isReading) } }
  }

  mutating func shutdownOutput(_ token: Int32) {
    assert(!rows[Int(token)].flags.contains(.hasBacklog))
    Linux.shutdownOutput(rows[Int(token)].descriptor)
  }

  mutating func close(_ token: Int32) {
    Linux.close(rows[Int(token)].descriptor)
    backlogs.remove(token)
    end(token)
  }

  var handsOver: Bool { annex?.isReady() ?? false }

  mutating func handOver(_ token: Int32, _ bytes: [UInt8]) {
    // A loop that waits for a client to take an answer deals with no request, so nothing is left to be sent.
    assert(!rows[Int(token)].flags.contains(.hasBacklog))
    Linux.unwatch(epoll, rows[Int(token)].descriptor)
    end(token, bytes)
  }

  private mutating func end(_ token: Int32, _ bytes: [UInt8]? = nil) {
    rows[Int(token)].flags = []
    rows[Int(token)].generation &+= 1
    ended.append((token, rows[Int(token)].descriptor, bytes))
  }

  // MARK: Rows

  /// Breaks a connection, so that epoll reports its end: nothing may be told to the loop from here.
  private mutating func giveUp(_ token: Int32) {
    backlogs.remove(token)
    change(token) { $0.remove(.hasBacklog) }
    Linux.shutdownAll(rows[Int(token)].descriptor)
  }

  /// Changes flags, and what epoll watches for where that depends on them.
  private mutating func change(_ token: Int32, _ body: (inout Flags) -> Void) {
    let index = Int(token)
    let before = Self.interest(rows[index].flags)
    body(&rows[index].flags)
    let after = Self.interest(rows[index].flags)
    if after == before { return }
    Linux.rewatch(epoll, rows[index].descriptor, for: after, tag: Self.tag(token, rows[index].generation))
  }

  private static func interest(_ flags: Flags) -> Linux.Readiness {
    var interest: Linux.Readiness = []
    // The end of input is met when what comes before it is read.
    if flags.contains(.isReading) { interest.formUnion([.input, .endOfInput]) }
    if flags.contains(.hasBacklog) { interest.insert(.output) }
    return interest
  }

  private static func tag(_ token: Int32, _ generation: UInt32) -> UInt64 {
    UInt64(generation) << 32 | UInt64(UInt32(bitPattern: token))
  }
}
