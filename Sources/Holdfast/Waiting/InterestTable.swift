/// Which loops have waiters on which channels, and how many polls are held on each: what a publish has to know.
///
/// No lost wake-up: a poll registers here *before* it reads the log, and a publish takes the loops from here *after* it
/// appended. Whichever comes second sees the other.
struct InterestTable: Sendable {
  private struct Interest {
    /// One bit for each loop that wants to hear of the next message; cleared when it is told.
    var loops: UInt64
    var held: Int
  }

  private var channels = RecyclingTable<ChannelName, Interest>()

  var channelCount: Int { channels.usedCount }

  /// Counts a held poll in.
  /// - Returns: Where the channel's interest stands as long as a poll is held; nil where `max` are held already.
  mutating func register(_ channel: ChannelName, loop: Int, max: Int) -> Int32? {
    let index = channels.index(of: channel)
    if let index, channels.isUsed(index) {
      if channels[index].held >= max { return nil }
      channels[index].loops |= 1 << UInt64(loop)
      channels[index].held += 1
      return index
    }
    if max < 1 { return nil }
    return channels.use(channel, at: index, Interest(loops: 1 << UInt64(loop), held: 1))
  }

  /// Counts `count` held polls out.
  mutating func leave(_ index: Int32, count: Int) {
    channels[index].held -= count
    if channels[index].held == 0 { channels.leave(index) }
  }

  /// Asks again to hear of the next message, for waiters that the last one did not concern.
  mutating func renew(_ index: Int32, loop: Int) { channels[index].loops |= 1 << UInt64(loop) }

  /// The loops to be told of a new message, and how many polls are held.
  mutating func take(_ channel: ChannelName) -> (loops: UInt64, held: Int) {
    guard let index = channels.usedIndex(of: channel) else { return (0, 0) }
    let interest = channels[index]
    channels[index].loops = 0
    return (interest.loops, interest.held)
  }

  func held(_ channel: ChannelName) -> Int {
    channels.usedIndex(of: channel).map { channels[$0].held } ?? 0
  }

  /// Adds the names of all channels with a held poll.
  func collectNames(into result: inout [ChannelName]) { result.append(contentsOf: channels.usedKeys) }
}
