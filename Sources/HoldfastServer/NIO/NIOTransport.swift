import NIOCore
import NIOPosix

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// A ``Transport`` over NIO channels.
///
/// Bytes go straight to the socket: the kernel nearly always takes an answer whole, and then NIO's outbound buffers, a
/// seventh of what a delivery costs, are not needed. What the kernel leaves goes through the channel. Everything that
/// could make NIO call a handler is put off until the loop's turn is over, because the loop must not be re-entered.
struct NIOTransport: Transport {
  enum Action {
    case write(ByteBuffer)
    case setReading(Bool)
    case shutdownOutput
    case close
  }

  private struct Connection {
    var channel: any Channel
    /// -1 where the channel has no socket of its own to write to.
    var socket: CInt
    /// Writes that the channel still holds, which come first.
    var backlog = 0
  }

  private var connections: ContiguousArray<Connection?> = []
  private var freeTokens: [Int32] = []
  private(set) var actions: [(token: Int32, action: Action)] = []

  mutating func add(_ channel: any Channel, socket: CInt) -> Int32 {
    let connection = Connection(channel: channel, socket: socket)
    if let token = freeTokens.popLast() {
      connections[Int(token)] = connection
      return token
    }
    connections.append(connection)
    return Int32(connections.count - 1)
  }

  mutating func remove(_ token: Int32) {
    // The next of this token has nothing to do with them.
    actions.removeAll { $0.token == token }
    connections[Int(token)] = nil
    freeTokens.append(token)
    if freeTokens.count == connections.count {
      connections = []
      freeTokens = []
    }
  }

  mutating func send(_ bytes: [UInt8], to token: Int32) -> Bool {
    guard let connection = connections[Int(token)] else { return true }
    var sent = 0
    if connection.socket >= 0 && connection.backlog == 0 {
      sent = bytes.withUnsafeBytes { NIOTransport.send(connection.socket, $0) }
      if sent == bytes.count { return true }
    }
    connections[Int(token)]!.backlog += 1
    var rest = connection.channel.allocator.buffer(capacity: bytes.count - sent)
    rest.writeBytes(bytes[sent...])
    actions.append((token, .write(rest)))
    return false
  }

  mutating func setReading(_ isReading: Bool, _ token: Int32) { actions.append((token, .setReading(isReading))) }
  mutating func shutdownOutput(_ token: Int32) { actions.append((token, .shutdownOutput)) }
  mutating func close(_ token: Int32) { actions.append((token, .close)) }

  /// The channel has sent one write.
  /// - Returns: Whether that was all it held.
  mutating func cleared(_ token: Int32) -> Bool {
    guard let backlog = connections[Int(token)]?.backlog else { return false }
    connections[Int(token)]!.backlog = backlog - 1
    return backlog == 1
  }

  mutating func takeActions() -> [(channel: any Channel, token: Int32, action: Action)] {
    if actions.isEmpty { return [] }
    defer { actions = [] }
    return actions.compactMap { token, action in
      connections[Int(token)].map { ($0.channel, token, action) }
    }
  }

  /// How many bytes the kernel took. An error counts as none: NIO meets it again and closes the channel.
  private static func send(_ socket: CInt, _ bytes: UnsafeRawBufferPointer) -> Int {
    #if canImport(Darwin)
      let flags: CInt = 0
    #else
      let flags = CInt(MSG_NOSIGNAL)
    #endif
    while true {
      #if canImport(Darwin)
        let count = Darwin.send(socket, bytes.baseAddress, bytes.count, flags)
      #elseif canImport(Musl)
        let count = Musl.send(socket, bytes.baseAddress, bytes.count, flags)
      #else
        let count = Glibc.send(socket, bytes.baseAddress, bytes.count, flags)
      #endif
      if count >= 0 { return count }
      if errno != EINTR { return 0 }
    }
  }
}
