import NIOCore

/// The one handler of a connection: it passes on what NIO tells.
final class ConnectionHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer

  private let loop: NIOLoop
  private let budget: ConnectionBudget
  /// -1 while the connection is not open.
  private var token: Int32 = -1
  private var address = Address(value: 0)
  /// nil when the connection was accepted here, and once its bytes were passed on.
  private var handedOver: HandedOver?

  init(_ loop: NIOLoop, _ budget: ConnectionBudget, handedOver: HandedOver? = nil) {
    self.loop = loop
    self.budget = budget
    self.handedOver = handedOver
  }

  func channelActive(context: ChannelHandlerContext) {
    if let connection = handedOver {
      handedOver = nil
      address = connection.address
      token = loop.opened(context.channel, from: address)
      if !connection.bytes.isEmpty { loop.received(token, ByteBuffer(bytes: connection.bytes)) }
      return
    }
    // A Unix socket's peer has no address; they all count as one.
    address = context.remoteAddress?.ipAddress.flatMap { Address($0) } ?? Address(value: 0)
    if let code = budget.take(address) {
      context.writeAndFlush(NIOAny(ByteBuffer(bytes: loop.refusal(code))), promise: nil)
      context.close(promise: nil)
      return
    }
    token = loop.opened(context.channel, from: address)
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let buffer = unwrapInboundIn(data)
    if token >= 0 { loop.received(token, buffer) }
    loop.receiveBuffers.giveBack(buffer)
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if token >= 0, case ChannelEvent.inputClosed? = event as? ChannelEvent { loop.ended(token) }
  }

  func channelInactive(context: ChannelHandlerContext) {
    if token < 0 { return }
    loop.closed(token)
    token = -1
    budget.giveBack(address)
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
