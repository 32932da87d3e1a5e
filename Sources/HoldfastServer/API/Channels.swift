import Holdfast
import HoldfastProtocol

extension ServerLoop {
  /// `GET /api/history/{channel}`: what a poll would tell, without waiting.
  func history(of channel: ChannelName, _ query: Query, at moment: Moment) throws(Problem) -> Reply {
    var start = ReadStart.earliest
    if let text = query.after {
      do { start = ReadStart(try Cursor(text, channelCount: 1).slots[0]) } catch {
        throw Problem(.cursorMalformed, "\(error)")
      }
    }
    let answer = hub.read([(channel, start)], limit: ReadLimit(messages: try query.limitValue()), at: moment)
    var reply = Reply()
    reply.body.write(answer, as: .history)
    return reply
  }

  /// `GET /api/channels`: one page of the list.
  func channels(_ query: Query, at moment: Moment) throws(Problem) -> Reply {
    let limit = try query.limitValue()
    let after = try query.after.map { text throws(Problem) in try ChannelName(checking: text) }
    let prefix = query.prefix ?? ""
    let names = hub.channels().filter { name in
      name.text.hasPrefix(prefix) && after.map { name > $0 } ?? true
    }
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
    write(summary.channel.text)
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
