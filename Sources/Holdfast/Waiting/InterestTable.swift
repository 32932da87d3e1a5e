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

  private var channels: [ChannelName: Interest] = [:]

  var channelCount: Int { channels.count }

  /// Counts a held poll in, unless there are `max` already.
  mutating func register(_ channel: ChannelName, loop: Int, max: Int) -> Bool {
    guard let index = channels.index(forKey: channel) else {
      if max < 1 { return false }
      channels[channel] = Interest(loops: 1 << UInt64(loop), held: 1)
      return true
    }
    if channels.values[index].held >= max { return false }
    channels.values[index].loops |= 1 << UInt64(loop)
    channels.values[index].held += 1
    return true
  }

  /// Counts `count` held polls out.
  mutating func leave(_ channel: ChannelName, count: Int) {
    guard let index = channels.index(forKey: channel) else { return }
    channels.values[index].held -= count
    if channels.values[index].held > 0 { return }
    channels.remove(at: index)
    if channels.isEmpty { channels = [:] }
  }

  /// Asks again to hear of the next message, for waiters that the last one did not concern.
  mutating func renew(_ channel: ChannelName, loop: Int) {
    if let index = channels.index(forKey: channel) { channels.values[index].loops |= 1 << UInt64(loop) }
  }

  /// The loops to be told of a new message, and how many polls are held.
  mutating func take(_ channel: ChannelName) -> (loops: UInt64, held: Int) {
    guard let index = channels.index(forKey: channel) else { return (0, 0) }
    let interest = channels.values[index]
    channels.values[index].loops = 0
    return (interest.loops, interest.held)
  }

  func held(_ channel: ChannelName) -> Int { channels[channel]?.held ?? 0 }

  /// Adds the names of all channels with a held poll.
  func collectNames(into result: inout [ChannelName]) { result.append(contentsOf: channels.keys) }
}
