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

  /// Stands for a channel that has no socket of its own to write to, or still holds bytes, which come first.
  private static let viaChannel: CInt = -1

  private var channels: ContiguousArray<(any Channel)?> = []
  /// The sockets to write to, apart from the channels: a send then touches no object.
  private var sockets: ContiguousArray<CInt> = []
  /// Writes that channels still hold, which come first.
  private var backlogs: [Int32: Int] = [:]
  private var freeTokens: [Int32] = []
  private(set) var actions: [(token: Int32, action: Action)] = []

  /// - Parameter socket: nil where the channel has none.
  mutating func add(_ channel: any Channel, socket: CInt?) -> Int32 {
    if let token = freeTokens.popLast() {
      channels[Int(token)] = channel
      sockets[Int(token)] = socket ?? Self.viaChannel
      return token
    }
    channels.append(channel)
    sockets.append(socket ?? Self.viaChannel)
    return Int32(channels.count - 1)
  }

  mutating func remove(_ token: Int32) {
    // The next of this token has nothing to do with them.
    if !actions.isEmpty { actions.removeAll { $0.token == token } }
    backlogs[token] = nil
    channels[Int(token)] = nil
    sockets[Int(token)] = Self.viaChannel
    freeTokens.append(token)
    if freeTokens.count == channels.count {
      channels = []
      sockets = []
      freeTokens = []
    }
  }

  mutating func send(_ bytes: [UInt8], to token: Int32) -> Bool {
    var sent = 0
    let socket = sockets[Int(token)]
    if socket >= 0 {
      sent = unsafe bytes.withUnsafeBytes { unsafe NIOTransport.send(socket, $0) }
      if sent == bytes.count { return true }
    }
    guard let channel = channels[Int(token)] else { return true }
    sockets[Int(token)] = Self.viaChannel
    backlogs[token, default: 0] += 1
    var rest = channel.allocator.buffer(capacity: bytes.count - sent)
    rest.writeBytes(bytes[sent...])
    actions.append((token, .write(rest)))
    return false
  }

  mutating func setReading(_ isReading: Bool, _ token: Int32) { actions.append((token, .setReading(isReading))) }
  mutating func shutdownOutput(_ token: Int32) { actions.append((token, .shutdownOutput)) }
  mutating func close(_ token: Int32) { actions.append((token, .close)) }

  /// The channel has sent one write.
  /// - Returns: Whether that was all it held.
  mutating func cleared(_ token: Int32, socket: CInt?) -> Bool {
    guard let backlog = backlogs[token] else { return false }
    backlogs[token] = backlog > 1 ? backlog - 1 : nil
    if backlog > 1 { return false }
    sockets[Int(token)] = socket ?? Self.viaChannel
    return true
  }

  mutating func takeActions() -> [(channel: any Channel, token: Int32, action: Action)] {
    if actions.isEmpty { return [] }
    defer { actions = [] }
    return actions.compactMap { token, action in
      channels[Int(token)].map { ($0, token, action) }
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
        let count = unsafe Darwin.send(socket, bytes.baseAddress, bytes.count, flags)
      #elseif canImport(Musl)
        let count = unsafe Musl.send(socket, bytes.baseAddress, bytes.count, flags)
      #else
        let count = unsafe Glibc.send(socket, bytes.baseAddress, bytes.count, flags)
      #endif
      if count >= 0 { return count }
      if errno != EINTR { return 0 }
    }
  }
}
