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
  case page(Pages.Name)

  /// - Parameter prefix: Of the API's paths.
  init(_ request: borrowing HTTP1Connection.Request, _ bytes: borrowing Span<UInt8>, prefix: [UInt8]) throws(Problem) {
    let path = request.head.path.range.shifted(by: request.start)
    guard let route = Route.match(bytes, path, prefix: prefix) else {
      let root = prefix.isEmpty ? "/" : String(decoding: prefix, as: UTF8.self)
      throw Problem(.notFound, "the paths are listed in PROTOCOL.md; those of the API begin with \(root)")
    }
    if !route.allows(request.head.method) {
      throw Problem(.methodNotAllowed, "this path knows \(route.allow)", allow: route.allow)
    }
    self = route
  }

  static func match(_ bytes: borrowing Span<UInt8>, _ path: Range<Int>, prefix: [UInt8]) -> Route? {
    if bytes.starts(path, with: prefix) {
      let rest = path.dropFirst(prefix.count)
      if let channel = bytes.remainder(of: rest, after: WirePath.poll) { return .poll(channel) }
      if let channel = bytes.remainder(of: rest, after: WirePath.publish) { return .publish(channel) }
      if let channel = bytes.remainder(of: rest, after: WirePath.history) { return .history(channel) }
      if let channel = bytes.remainder(of: rest, after: WirePath.channels) { return .channel(channel) }
      if bytes.matches(WirePath.publish, at: rest) { return .publishBatch }
      if bytes.matches(WirePath.channels, at: rest) { return .channels }
    }
    if bytes.matches(WirePath.health, at: path) { return .health }
    if bytes.matches(WirePath.ready, at: path) { return .ready }
    if bytes.matches(WirePath.module, at: path) { return .page(.module) }
    if bytes.matches(WirePath.types, at: path) { return .page(.types) }
    if bytes.matches(WirePath.example, at: path) { return .page(.example) }
    return nil
  }

  /// The methods it knows, as `Allow` lists them.
  var allow: StaticString {
    switch self {
    case .poll: "GET, OPTIONS"
    case .publish, .publishBatch: "POST, OPTIONS"
    case .history, .channels: "GET, HEAD, OPTIONS"
    case .channel: "GET, HEAD, DELETE, OPTIONS"
    case .health, .ready, .page: "GET, HEAD, OPTIONS"
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
    case (.page, .get), (.page, .head): true
    default: false
    }
  }
}

extension Span<UInt8> {
  fileprivate func starts(_ range: Range<Int>, with prefix: [UInt8]) -> Bool {
    if range.count < prefix.count { return false }
    for offset in prefix.indices where self[range.lowerBound + offset] != prefix[offset] { return false }
    return true
  }

  /// What follows `text` and a slash, which is one part of a path.
  @inline(__always)
  fileprivate func remainder(of range: Range<Int>, after text: StaticString) -> Range<Int>? {
    let length = text.utf8CodeUnitCount
    if range.count <= length || self[range.lowerBound + length] != UInt8(ascii: "/") { return nil }
    if !matches(text, at: range.prefix(length)) { return nil }
    let rest = range.dropFirst(length + 1)
    return first(in: rest) { $0.equal(UInt8(ascii: "/")) } == nil ? rest : nil
  }
}
