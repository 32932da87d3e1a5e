import NIOCore

/// Lets a listening channel rest for a tick when `accept` gives an error, as it does where there is no descriptor left: NIO
/// would try again at once, and a processor do nothing else. (NIO's own `AcceptBackoffHandler` delays reads, which is not
/// enough: after an error the one before counts as under way still.)
final class AcceptPause: ChannelInboundHandler {
  typealias InboundIn = any Channel

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    guard error is IOError else { return context.fireErrorCaught(error) }
    let options = NIOLoopBound(context.channel.syncOptions, eventLoop: context.eventLoop)
    try? options.value?.setOption(.autoRead, value: false)
    context.eventLoop.scheduleTask(in: .nanoseconds(ServerLoop<NIOTransport>.tickNanoseconds)) {
      try? options.value?.setOption(.autoRead, value: true)
    }
  }
}
