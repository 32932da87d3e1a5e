/// What a server's answers say. An unknown member is passed over; one that is missing makes the answer malformed.

extension MessagePage {
  init(json bytes: [UInt8]) throws(JSONReader.Malformed) {
    var reader = JSONReader(bytes)
    var gaps: [Gap] = []
    var messages: [Message]?
    var cursor: String?
    var more = false
    try reader.object { (name, reader) throws(JSONReader.Malformed) in
      switch name {
      case "gap":
        try reader.array { (reader) throws(JSONReader.Malformed) in gaps.append(try Gap(from: &reader)) }
      case "messages":
        var list: [Message] = []
        try reader.array { (reader) throws(JSONReader.Malformed) in list.append(try Message(from: &reader)) }
        messages = list
      case "cursor": cursor = try reader.string()
      case "more": more = try reader.bool()
      default: try reader.skip()
      }
    }
    try reader.end()
    guard let messages, let cursor else { throw JSONReader.Malformed(offset: reader.offset) }
    self.init(gaps: gaps, messages: messages, cursor: cursor, more: more)
  }
}

extension Message {
  init(from reader: inout JSONReader) throws(JSONReader.Malformed) {
    var id: String?
    var channel: String?
    var timestamp: Double?
    var data: Range<Int>?
    var encoding: String?
    var contentType: String?
    let range = try reader.range { (reader) throws(JSONReader.Malformed) in
      try reader.object { (name, reader) throws(JSONReader.Malformed) in
        switch name {
        case "id": id = try reader.string()
        case "channel": channel = try reader.string()
        case "timestamp": timestamp = try reader.number()
        case "data": data = try reader.skip()
        case "encoding": encoding = try reader.string()
        case "content_type": contentType = try reader.string()
        default: try reader.skip()
        }
      }
    }
    guard let id, let channel, let timestamp, let data else { throw JSONReader.Malformed(offset: reader.offset) }
    self.init(
      id: id, channel: channel, timestamp: timestamp, encoding: encoding, contentType: contentType,
      json: Array(reader.bytes[range]),
      dataRange: (data.lowerBound - range.lowerBound)..<(data.upperBound - range.lowerBound))
  }
}

extension Gap {
  init(from reader: inout JSONReader) throws(JSONReader.Malformed) {
    var channel: String?
    var reason: String?
    var missed: Int?
    try reader.object { (name, reader) throws(JSONReader.Malformed) in
      switch name {
      case "channel": channel = try reader.string()
      case "reason": reason = try reader.string()
      case "missed":
        missed = try reader.optional { (reader) throws(JSONReader.Malformed) in try reader.integer() }
      default: try reader.skip()
      }
    }
    guard let channel, let reason else { throw JSONReader.Malformed(offset: reader.offset) }
    self.init(channel: channel, reason: Reason(rawValue: reason), missed: missed)
  }
}

extension PublishReceipt {
  init(json bytes: [UInt8], isReplay: Bool) throws(JSONReader.Malformed) {
    var reader = JSONReader(bytes)
    var id: String?
    var channel: String?
    var timestamp: Double?
    var subscribers = 0
    try reader.object { (name, reader) throws(JSONReader.Malformed) in
      switch name {
      case "message_id": id = try reader.string()
      case "channel": channel = try reader.string()
      case "timestamp": timestamp = try reader.number()
      case "subscribers": subscribers = try reader.integer()
      default: try reader.skip()
      }
    }
    try reader.end()
    guard let id, let channel, let timestamp else { throw JSONReader.Malformed(offset: reader.offset) }
    self.init(
      messageID: id, channel: channel, timestamp: timestamp, subscribers: subscribers, isReplay: isReplay, json: bytes)
  }
}

extension ChannelPage {
  init(json bytes: [UInt8]) throws(JSONReader.Malformed) {
    var reader = JSONReader(bytes)
    var channels: [ChannelState]?
    var more = false
    try reader.object { (name, reader) throws(JSONReader.Malformed) in
      switch name {
      case "channels":
        var list: [ChannelState] = []
        try reader.array { (reader) throws(JSONReader.Malformed) in list.append(try ChannelState(from: &reader)) }
        channels = list
      case "more": more = try reader.bool()
      default: try reader.skip()
      }
    }
    try reader.end()
    guard let channels else { throw JSONReader.Malformed(offset: reader.offset) }
    self.init(channels: channels, more: more)
  }
}

extension ChannelState {
  init(from reader: inout JSONReader) throws(JSONReader.Malformed) {
    var channel: String?
    var head: String?
    var oldest: String?
    var count = 0
    var bytes = 0
    var held = 0
    let range = try reader.range { (reader) throws(JSONReader.Malformed) in
      try reader.object { (name, reader) throws(JSONReader.Malformed) in
        switch name {
        case "channel": channel = try reader.string()
        case "head": head = try reader.optional { (reader) throws(JSONReader.Malformed) in try reader.string() }
        case "oldest": oldest = try reader.optional { (reader) throws(JSONReader.Malformed) in try reader.string() }
        case "count": count = try reader.integer()
        case "bytes": bytes = try reader.integer()
        case "held": held = try reader.integer()
        default: try reader.skip()
        }
      }
    }
    guard let channel else { throw JSONReader.Malformed(offset: reader.offset) }
    self.init(
      channel: channel, head: head, oldest: oldest, count: count, bytes: bytes, held: held,
      json: Array(reader.bytes[range]))
  }
}
