import CLinux

extension Bench {
  /// The requests of each target, and where in an answer the next poll's position stands. Everything that differs
  /// between servers is in this file.
  struct Wire {
    /// A poll is these with the channel's name after the first and the position after the second.
    private let poll: (head: [UInt8], middle: [UInt8], tail: [UInt8])
    /// A publish is these with the channel's name between them, and the payload after.
    private let publish: (head: [UInt8], tail: [UInt8])
    private let channelPrefix: [UInt8]
    private let target: Target
    /// What a first poll gives as its position: only what comes next.
    let firstPosition: [UInt8]

    init(_ plan: Plan) {
      let host = " HTTP/1.1\r\nHost: \(plan.host):\(plan.port)\r\n"
      let length = "Content-Length: \(plan.payloadBytes)\r\n"
      let prefix = plan.pathPrefix
      target = plan.target
      channelPrefix = Array(plan.channelPrefix.utf8)
      switch plan.target {
      case .holdfast:
        let query = "?timeout=\(plan.pollTimeoutSeconds)&cursor="
        poll = (Array("GET \(prefix)/poll/".utf8), Array(query.utf8), Array("\(host)\r\n".utf8))
        publish = (
          Array("POST \(prefix)/publish/".utf8), Array("\(host)Content-Type: application/json\r\n\(length)\r\n".utf8)
        )
        firstPosition = Array("now".utf8)
      case .nchan:
        poll = (Array("GET \(prefix)/sub/".utf8), Array(host.utf8), Array("\r\n".utf8))
        publish = (
          Array("POST \(prefix)/pub/".utf8), Array("\(host)Content-Type: application/json\r\n\(length)\r\n".utf8)
        )
        firstPosition = []
      }
    }

    /// Writes a poll of `channel` after `position`.
    func writePoll(channel: Int, position: ArraySlice<UInt8>, to out: inout Outbox) {
      out.clear()
      out.append(poll.head)
      out.append(channelPrefix)
      out.append(decimal: channel)
      out.append(poll.middle)
      out.append(position)
      out.append(poll.tail)
    }

    /// Writes a publish of `payload` to `channel`.
    func writePublish(channel: Int, payload: [UInt8], to out: inout Outbox) {
      out.clear()
      out.append(publish.head)
      out.append(channelPrefix)
      out.append(decimal: channel)
      out.append(publish.tail)
      out.append(payload)
    }

    /// What a poll's answer is, before its messages are read.
    enum Kind { case messages, timeout, refused }

    func kind(of answer: HTTPAnswer, in bytes: UnsafeRawBufferPointer) -> Kind {
      switch target {
      case .holdfast:
        guard answer.status == 200 else { return .refused }
        let body = UnsafeRawBufferPointer(rebasing: bytes[answer.body])
        guard let status = body.stringValue(of: "\"status\"") else { return .refused }
        return status.elementsEqual("timeout".utf8) ? .timeout : .messages
      case .nchan:
        // nchan ends a poll that nothing came for with 408, or with 304 where it is so configured.
        if answer.status == 200 { return .messages }
        return answer.status == 408 || answer.status == 304 ? .timeout : .refused
      }
    }

    /// Whether the server says that messages were missed.
    func hasGap(_ answer: HTTPAnswer, in bytes: UnsafeRawBufferPointer) -> Bool {
      target == .holdfast && UnsafeRawBufferPointer(rebasing: bytes[answer.body]).find("\"gap\"", from: 0) != nil
    }

    /// Puts into `position` what the next poll has to carry, as it will stand in the request; false where the answer
    /// does not say. nchan's timeouts say nothing, and the position before stays right.
    func readPosition(_ answer: HTTPAnswer, in bytes: UnsafeRawBufferPointer, into position: inout Outbox) -> Bool {
      position.clear()
      switch target {
      case .holdfast:
        let body = UnsafeRawBufferPointer(rebasing: bytes[answer.body])
        guard let cursor = body.stringValue(of: "\"cursor\"") else { return false }
        position.append(cursor)
      case .nchan:
        guard !answer.lastModified.isEmpty else { return false }
        position.append("If-Modified-Since: ")
        position.append(UnsafeRawBufferPointer(rebasing: bytes[answer.lastModified]))
        position.append("\r\nIf-None-Match: ")
        position.append(UnsafeRawBufferPointer(rebasing: bytes[answer.etag]))
        position.append("\r\n")
      }
      return true
    }
  }
}

extension UnsafeRawBufferPointer {
  /// Where `needle` next stands.
  func find(_ needle: StaticString, from start: Int) -> Int? {
    guard let base = baseAddress, start < count else { return nil }
    let found = clinux_find(base + start, count - start, needle.utf8Start, needle.utf8CodeUnitCount)
    return found < 0 ? nil : start + found
  }

  /// Where the string begins that is the value of a member whose quoted name ends at `start`; blanks may stand around
  /// the colon.
  func stringStart(after start: Int) -> Int? {
    var index = start
    while index < count, self[index] == UInt8(ascii: " ") || self[index] == UInt8(ascii: ":") { index += 1 }
    return index < count && self[index] == UInt8(ascii: "\"") ? index + 1 : nil
  }

  /// The string that the first member of this quoted name holds. Enough for the strings of the protocol, which have
  /// nothing escaped.
  func stringValue(of name: StaticString) -> UnsafeRawBufferPointer? {
    guard let found = find(name, from: 0), let start = stringStart(after: found + name.utf8CodeUnitCount),
      let end = find("\"", from: start)
    else { return nil }
    return UnsafeRawBufferPointer(rebasing: self[start..<end])
  }
}
