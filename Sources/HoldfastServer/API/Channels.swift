import Holdfast
import HoldfastProtocol

extension ServerLoop {
  /// `GET /api/history/{channel}`: what a poll would tell, without waiting.
  func history(
    of channel: ChannelName, _ query: Query, _ bytes: borrowing Span<UInt8>, at moment: Moment
  ) throws(Problem) -> Reply {
    let start = try query.cursor(.after, bytes, channelCount: 1).map { ReadStart($0.slots[0]) } ?? .earliest
    let answer = hub.read(
      [HubLoop.Slot(channel, start)], limit: ReadLimit(messages: try query.limit(bytes)), at: moment)
    var reply = Reply()
    reply.body.write(answer, as: .history)
    return reply
  }

  /// `GET /api/channels`: one page of the list.
  mutating func channels(_ query: Query, _ bytes: borrowing Span<UInt8>, at moment: Moment) throws(Problem) -> Reply {
    let limit = try query.limit(bytes)
    let after = try query.text(.after, bytes).map { text throws(Problem) in try ChannelName(checking: text) }
    let (names, seen) = hub.channelList(after: after, prefix: query.text(.prefix, bytes) ?? "", limit: limit + 1)
    listed(seen)
    var reply = Reply()
    var count = 0
    reply.body.write("{\"channels\":[")
    for name in names.prefix(limit) {
      // One that has gone since it was listed is left out.
      guard let summary = hub.channel(name, at: moment) else { continue }
      if count > 0 { reply.body.write(",") }
      reply.body.write(summary)
      count += 1
    }
    reply.body.write("],\"count\":")
    reply.body.write(UInt(count))
    reply.body.write(names.count > limit ? ",\"more\":true}" : ",\"more\":false}")
    return reply
  }

  /// `GET /api/channels/{channel}`.
  func channel(_ channel: ChannelName, at moment: Moment) throws(Problem) -> Reply {
    guard let summary = hub.channel(channel, at: moment) else { throw Self.noChannel(channel) }
    var reply = Reply()
    reply.body.write(summary)
    return reply
  }

  /// `DELETE /api/channels/{channel}`.
  func delete(_ channel: ChannelName) throws(Problem) -> Reply {
    if !hub.delete(channel) { throw Self.noChannel(channel) }
    return Reply(body: Array("{\"status\":\"deleted\",\"channel\":\"\(channel)\"}".utf8))
  }

  private static func noChannel(_ channel: ChannelName) -> Problem {
    Problem(.channelNotFound, "'\(channel)' has no messages; a channel comes to be with its first")
  }
}

extension [UInt8] {
  fileprivate mutating func write(_ summary: ChannelSummary) {
    write("{\"channel\":\"")
    write(text: summary.channel.text)
    write("\",\"head\":\"")
    summary.log.head.write(to: &self)
    if let oldest = summary.log.oldest {
      write("\",\"oldest\":\"")
      oldest.write(to: &self)
      write("\",\"count\":")
    } else {
      write("\",\"oldest\":null,\"count\":")
    }
    write(UInt(summary.log.count))
    write(",\"bytes\":")
    write(UInt(summary.log.bytes))
    write(",\"held\":")
    write(UInt(summary.held))
    write("}")
  }
}
