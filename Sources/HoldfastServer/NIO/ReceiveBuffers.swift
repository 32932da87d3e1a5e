import NIOCore

/// One receive buffer for all connections of a loop. NIO would keep one of 2 KiB for each connection, for ever; but bytes
/// are taken out of it before the next connection is read, so one serves them all.
final class ReceiveBuffers {
  private static let capacity = 64 << 10

  /// nil while it is lent out.
  fileprivate var spare: ByteBuffer?

  /// Takes back a buffer whose bytes have been read.
  func giveBack(_ buffer: ByteBuffer) {
    if buffer.storageCapacity >= Self.capacity { spare = buffer }
  }

  fileprivate func lend(_ allocator: ByteBufferAllocator) -> ByteBuffer {
    guard var buffer = spare else { return allocator.buffer(capacity: Self.capacity) }
    spare = nil
    buffer.clear()
    return buffer
  }
}

/// Lends a connection its loop's receive buffer.
///
/// NIO keeps for the connection the first buffer it is given, so that one is tiny and only good for one read. The
/// connection has to be set to one read a turn: with more, NIO would hold on to what it was lent.
///
/// `@unchecked Sendable`: NIO asks on the connection's event loop only, to which the buffers belong too.
struct LendingAllocator: RecvByteBufferAllocator, @unchecked Sendable {
  private let buffers: ReceiveBuffers
  private var isFirst = true

  init(_ buffers: ReceiveBuffers) { self.buffers = buffers }

  func buffer(allocator: ByteBufferAllocator) -> ByteBuffer {
    isFirst ? allocator.buffer(capacity: 16) : buffers.lend(allocator)
  }

  /// That the next buffer may be larger keeps NIO from using the one it has again.
  mutating func record(actualReadBytes: Int) -> Bool {
    isFirst = false
    return true
  }

  func nextBufferSize() -> Int? { nil }
}
