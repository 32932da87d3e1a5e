import HoldfastProtocol

/// What a path asks for. A channel part is given by its offsets, still percent-encoded.
enum Route {
  case poll(Range<Int>)
  case publish(Range<Int>)
  case publishBatch
  case history(Range<Int>)
  case channels
  case channel(Range<Int>)
  case health
  case ready

  static func match(_ bytes: borrowing Span<UInt8>, _ path: Range<Int>, prefix: [UInt8]) -> Route? {
    if bytes.starts(path, with: prefix) {
      let rest = path.dropFirst(prefix.count)
      if let channel = bytes.remainder(of: rest, after: WirePath.poll) { return .poll(channel) }
      if let channel = bytes.remainder(of: rest, after: WirePath.publish) { return .publish(channel) }
      if let channel = bytes.remainder(of: rest, after: WirePath.history) { return .history(channel) }
      if let channel = bytes.remainder(of: rest, after: WirePath.channels) { return .channel(channel) }
      if bytes.equals(rest, WirePath.publish) { return .publishBatch }
      if bytes.equals(rest, WirePath.channels) { return .channels }
    }
    if bytes.equals(path, WirePath.health) { return .health }
    if bytes.equals(path, WirePath.ready) { return .ready }
    return nil
  }

  /// The methods it knows, as `Allow` lists them.
  var allow: StaticString {
    switch self {
    case .poll: "GET, OPTIONS"
    case .publish, .publishBatch: "POST, OPTIONS"
    case .history, .channels: "GET, HEAD, OPTIONS"
    case .channel: "GET, HEAD, DELETE, OPTIONS"
    case .health, .ready: "GET, HEAD, OPTIONS"
    }
  }

  func allows(_ method: RequestHead.Method) -> Bool {
    switch (self, method) {
    case (_, .options): true
    case (.poll, .get): true
    case (.publish, .post), (.publishBatch, .post): true
    case (.history, .get), (.history, .head), (.channels, .get), (.channels, .head): true
    case (.channel, .get), (.channel, .head), (.channel, .delete): true
    case (.health, .get), (.health, .head), (.ready, .get), (.ready, .head): true
    default: false
    }
  }
}

extension Span<UInt8> {
  fileprivate func starts(_ range: Range<Int>, with prefix: [UInt8]) -> Bool {
    if range.count < prefix.count { return false }
    for (offset, byte) in prefix.enumerated() where self[range.lowerBound + offset] != byte { return false }
    return true
  }

  fileprivate func equals(_ range: Range<Int>, _ text: String) -> Bool {
    if range.count != text.utf8.count { return false }
    var index = range.lowerBound
    for byte in text.utf8 {
      if self[index] != byte { return false }
      index += 1
    }
    return true
  }

  /// What follows `text` and a slash, which is one part of a path.
  fileprivate func remainder(of range: Range<Int>, after text: String) -> Range<Int>? {
    let length = text.utf8.count
    if range.count <= length || self[range.lowerBound + length] != UInt8(ascii: "/") { return nil }
    if !equals(range.prefix(length), text) { return nil }
    let rest = range.dropFirst(length + 1)
    for index in rest where self[index] == UInt8(ascii: "/") { return nil }
    return rest
  }
}
