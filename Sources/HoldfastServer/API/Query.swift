import Holdfast
import HoldfastProtocol

/// The parameters of a request's query that the protocol names, by where their values lie. Others are ignored.
struct Query {
  enum Name: Int, CaseIterable {
    case after, cursor, limit, prefix, since, timeout, ttl

    fileprivate init?(_ bytes: borrowing Span<UInt8>, _ range: Range<Int>) {
      switch range.count {
      case 3 where bytes.matches("ttl", at: range): self = .ttl
      case 5 where bytes.matches("limit", at: range): self = .limit
      case 5 where bytes.matches("since", at: range): self = .since
      case 5 where bytes.matches("after", at: range): self = .after
      case 6 where bytes.matches("cursor", at: range): self = .cursor
      case 6 where bytes.matches("prefix", at: range): self = .prefix
      case 7 where bytes.matches("timeout", at: range): self = .timeout
      default: self.init(percentEncoded: bytes, range)
      }
    }

    private init?(percentEncoded bytes: borrowing Span<UInt8>, _ range: Range<Int>) {
      for index in range where bytes[index] == UInt8(ascii: "%") {
        let decoded = bytes.percentDecoded(range)
        guard let name = Name.allCases.first(where: { "\($0)" == decoded }) else { return nil }
        self = name
        return
      }
      return nil
    }
  }

  /// By name, as offsets into the head, so that they take no more room than they must.
  private var values = InlineArray<7, Slice>(repeating: Slice())
  /// Where the head begins.
  private let base: Int

  init(_ request: borrowing HTTP1Connection.Request, _ bytes: borrowing Span<UInt8>) throws(Problem) {
    try self.init(bytes, request.head.query.range.shifted(by: request.start), base: request.start)
  }

  init(_ bytes: borrowing Span<UInt8>, _ range: Range<Int>, base: Int) throws(Problem) {
    self.base = base
    var start = range.lowerBound
    while start < range.upperBound {
      let rest = start..<range.upperBound
      let nameEnd =
        bytes.first(in: rest) { $0.equal(UInt8(ascii: "=")) | $0.equal(UInt8(ascii: "&")) } ?? rest.upperBound
      let end = bytes.first(in: nameEnd..<rest.upperBound) { $0.equal(UInt8(ascii: "&")) } ?? rest.upperBound
      if let name = Name(bytes, start..<nameEnd) {
        if !values[name.rawValue].isAbsent {
          throw Problem(.parameterDuplicate, "the query gives '\(name)' twice; give it once")
        }
        values[name.rawValue] = Slice(min(nameEnd + 1, end) - base..<end - base)
      }
      start = end + 1
    }
  }

  func range(_ name: Name) -> Range<Int>? {
    let value = values[name.rawValue]
    return value.isAbsent ? nil : value.range.shifted(by: base)
  }

  /// What is no percent-encoding stays as it is, and is then no valid value either.
  func text(_ name: Name, _ bytes: borrowing Span<UInt8>) -> String? {
    guard let range = range(name) else { return nil }
    return bytes.percentDecoded(range) ?? bytes.string(range)
  }

  /// A whole number of one to four digits, as nearly all numbers here are; nil for anything else.
  private func smallNumber(_ name: Name, _ bytes: borrowing Span<UInt8>) -> Int? {
    guard let range = range(name), (1...4).contains(range.count) else { return nil }
    var number = 0
    for index in range {
      if !bytes[index].isDigit { return nil }
      number = number * 10 + Int(bytes[index] - UInt8(ascii: "0"))
    }
    return number
  }

  /// Where the reading of each channel starts that a cursor stands for; false where none is given.
  func readCursor(_ bytes: borrowing Span<UInt8>, into slots: inout [HubLoop.Slot]) throws(Problem) -> Bool {
    guard let range = range(.cursor) else { return false }
    // A position of one channel is what nearly every poll has.
    if slots.count == 1, let position = Position(bytes, in: range) {
      slots[0].start = .after(position)
    } else if let cursor = try cursor(.cursor, bytes, channelCount: slots.count) {
      for index in slots.indices { slots[index].start = ReadStart(cursor.slots[index]) }
    }
    return true
  }

  /// A cursor; nil where none is given.
  func cursor(
    _ name: Name, _ bytes: borrowing Span<UInt8>, channelCount: Int
  ) throws(Problem) -> Cursor? {
    guard let range = range(name) else { return nil }
    do throws(CursorError) {
      for index in range where bytes[index] == UInt8(ascii: "%") {
        return try Cursor(text(name, bytes) ?? "", channelCount: channelCount)
      }
      return try Cursor(bytes, in: range, channelCount: channelCount)
    } catch {
      throw Problem(.cursorMalformed, "\(error)")
    }
  }

  /// The most messages, or channels, of an answer.
  func limit(_ bytes: borrowing Span<UInt8>) throws(Problem) -> Int {
    if values[Name.limit.rawValue].isAbsent { return WireLimit.limitDefault }
    let given =
      smallNumber(.limit, bytes) ?? text(.limit, bytes).flatMap { $0.utf8.allSatisfy(\.isDigit) ? Int($0) : nil }
    if let given, (1...WireLimit.limitMax).contains(given) { return given }
    throw Problem(.limitInvalid, "'limit' is a whole number from 1 to \(WireLimit.limitMax)")
  }

  /// How long a poll waits.
  func timeout(
    _ bytes: borrowing Span<UInt8>, default: Duration, max: Duration
  ) throws(Problem) -> Duration {
    if let seconds = smallNumber(.timeout, bytes) { return min(.seconds(seconds), max) }
    guard let timeout = text(.timeout, bytes) else { return `default` }
    guard let seconds = Query.seconds(timeout), seconds >= 0 else {
      throw Problem(.timeoutInvalid, "'timeout' is a number of seconds, 0 or more")
    }
    return seconds >= 1e9 ? max : min(.seconds(seconds), max)
  }

  func since(_ bytes: borrowing Span<UInt8>) throws(Problem) -> Timestamp? {
    guard let since = text(.since, bytes) else { return nil }
    guard let seconds = Query.seconds(since), seconds >= 0 else {
      throw Problem(.sinceInvalid, "'since' is Unix time in seconds, 0 or more")
    }
    // A double of seconds gives microseconds back exactly until 2106, so an answer's timestamp comes back as it was.
    return Timestamp(microseconds: seconds >= 9e12 ? .max : Int64((seconds * 1e6).rounded()))
  }

  /// The time a message has to live; nil for its log's.
  static func ttl(_ text: String?) throws(Problem) -> Duration? {
    guard let text else { return nil }
    guard let seconds = seconds(text), seconds > 0 else {
      throw Problem(.ttlInvalid, "'ttl' is a number of seconds above 0")
    }
    return .seconds(min(seconds, 1e9))
  }

  /// A finite decimal number, with an exponent or without. (`Double` alone would take `nan`, `inf` and `0x1p3`.)
  private static func seconds(_ text: String) -> Double? {
    let isDecimal = text.utf8.allSatisfy {
      $0.isDigit || $0 == UInt8(ascii: ".") || $0 | 0x20 == UInt8(ascii: "e") || $0 == UInt8(ascii: "-")
        || $0 == UInt8(ascii: "+")
    }
    // What overflows, such as 1e999, is as good as the largest number.
    guard isDecimal, let value = Double(text) else { return nil }
    return value
  }
}

extension Span<UInt8> {
  /// The text of a part of a target; nil where a `%` is not followed by two hexadecimal digits.
  func percentDecoded(_ range: Range<Int>) -> String? {
    var isPlain = true
    for index in range where self[index] == UInt8(ascii: "%") { isPlain = false }
    if isPlain { return string(range) }
    var decoded: [UInt8] = []
    var index = range.lowerBound
    while index < range.upperBound {
      if self[index] != UInt8(ascii: "%") {
        decoded.append(self[index])
        index += 1
        continue
      }
      guard index + 2 < range.upperBound, let high = self[index + 1].hexValue, let low = self[index + 2].hexValue else {
        return nil
      }
      decoded.append(high << 4 | low)
      index += 3
    }
    return String(decoding: decoded, as: UTF8.self)
  }

  /// Whether a part of a path is one name as it stands: no comma, nothing percent-encoded.
  func isPlainName(_ range: Range<Int>) -> Bool {
    first(in: range) { $0.equal(UInt8(ascii: ",")) | $0.equal(UInt8(ascii: "%")) } == nil
  }

  /// The one channel that a part of a path names.
  func channel(_ range: Range<Int>) throws(Problem) -> ChannelName {
    if isPlainName(range) {
      do { return try ChannelName(self, in: range) } catch { throw Problem(.channelInvalid, "\(error)") }
    }
    guard let text = percentDecoded(range) else {
      throw Problem(.channelInvalid, "the path has a '%' that two hexadecimal digits do not follow")
    }
    return try ChannelName(checking: text)
  }

  /// The channels that a part of a path names, with commas between them.
  func channels(_ range: Range<Int>) throws(Problem) -> [ChannelName] {
    guard let text = percentDecoded(range) else {
      throw Problem(.channelInvalid, "the path has a '%' that two hexadecimal digits do not follow")
    }
    var names: [ChannelName] = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      if names.count == WireLimit.channelsPerPollMax {
        throw Problem(.channelsTooMany, "a poll has at most \(WireLimit.channelsPerPollMax) channels")
      }
      let name = try ChannelName(checking: String(part))
      if names.contains(name) { throw Problem(.channelDuplicate, "the path names '\(name)' twice; name it once") }
      names.append(name)
    }
    return names
  }
}

extension ChannelName {
  /// As a request names it.
  init(checking text: String) throws(Problem) {
    do { self = try ChannelName(text) } catch { throw Problem(.channelInvalid, "\(error)") }
  }
}
