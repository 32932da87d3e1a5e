import Holdfast
import HoldfastProtocol

/// One thread of the server: a ``ServerLoop`` over an epoll. It waits for what comes, has the loop deal with it, and waits
/// again.
///
///     listener ─► accept ─┐                        ┌─► send, close (EpollTransport)
///     sockets ──► read ───┼─► ServerLoop ──────────┤
///     eventfd ──► orders ─┘   collect, tick        └─► rows that ended are freed
///
/// A turn is one return of `epoll_wait`, and has one reading of the clocks. What was published in it is delivered once at
/// its end, so that a burst costs each waiter one answer. All connections are read into one buffer, since the loop keeps
/// only what it has to.
struct Reactor: ~Copyable {
  private static let eventsPerTurn = 512
  private static let readBytesMax = 64 << 10
  /// Reads of one connection in a turn, so that one who sends without end does not keep others waiting.
  private static let readsPerTurn = 4
  /// Without a connection there is nothing to time; this bounds what the loop's wheel has to catch up with.
  private static let restNanoseconds: Int64 = 60_000_000_000

  private var loop: ServerLoop<EpollTransport>
  private let epoll: Int32
  private let handle: ReactorHandle
  /// Of all reactors, this one among them.
  private let handles: [ReactorHandle]
  private let budget: ConnectionBudget
  private let annex: NIOAnnex
  private var acceptor: Acceptor
  private var events = Linux.Events(capacity: eventsPerTurn)
  private var input = [UInt8](repeating: 0, count: readBytesMax)
  private var clock = LoopClock()
  /// The uptime at which the loop's next tick is due.
  private var nextTick: Int64 = 0
  /// Turns in which a tick that is late was put off.
  private var putOff = 0
  private var isStopped = false

  /// Runs the reactor with `index` on this thread until it is told to stop. It lets go of everything before it returns.
  static func run(
    _ index: Int, of handles: [ReactorHandle], listener: consuming ListeningSocket, settings: LoopSettings, hub: Hub,
    budget: ConnectionBudget, annex: NIOAnnex
  ) {
    var reactor = Reactor(
      index, of: handles, listener: listener, settings: settings, hub: hub, budget: budget, annex: annex)
    while !reactor.isStopped { reactor.turn() }
    // Not before: behind the order to stop there may have been another to take a connection.
    reactor.loop.closeAll()
    reactor.settle()
  }

  private init(
    _ index: Int, of handles: [ReactorHandle], listener: ListeningSocket, settings: LoopSettings, hub: Hub,
    budget: ConnectionBudget, annex: NIOAnnex
  ) {
    let handle = handles[index]
    epoll = handle.epoll.number
    self.handle = handle
    self.handles = handles
    self.budget = budget
    self.annex = annex
    acceptor = Acceptor(listener, epoll: epoll)
    let transport = EpollTransport(epoll: epoll, backlogBytesMax: settings.backlogBytesMax, annex: annex)
    loop = ServerLoop(driver: transport, settings: settings, hub: hub, at: .now()) { handle.wake() }
  }

  private mutating func turn() {
    let count = Linux.wait(epoll, &events, nanoseconds: patience)
    let moment = clock.now()
    var isWoken = false
    for index in 0..<count {
      let (tag, ready) = events[index]
      switch tag {
      case ReactorHandle.wakeUpTag: isWoken = true
      case Acceptor.tag: accept(Acceptor.perTurn, at: moment)
      default: handle(tag, ready, at: moment)
      }
    }
    if isWoken {
      handle.clear()
      for order in handle.takeOrders() { obey(order, at: moment) }
    }
    if moment.uptime >= nextTick { tickUnlessBehind(at: moment) }
    if isWoken || loop.hasNews {
      loop.collect(at: moment)
      settle()
    }
  }

  private mutating func obey(_ order: ReactorHandle.Order, at moment: Moment) {
    switch order {
    case .take(let socket, let address): open(socket, from: address, at: moment)
    case .dropNew: acceptor.dropNew()
    case .stopListening(let done):
      // Who waits there has been told by the system that there is a connection. (Its queue takes one more than it says.)
      acceptor.resume()
      if !acceptor.isLeft { accept(Int(ListeningSocket.backlog) + 1, at: moment) }
      acceptor.stop()
      done.resume()
    case .beginDrain(let window): loop.beginDrain(window: window)
    case .stop:
      acceptor.stop()
      isStopped = true
    }
  }

  // MARK: Time

  /// How long to wait for events, in nanoseconds.
  private var patience: Int64 {
    loop.openCount == 0 && !acceptor.isPaused ? Self.restNanoseconds : max(0, nextTick - Moment.uptimeNow())
  }

  /// Ticks. But after a pause, of this thread or of the whole machine, what came meanwhile is looked at before anybody is told
  /// that it did not come in time; so a tick that is late by its period is put off, once for each turn that takes.
  private mutating func tickUnlessBehind(at moment: Moment) {
    let isBehind = moment.uptime - nextTick > ServerLoop<EpollTransport>.tickNanoseconds
    if isBehind && nextTick > 0 && putOff <= loop.openCount / Self.eventsPerTurn {
      putOff += 1
    } else {
      putOff = 0
      tick(at: moment)
    }
  }

  private mutating func tick(at moment: Moment) {
    let period = ServerLoop<EpollTransport>.tickNanoseconds
    nextTick = (moment.uptime / period + 1) * period
    loop.tick(at: moment)
    settle()
    acceptor.resume()
  }

  // MARK: Connections

  private mutating func accept(_ countMax: Int, at moment: Moment) {
    for _ in 0..<countMax {
      switch acceptor.next() {
      case .none: return
      case .gone: continue
      case .surplus(let socket): refuse(socket, .serverAtCapacity, at: moment)
      case .connection(let socket, let address):
        // Who waited before the socket was adopted has nothing of what it was set up with then.
        if acceptor.isLeft { Linux.watchPeers(socket) }
        if let code = budget.take(address) {
          refuse(socket, code, at: moment)
        } else {
          place(socket, address, at: moment)
        }
      }
    }
  }

  /// Gives a connection to the reactor that has the fewest.
  private mutating func place(_ socket: Int32, _ address: Address, at moment: Moment) {
    var fewest = handle
    for other in handles where other.connections < fewest.connections { fewest = other }
    fewest.count(1)
    if fewest === handle {
      open(socket, from: address, at: moment)
    } else {
      fewest.send(.take(socket, address))
    }
  }

  private mutating func open(_ socket: Int32, from address: Address, at moment: Moment) {
    if let token = loop.driver.add(socket) {
      loop.opened(token, from: address, at: moment)
    } else {
      refuse(socket, .serverAtCapacity, at: moment)
      ended(address)
    }
  }

  private mutating func refuse(_ socket: Int32, _ code: ProblemCode, at moment: Moment) {
    _ = Linux.send(socket, loop.refusal(code, at: moment))
    Linux.close(socket)
  }

  private func ended(_ address: Address) {
    budget.giveBack(address)
    handle.count(-1)
  }

  private mutating func handle(_ tag: UInt64, _ ready: Linux.Readiness, at moment: Moment) {
    guard let token = loop.driver.token(of: tag) else { return }
    if ready.contains(.output), loop.driver.flush(token) {
      loop.drained(token, at: moment)
      settle()
    }
    let isBroken = !ready.isDisjoint(with: [.hangUp, .error])
    if isBroken || !ready.isDisjoint(with: [.input, .endOfInput]) {
      read(tag, isBroken: isBroken, at: moment)
    }
  }

  /// Reads what has come, or a turn's share of it; epoll tells of the rest again. A client that ends its side may have gone:
  /// what it sent before counts, and answers that were begun are sent; then the connection ends. So does one that broke,
  /// without the answers.
  private mutating func read(_ tag: UInt64, isBroken: Bool, at moment: Moment) {
    var reads = 0
    while let token = loop.driver.token(of: tag) {
      if !loop.driver.isReading(token) { return isBroken ? close(token) : () }
      switch loop.driver.receive(token, into: &input) {
      case .bytes(let count):
        Self.give(input, count, to: &loop, token, at: moment)
        settle()
        reads += 1
        if count < input.count || reads == Self.readsPerTurn { return }
      case .nothing: return
      case .end, .broken: return close(token)
      }
    }
  }

  /// The compiler does not see that a span of one field and another field are apart; of two parameters it does.
  private static func give(
    _ input: [UInt8], _ count: Int, to loop: inout ServerLoop<EpollTransport>, _ token: Int32, at moment: Moment
  ) {
    loop.received(token, input.span.extracting(0..<count), at: moment)
  }

  private mutating func close(_ token: Int32) {
    loop.closed(token)
    loop.driver.close(token)
    settle()
  }

  /// Does what has to be done for connections that ended before their tokens can be used again.
  private mutating func settle() {
    if loop.driver.ended.isEmpty { return }
    for (token, socket, bytes) in loop.driver.takeEnded() {
      let address = loop.address(of: token)
      loop.driver.free(token)
      if let bytes {
        annex.take(socket, HandedOver(address: address, bytes: bytes))
        handle.count(-1)
      } else {
        ended(address)
      }
    }
  }
}
