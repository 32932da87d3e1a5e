import NIOCore

/// The one handler of a connection: it passes on what NIO tells.
final class ConnectionHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer

  private let loop: NIOLoop
  /// -1 while the connection is not open.
  private var token: Int32 = -1

  init(_ loop: NIOLoop) { self.loop = loop }

  func channelActive(context: ChannelHandlerContext) {
    // A Unix socket's peer has no address; they all count as one.
    let address = context.remoteAddress?.ipAddress.flatMap { Address($0) } ?? Address(value: 0)
    token = loop.opened(context.channel, from: address)
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let buffer = unwrapInboundIn(data)
    if token >= 0 { loop.received(token, buffer) }
    loop.receiveBuffers.giveBack(buffer)
  }

  func channelInactive(context: ChannelHandlerContext) {
    if token >= 0 { loop.closed(token) }
    token = -1
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
