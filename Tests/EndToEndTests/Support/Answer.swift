/// One HTTP answer, read strictly enough to notice what a client library would trip over.
struct Answer {
  var status: Int
  /// Names in small letters, in the order of the answer.
  var headers: [(name: String, value: String)]
  var body: [UInt8]

  /// Takes the next answer off the front of `queue`, or returns nil when it is not all there yet.
  init?(from queue: inout ByteQueue, bodiless: Bool, isClosed: Bool) throws {
    guard let statusEnd = queue.indexOfLineEnd(from: 0) else { return nil }
    let line = String(decoding: queue.prefix(statusEnd), as: UTF8.self)
    let words = line.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
    guard words.count >= 2, words[0] == "HTTP/1.1", words[1].utf8.count == 3, let code = Int(words[1]) else {
      throw Failure("not a status line: \(line.debugDescription)")
    }
    status = code
    headers = []
    var offset = statusEnd + 2
    while true {
      guard let end = queue.indexOfLineEnd(from: offset) else { return nil }
      let text = queue.prefix(end).dropFirst(offset)
      offset = end + 2
      if text.isEmpty { break }
      guard let colon = text.firstIndex(of: 0x3A) else {
        throw Failure("not a header: \(String(decoding: text, as: UTF8.self).debugDescription)")
      }
      let value = String(decoding: text[(colon + 1)...], as: UTF8.self)
      headers.append((String(decoding: text[..<colon], as: UTF8.self).lowercased(), trimmed(value)))
    }
    body = []
    if bodiless || status < 200 || status == 204 || status == 304 {
      queue.dropFirst(offset)
    } else if header("transfer-encoding") == "chunked" {
      while true {
        guard let end = queue.indexOfLineEnd(from: offset) else { return nil }
        let size = String(decoding: queue.prefix(end).dropFirst(offset), as: UTF8.self)
        guard let count = Int(size, radix: 16) else { throw Failure("not a chunk size: \(size.debugDescription)") }
        guard queue.count >= end + 2 + count + 2 else { return nil }
        body += queue.prefix(end + 2 + count).dropFirst(end + 2)
        offset = end + 2 + count + 2
        if count == 0 { break }
      }
      queue.dropFirst(offset)
    } else if let length = header("content-length") {
      guard let count = Int(length) else { throw Failure("not a length: \(length)") }
      guard queue.count >= offset + count else { return nil }
      body = Array(queue.prefix(offset + count).dropFirst(offset))
      queue.dropFirst(offset + count)
    } else {
      guard isClosed else { return nil }
      body = Array(queue.prefix(queue.count).dropFirst(offset))
      queue.dropFirst(queue.count)
    }
  }

  func header(_ name: String) -> String? { headers.first { $0.name == name }?.value }

  var text: String { String(decoding: body, as: UTF8.self) }

  /// The body as JSON; throws when it is none.
  func json() throws -> JSON { try JSON(parsing: body) }
}

private func trimmed(_ text: String) -> String {
  let isSpace: (Character) -> Bool = { $0 == " " || $0 == "\t" }
  var rest = text.drop(while: isSpace)
  while let last = rest.last, isSpace(last) { rest.removeLast() }
  return String(rest)
}

extension Answer: CustomStringConvertible {
  var description: String {
    let head = headers.map { "\($0.name): \($0.value)" }.joined(separator: "\n  ")
    let shown = body.count > 1200 ? String(text.prefix(1200)) + "… (\(body.count) bytes)" : text
    return "\(status)\n  \(head)\n\n  \(shown)"
  }
}
