import Holdfast
import HoldfastProtocol
import NIOCore
import NIOPosix
import Synchronization

/// What is known of a connection that another driver dealt with, and counted in the ``ConnectionBudget``.
struct HandedOver: Sendable {
  var address: Address
  /// What has come and was not answered.
  var bytes: [UInt8] = []
}

/// Runs a ``ServerLoop`` on one NIO event loop. Everything but the wake-up happens on that loop.
final class NIOLoop {
  let eventLoop: any EventLoop
  private let budget: ConnectionBudget
  private let buffers: ReceiveBuffers
  private var loop: ServerLoop<NIOTransport>
  private var clock = LoopClock()
  private var timer: RepeatedTask?
  private var lastTick = Moment.uptimeNow()
  private var isPerforming = false
  private let relay: LoopRelay

  /// - Parameter eventLoop: The loop this is called on.
  init(eventLoop: any EventLoop, settings: LoopSettings, hub: Hub, budget: ConnectionBudget) {
    self.eventLoop = eventLoop
    self.budget = budget
    buffers = ReceiveBuffers()
    let relay = LoopRelay(eventLoop: eventLoop)
    self.relay = relay
    let transport = NIOTransport(backlogBytesMax: settings.backlogBytesMax)
    loop = ServerLoop(driver: transport, settings: settings, hub: hub, at: .now()) { relay.wake() }
    let bound = NIOLoopBound(self, eventLoop: eventLoop)
    relay.loop = bound
    let period = TimeAmount.nanoseconds(ServerLoop<NIOTransport>.tickNanoseconds)
    timer = eventLoop.scheduleRepeatedTask(initialDelay: period, delay: period) { _ in bound.value.tick(putOff: 0) }
  }

  var openCount: Int { loop.openCount }

  /// The answer to a connection that there is no room for.
  func refusal(_ code: ProblemCode) -> [UInt8] { turn { loop, moment in loop.refusal(code, at: moment) } }

  var receiveBuffers: ReceiveBuffers { buffers }

  // MARK: Connections

  /// Sets up a connection's channel.
  func configure(_ channel: any Channel, handedOver: HandedOver? = nil) throws {
    try channel.syncOptions?.setOption(.maxMessagesPerRead, value: 1)
    // Else NIO closes at once when a client ends its side, whatever is being sent to it.
    try channel.syncOptions?.setOption(.allowRemoteHalfClosure, value: true)
    try channel.syncOptions?.setOption(.recvAllocator, value: LendingAllocator(buffers))
    try channel.pipeline.syncOperations.addHandler(ConnectionHandler(self, budget, handedOver: handedOver))
  }

  /// Takes a connection that was accepted elsewhere. Its socket is the loop's from then on.
  func take(_ socket: CInt, handedOver: HandedOver? = nil) {
    let bound = NIOLoopBound(self, eventLoop: eventLoop)
    ClientBootstrap(group: eventLoop)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture { try bound.value.configure(channel, handedOver: handedOver) }
      }
      .withConnectedSocket(socket)
      .whenFailure { [budget] _ in
        if let handedOver { budget.giveBack(handedOver.address) }
      }
  }

  // MARK: What the channels tell

  func opened(_ channel: any Channel, from address: Address) -> Int32 {
    turn { loop, moment in
      let token = loop.driver.add(channel, socket: channel.socket)
      loop.opened(token, from: address, at: moment)
      return token
    }
  }

  func received(_ token: Int32, _ buffer: ByteBuffer) {
    turn { loop, moment in loop.received(token, buffer.readableBytesUInt8Span, at: moment) }
  }

  func ended(_ token: Int32) { turn { loop, _ in loop.ended(token) } }

  func closed(_ token: Int32) {
    turn { loop, _ in
      loop.closed(token)
      loop.driver.remove(token)
    }
  }

  /// The channel has sent what it was given.
  private func written(_ token: Int32, _ channel: any Channel) {
    turn { loop, moment in
      if loop.driver.flush(token, socket: channel.socket) { loop.drained(token, at: moment) }
    }
  }

  // MARK: What the server tells

  func beginDrain(window: Duration) { turn { loop, _ in loop.beginDrain(window: window) } }

  func stop() {
    timer?.cancel()
    timer = nil
    turn { loop, _ in loop.closeAll() }
    // It is what keeps this alive, and with it the loop's place in the hub.
    relay.loop = nil
  }

  // MARK: Turns

  /// After a pause what came meanwhile is read before anybody is told that it did not come in time; so a tick that is late by
  /// its period is put off until the channels have been looked at, some hundred at a time.
  private func tick(putOff count: Int) {
    let now = Moment.uptimeNow()
    if now - lastTick > 2 * ServerLoop<NIOTransport>.tickNanoseconds && count <= loop.openCount / 512 {
      let bound = NIOLoopBound(self, eventLoop: eventLoop)
      eventLoop.execute { bound.value.tick(putOff: count + 1) }
      return
    }
    lastTick = now
    turn { loop, moment in loop.tick(at: moment) }
  }

  /// One turn: the loop's work, the delivery of what it published, then what it left for the channels to do.
  private func turn<Result>(_ body: (inout ServerLoop<NIOTransport>, Moment) -> Result) -> Result {
    let moment = clock.now()
    let result = body(&loop, moment)
    if loop.hasNews { loop.collect(at: moment) }
    // What a channel tells while an action is performed is a turn of its own, whose actions come behind the others:
    // else reading would be stopped after it was to go on, when a channel takes an answer at once.
    if isPerforming { return result }
    isPerforming = true
    while case let actions = loop.driver.takeActions(), !actions.isEmpty {
      for (channel, token, action) in actions { perform(action, channel, token) }
    }
    isPerforming = false
    return result
  }

  fileprivate func collect() { turn { loop, moment in loop.collect(at: moment) } }

  private func perform(_ action: NIOTransport.Action, _ channel: any Channel, _ token: Int32) {
    switch action {
    case .write(let bytes):
      channel.writeAndFlush(bytes).assumeIsolated().whenSuccess { self.written(token, channel) }
    case .setReading(let isReading):
      try? channel.syncOptions?.setOption(.autoRead, value: isReading)
    case .shutdownOutput: channel.close(mode: .output, promise: nil)
    case .close: channel.close(promise: nil)
    }
  }
}

extension Channel {
  /// The socket it writes to; nil where bytes have to pass through the channel.
  var socket: CInt? {
    try? pipeline.syncOperations.withUnsafeTransportIfAvailable(of: NIOBSDSocket.Handle.self) { $0 }
  }
}

/// Leads a wake-up, from any thread, to the loop it is for.
///
/// `@unchecked Sendable`: `loop` is set on the event loop, before a wake-up can come, since nothing waits yet, and taken
/// away there at the end; and it is used on the event loop only.
private final class LoopRelay: @unchecked Sendable {
  let eventLoop: any EventLoop
  var loop: NIOLoopBound<NIOLoop>?

  init(eventLoop: any EventLoop) { self.eventLoop = eventLoop }

  func wake() { eventLoop.execute { self.loop?.value.collect() } }
}
