import Holdfast
import Logging
import NIOCore
import NIOEmbedded
import Testing

@testable import HoldfastServer

/// What is NIO's alone.
@Suite struct NIODriverTests {
  @Test func `A channel that takes an answer while it is being written is read from afterwards`() throws {
    let channel = EmbeddedChannel()
    let hub = Hub(limits: .none)
    let settings = LoopSettings(ServerConfiguration(), logger: noLogger)
    let budget = ConnectionBudget(files: 1000, perAddressMax: .max, trustedProxies: [])
    let loop = NIOLoop(eventLoop: channel.eventLoop, settings: settings, hub: hub, budget: budget)
    try loop.configure(channel)
    channel.pipeline.fireChannelActive()
    for _ in 0..<3 {
      try channel.writeInbound(ByteBuffer(bytes: Bench.get("/healthz") + Bench.get("/readyz")))
      var sent: [UInt8] = []
      while let buffer = try channel.readOutbound(as: ByteBuffer.self) { sent += buffer.readableBytesView }
      #expect(Response.read(sent)?.map(\.kind) == ["ok", "ready"])
      let reads = channel.options.first { $0.option is ChannelOptions.Types.AutoReadOption }?.value as? Bool
      #expect(reads == true)
    }
    channel.pipeline.fireChannelInactive()
    #expect(loop.openCount == 0)
    loop.stop()
  }

  @Test func `What is kept for a channel is given to it a piece at a time, in order, whatever it came in`() throws {
    var transport = NIOTransport(backlogBytesMax: 1 << 20)
    let token = transport.add(EmbeddedChannel(), socket: nil)
    let parts: [[UInt8]] = [3000, 1, 1024, 1025].map { count in (0..<count).map { UInt8(truncatingIfNeeded: $0 / 7) } }
    for part in parts { if transport.send(part, to: token) { Issue.record("it has no socket to take it") } }
    var given: [UInt8] = []
    var isDone = false
    while !isDone {
      let writes = transport.takeActions()
      guard writes.count == 1, case .write(let piece) = writes[0].action, piece.readableBytes <= 1024 else {
        Issue.record("one piece at a time, not \(writes.count)")
        return
      }
      given += piece.readableBytesView
      isDone = transport.flush(token, socket: nil)
    }
    #expect(given == parts.flatMap { $0 })
    let actions = transport.takeActions()
    #expect(actions.isEmpty)
  }

  @Test func `Who was given up is closed, and neither sent to nor taken for one who has all any more`() {
    var transport = NIOTransport(backlogBytesMax: 1_500_000)
    let tokens = (0..<2).map { _ in transport.add(EmbeddedChannel(), socket: nil) }
    for token in tokens { _ = transport.send([UInt8](repeating: UInt8(token), count: 1_000_000), to: token) }
    let isTaken = transport.send([1], to: tokens[0])
    let isDone = transport.flush(tokens[0], socket: nil)
    #expect(isTaken && !isDone)
    let actions = transport.takeActions().filter { $0.token == tokens[0] }.map(\.action)
    guard actions.count == 2, case .write = actions[0], case .close = actions[1] else {
      Issue.record("\(actions)")
      return
    }
  }

  @Test func `What was left to do for a connection is not done to the next of its token`() {
    var transport = NIOTransport(backlogBytesMax: 1000)
    let gone = transport.add(EmbeddedChannel(), socket: nil)
    transport.close(gone)
    transport.remove(gone)
    let next = transport.add(EmbeddedChannel(), socket: nil)
    let actions = transport.takeActions()
    #expect(next == gone && actions.isEmpty)
  }
}
