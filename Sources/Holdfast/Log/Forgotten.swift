/// What is left to know of the logs that a ``LogTable`` has forgotten, names and all: a mark for each cell of names.
///
/// A channel that is unknown has either never been published to, or every log it had has left its mark here; so what its
/// mark vouches for is true of it. Only a channel that shares its cell with a forgotten one may be suspected wrongly.
struct Forgotten: Sendable {
  struct Mark: Sendable {
    /// Positions of sequence 0 up to this epoch may stand before messages that nobody remembers.
    var epoch: Epoch
    /// Messages up to this timestamp may have been removed; and no log born later may begin before it, so that
    /// timestamps rise even through a forgotten life.
    var timestamp = Timestamp(microseconds: 0)
  }

  /// Each of 16 bytes. The 64 shards of a store have 131,072.
  static let cellsCount = 2048

  private let none: Mark
  /// Empty until something is forgotten.
  private var marks: [Mark] = []

  init(life: UInt32) { none = Mark(epoch: Epoch(life: life)) }

  /// By the lower bits of the hash; the upper ones have chosen the shard.
  static func cell(of channel: ChannelName) -> Int { channel.hash & (cellsCount - 1) }

  func mark(of channel: ChannelName) -> Mark { marks.isEmpty ? none : marks[Self.cell(of: channel)] }

  mutating func note(_ remnant: ChannelLog.Remnant, of channel: ChannelName) {
    if marks.isEmpty { marks = Array(repeating: none, count: Self.cellsCount) }
    let cell = Self.cell(of: channel)
    marks[cell].epoch = max(marks[cell].epoch, remnant.forgottenEpoch)
    marks[cell].timestamp = max(marks[cell].timestamp, remnant.headTimestamp)
  }
}
