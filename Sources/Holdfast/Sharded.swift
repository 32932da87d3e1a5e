import Synchronization

/// Values under locks of their own, chosen by a channel's name, so that channels seldom wait for one another.
final class Sharded<Value: Sendable>: Sendable {
  static var count: Int { 64 }
  private static var hashShift: UInt { 58 }

  /// One shard. A class, since a `Mutex` has to stay where it is.
  final class Shard: Sendable {
    private let mutex: Mutex<Value>

    init(_ value: Value) { mutex = Mutex(value) }

    @inline(__always) func withLock<Result: Sendable, Failure: Error>(
      _ body: (inout Value) throws(Failure) -> Result
    ) throws(Failure) -> Result {
      try mutex.withLock { (value: inout Value) throws(Failure) -> Result in try body(&value) }
    }
  }

  let all: [Shard]

  init(_ make: () -> Value) { all = (0..<Self.count).map { _ in Shard(make()) } }

  /// By the hash's upper bits: tables go by the lower ones, in which the names of a shard must differ.
  subscript(_ channel: ChannelName) -> Shard { all[Int(UInt(bitPattern: channel.hash) >> Self.hashShift)] }
}
