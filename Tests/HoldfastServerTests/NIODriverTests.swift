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

  @Test func `A connection is clear when all that was kept for it has been sent, not the first of it`() {
    var transport = NIOTransport()
    let channel = EmbeddedChannel()
    let token = transport.add(channel, socket: nil)
    for byte: UInt8 in [1, 2] { if transport.send([byte], to: token) { Issue.record("it has no socket to take it") } }
    let clear = [transport.cleared(token, socket: nil), transport.cleared(token, socket: nil)]
    #expect(clear == [false, true])
    let actions = transport.takeActions()
    #expect(actions.count == 2)
  }

  @Test func `What was left to do for a connection is not done to the next of its token`() {
    var transport = NIOTransport()
    let gone = transport.add(EmbeddedChannel(), socket: nil)
    transport.close(gone)
    transport.remove(gone)
    let next = transport.add(EmbeddedChannel(), socket: nil)
    let actions = transport.takeActions()
    #expect(next == gone && actions.isEmpty)
  }
}
