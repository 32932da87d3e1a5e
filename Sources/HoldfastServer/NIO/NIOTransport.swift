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
/// seventh of what a delivery costs, are not needed. What the kernel leaves is kept in ``Backlogs``, and the channel is given
/// the first piece of it: that it has sent that says that there is room for more. Everything that could make NIO call a
/// handler is put off until the loop's turn is over, because the loop must not be re-entered.
struct NIOTransport: Transport {
  enum Action {
    case write(ByteBuffer)
    case setReading(Bool)
    case shutdownOutput
    case close
  }

  /// Stands for a channel that has no socket of its own to write to, or for which bytes are kept, which come first.
  private static let viaChannel: CInt = -1
  /// Stands for a client that was given up: its channel is about to be closed.
  private static let givenUp: CInt = -2
  /// What a channel is given at a time. It is not counted as kept, so it is small.
  private static let pieceBytes = 1024

  private var channels: ContiguousArray<(any Channel)?> = []
  /// The sockets to write to, apart from the channels: a send then touches no object.
  private var sockets: ContiguousArray<CInt> = []
  private var backlogs: Backlogs
  private var freeTokens: [Int32] = []
  private(set) var actions: [(token: Int32, action: Action)] = []

  init(backlogBytesMax: Int) { backlogs = Backlogs(bytesMax: backlogBytesMax) }

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
    backlogs.remove(token)
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
    let socket = sockets[Int(token)]
    if socket == Self.givenUp { return true }
    let sent = Self.send(socket, bytes, from: 0)
    if sent == bytes.count { return true }
    let isFirst = !backlogs.contains(token)
    backlogs.append(bytes, from: sent, to: token)
    sockets[Int(token)] = Self.viaChannel
    if isFirst { writePiece(token) }
    for slow in backlogs.removeOldest() { giveUp(slow) }
    return false
  }

  mutating func setReading(_ isReading: Bool, _ token: Int32) { actions.append((token, .setReading(isReading))) }

  mutating func shutdownOutput(_ token: Int32) {
    assert(!backlogs.contains(token))
    actions.append((token, .shutdownOutput))
  }

  mutating func close(_ token: Int32) { actions.append((token, .close)) }

  /// The channel has sent the piece that it was given.
  /// - Returns: Whether nothing is kept for it any more.
  mutating func flush(_ token: Int32, socket: CInt?) -> Bool {
    if !backlogs.contains(token) { return false }
    var piece = Self.pieceBytes
    let isDone = backlogs.flush(token) { bytes, offset in
      let sent = min(piece, bytes.count - offset)
      piece = 0
      return sent + Self.send(socket ?? Self.viaChannel, bytes, from: offset + sent)
    }
    guard isDone == true else {
      writePiece(token)
      return false
    }
    sockets[Int(token)] = socket ?? Self.viaChannel
    return true
  }

  /// Gives the channel what is next. It stays in the backlog until the channel has sent it.
  private mutating func writePiece(_ token: Int32) {
    guard let channel = channels[Int(token)] else { return }
    var piece = channel.allocator.buffer(capacity: Self.pieceBytes)
    _ = backlogs.flush(token) { bytes, offset in
      piece.writeBytes(bytes[offset...].prefix(Self.pieceBytes))
      return 0
    }
    actions.append((token, .write(piece)))
  }

  /// Nothing may be told to the loop from here; that the channel is closed will be.
  private mutating func giveUp(_ token: Int32) {
    backlogs.remove(token)
    sockets[Int(token)] = Self.givenUp
    actions.append((token, .close))
  }

  mutating func takeActions() -> [(channel: any Channel, token: Int32, action: Action)] {
    if actions.isEmpty { return [] }
    defer { actions = [] }
    return actions.compactMap { token, action in
      channels[Int(token)].map { ($0, token, action) }
    }
  }

  /// How many of the bytes from `offset` on the kernel took. An error counts as none: NIO meets it again and closes the
  /// channel.
  private static func send(_ socket: CInt, _ bytes: [UInt8], from offset: Int) -> Int {
    if socket < 0 || offset == bytes.count { return 0 }
    return unsafe bytes.withUnsafeBytes { unsafe send(socket, UnsafeRawBufferPointer(rebasing: $0[offset...])) }
  }

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
