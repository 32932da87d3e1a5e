import Foundation
import Holdfast
import HoldfastProtocol
import Testing

@testable import HoldfastServer

@Suite struct JSONTests {
  static func error(_ bytes: [UInt8]) -> JSONError? {
    do throws(JSONError) {
      try JSONScanner.validate(bytes)
      return nil
    } catch { return error }
  }

  static func error(_ text: String) -> JSONError? { error(Array(text.utf8)) }

  static let valid = [
    "null", "true", "false", "0", "-0", "-1.5e+10", "1E400", "1e-400", "123456789012345678901234567890", "0.0", "\"\"",
    "\"a\"", #""\"\\\/\b\f\n\r\t\u0000\uD834\uDD1E""#, "\"ä€𝄞\u{7f}\"", "[]", "{}", "[ ]", "{ }", "[[],{}]",
    " \t\r\n[ 1 , 2 ]\n", #"{"a":1,"a":2}"#, #"{"":{"":[null]}}"#, #"{ "a" : [ 1 , { "b" : null } ] , "c" : "d" }"#,
    #""\ud800""#, #"[1,[2,[3,[4]]],{"a":{"b":{"c":[]}}}]"#, "\"\u{2028}\u{2029}\u{feff}\"",
  ]

  @Test(arguments: valid) func `A value of RFC 8259 passes`(_ text: String) {
    #expect(Self.error(text) == nil)
  }

  static let invalid: [(String, Int)] = [
    ("", 0), (" ", 1), ("nul", 3), ("nulL", 3), ("True", 0), ("nullx", 4), ("1 2", 2), ("01", 1), ("-", 1), ("-a", 1),
    ("+1", 0), (".5", 0), ("1.", 2), ("1.e5", 2), ("1e", 2), ("1e+", 3), ("0x1", 1), ("NaN", 0), ("Infinity", 0),
    ("-Infinity", 1), ("'a'", 0), ("\"", 1), ("\"a", 2), ("\"\\", 2), ("\"\\x\"", 2), ("\"\\u12\"", 5),
    ("\"\\u123g\"", 6),
    ("\"\n\"", 1), ("\"\u{0}\"", 1), ("\"a\tb\"", 2), ("[", 1), ("]", 0), ("[1", 2), ("[1,", 3), ("[1,]", 3),
    ("[,1]", 1),
    ("[1 2]", 3), ("[1}", 2), ("{", 1), ("{\"a\"}", 4), ("{\"a\":}", 5), ("{\"a\":1", 6), ("{\"a\":1,}", 7),
    ("{a:1}", 1),
    ("{1:1}", 1), ("{\"a\" 1}", 5), ("{\"a\":1]", 6), ("{,}", 1), ("[]]", 2), ("{}{}", 2), ("// a", 0), ("[1]/**/", 3),
    ("\u{feff}1", 0), ("[\u{a0}1]", 1), ("\u{c}1", 0), ("[[[]", 4), ("{\"a\":[}", 6), ("{\"a\":tru}", 8),
  ]

  @Test(arguments: invalid) func `What is no value of RFC 8259 is refused at its first wrong byte`(
    _ text: String, _ offset: Int
  ) {
    #expect(Self.error(text)?.offset == offset)
    #expect(Self.error(text)?.isTooDeep == false)
  }

  @Test func `Bytes that are not UTF-8 are refused where they begin`() {
    let wrong: [[UInt8]] = [
      [0x80], [0xbf], [0xc0, 0x80], [0xc1, 0xbf], [0xc2], [0xc2, 0x41], [0xe0, 0x80, 0x80], [0xe0, 0x9f, 0xbf],
      [0xe2, 0x82], [0xe2, 0x41, 0x41], [0xed, 0xa0, 0x80], [0xed, 0xbf, 0xbf], [0xf0, 0x80, 0x80, 0x80],
      [0xf0, 0x8f, 0xbf, 0xbf], [0xf0, 0x9f, 0x98], [0xf4, 0x90, 0x80, 0x80], [0xf5, 0x80, 0x80, 0x80], [0xff], [0xfe],
    ]
    for bytes in wrong {
      let text = Array("\"ä".utf8) + bytes + Array("\"".utf8)
      #expect(Self.error(text)?.offset == 3, "\(bytes)")
      #expect((Array("ä".utf8) + bytes).span.firstInvalidUTF8() == 2)
      #expect(String(validating: bytes, as: UTF8.self) == nil)
    }
    for scalar: UInt32 in [0, 0x7f, 0x80, 0x7ff, 0x800, 0xd7ff, 0xe000, 0xffff, 0x10000, 0x10ffff] {
      #expect(Array(String(UnicodeScalar(scalar)!).utf8).span.firstInvalidUTF8() == nil)
    }
  }

  @Test func `UTF-8 is told from other bytes as the standard library does`() {
    var random = SeededGenerator(testSeed)
    let pool: [UInt8] = [
      0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xed, 0xef, 0xf0, 0xf1, 0xf4, 0xf5,
    ]
    for _ in 0..<50_000 {
      let bytes = (0..<random.below(7)).map { _ in pool[random.below(pool.count)] }
      #expect((bytes.span.firstInvalidUTF8() == nil) == (String(validating: bytes, as: UTF8.self) != nil), "\(bytes)")
    }
  }

  @Test func `Values may be nested 512 deep and no deeper, whatever is inside`() {
    func nested(_ open: String, _ inner: String, _ close: String, _ depth: Int) -> String {
      String(repeating: open, count: depth) + inner + String(repeating: close, count: depth)
    }
    for (open, inner, close) in [
      ("[", "", "]"), ("[", "1", "]"), ("[ ", "1", " ]"), ("{\"a\":", "1", "}"), ("[{\"a\": ", "[]", "}]"),
    ] {
      let step = open.contains("[{") ? 2 : 1
      let inside = inner == "[]" ? 1 : 0
      let most = (512 - inside) / step
      #expect(Self.error(nested(open, inner, close, most)) == nil, "\(open)")
      let error = Self.error(nested(open, inner, close, most + 1))
      #expect(error?.isTooDeep == true, "\(open)")
      let deep = nested(open, inner, close, 100_000)
      #expect(Self.error(deep)?.isTooDeep == true)
      #expect(Self.error(String(repeating: open, count: 100_000))?.isTooDeep == true)
      // The offset is that of the bracket too many.
      let bytes = Array(deep.utf8)
      let brackets = bytes.indices.filter { bytes[$0] == UInt8(ascii: "[") || bytes[$0] == UInt8(ascii: "{") }
      #expect(Self.error(deep)?.offset == brackets[512])
    }
  }

  @Test func `A message names what was expected and what was found`() {
    #expect(Self.error("{\"a\"}")?.detail == "expected ':' after a member's name, found '}'")
    #expect(Self.error("[1,")?.detail == "expected a value, found the end")
    #expect(Self.error("\u{1}")?.detail == "expected a value, found byte 1")
  }

  /// Foundation differs in a few things, which are left out: it refuses half a surrogate pair and numbers beyond a
  /// double, and takes a byte order mark and a comma before a closing bracket.
  @Test func `Mutated JSON passes exactly where Foundation takes it`() {
    var random = SeededGenerator(testSeed)
    let parts = [
      "{", "}", "[", "]", ",", ":", "\"", "\"a\"", "1", "-", "0", ".", "e", "+", "true", "null", " ", "\n", "\\", "\\n",
      "\\u00e4", "ä", "\u{1}",
    ]
    let seeds = Self.valid.filter { !$0.contains("400") && !$0.lowercased().contains("\\ud8") && $0.utf8.count < 100 }
    var passed = 0
    for round in 0..<60_000 {
      var bytes = Array(seeds[random.below(seeds.count)].utf8)
      for _ in 0...random.below(3) {
        let place = random.below(bytes.count + 1)
        switch random.below(4) {
        case 0: bytes.insert(contentsOf: Array(parts[random.below(parts.count)].utf8), at: place)
        case 1 where place < bytes.count: bytes.remove(at: place)
        case 2 where place < bytes.count: bytes[place] = UInt8(truncatingIfNeeded: random.next())
        default: bytes.insert(contentsOf: bytes[min(place, bytes.count / 2)...], at: place)
        }
      }
      let text = String(decoding: bytes, as: UTF8.self).lowercased()
      if text.contains("\\ud") || text.hasPrefix("\u{feff}") || bytes.contains(0) || bytes.first == 0xef { continue }
      if text.contains(/e[+-]?\d{3,}/) || text.contains(/,\s*[\]}]/) { continue }
      let ours = Self.error(bytes) == nil
      let theirs = (try? JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed)) != nil
      if ours { passed += 1 }
      if ours != theirs {
        Issue.record(
          "ours \(ours), Foundation \(theirs): \(text.debugDescription) \(bytes), seed \(testSeed) round \(round)")
        return
      }
    }
    #expect(passed > 2_000)
  }

  @Test func `Garbage never crashes the scanner, and its offset lies within`() {
    var random = SeededGenerator(testSeed)
    for _ in 0..<50_000 {
      let bytes = (0..<random.below(20)).map { _ in
        random.below(2) == 0
          ? UInt8(truncatingIfNeeded: random.next()) : Array("{}[],:\"\\01e.-tfn ".utf8)[random.below(17)]
      }
      if let error = Self.error(bytes) { #expect((0...bytes.count).contains(error.offset)) }
    }
  }

  // MARK: Batch items

  private func items(_ text: String) throws -> [BatchItem] { try BatchItem.readArray(Array(text.utf8)) }

  @Test func `Items of an array and of lines are read alike`() throws {
    let text =
      #" [ {"channel":"a","data":{"x":[1, 2]}} , {"data" : null, "channel" : "b", "ttl":1.5, "idempotency_key":"k", "more":[{}]} ]"#
    let lines =
      "{\"channel\":\"a\",\"data\":{\"x\":[1, 2]}}\r\n\n  \n{\"data\" : null, \"channel\" : \"b\", \"ttl\":1.5, \"idempotency_key\":\"k\"}"
    for items in [
      try items(text), try BatchItem.readLines(Array(lines.utf8)), try BatchItem.readLines(Array((lines + "\n").utf8)),
    ] {
      #expect(items.count == 2)
      let (first, draft) = try items[0].draft()
      #expect(first.text == "a" && draft.payload.bytes.text == #"{"x":[1, 2]}"# && draft.ttl == nil)
      let (second, other) = try items[1].draft()
      #expect(second.text == "b" && other.payload.bytes.text == "null" && other.ttl == .seconds(1.5))
      #expect(other.idempotencyKey == "k")
    }
    #expect(try items("[]").isEmpty && items(" [ ] ").isEmpty)
    #expect(try BatchItem.readLines([]).isEmpty)
  }

  @Test func `The last of members with one name counts`() throws {
    let (channel, draft) = try items(#"[{"channel":"a","data":1,"channel":"b","data":2}]"#)[0].draft()
    #expect(channel.text == "b" && draft.payload.bytes.text == "2")
  }

  static let refusedItems: [(String, ProblemCode)] = [
    ("1", .itemInvalid), ("null", .itemInvalid), ("[]", .itemInvalid), ("{}", .itemInvalid),
    (#"{"channel":"a"}"#, .itemInvalid),
    (#"{"data":1}"#, .itemInvalid), (#"{"channel":1,"data":1}"#, .channelInvalid),
    (#"{"channel":"","data":1}"#, .channelInvalid),
    (#"{"channel":"a b","data":1}"#, .channelInvalid), (#"{"channel":null,"data":1}"#, .channelInvalid),
    (#"{"channel":"a","data":1,"ttl":0}"#, .ttlInvalid), (#"{"channel":"a","data":1,"ttl":-1}"#, .ttlInvalid),
    (#"{"channel":"a","data":1,"ttl":"1"}"#, .ttlInvalid), (#"{"channel":"a","data":1,"ttl":null}"#, .ttlInvalid),
    (#"{"channel":"a","data":1,"idempotency_key":""}"#, .idempotencyKeyInvalid),
    (#"{"channel":"a","data":1,"idempotency_key":1}"#, .idempotencyKeyInvalid),
    (#"{"channel":"a","data":1,"idempotency_key":"ä"}"#, .idempotencyKeyInvalid),
  ]

  @Test(arguments: refusedItems) func `An item that is not right is refused by itself`(
    _ text: String, _ code: ProblemCode
  ) throws {
    let item = try #require(try items("[\(text)]").first)
    do throws(Problem) {
      _ = try item.draft()
      Issue.record("accepted")
    } catch { #expect(error.code == code) }
  }

  @Test func `A batch that is not well-formed is refused at its first wrong byte, in the whole body`() {
    let arrays: [(String, Int)] = [
      ("", 0), ("{}", 0), ("[", 1), ("[1", 2), ("[1,]", 3), ("[1 2]", 3), ("[]x", 2), (#"[{"a":1,}]"#, 8), ("[{,}]", 2),
      (#"[{"channel":"a","data":}]"#, 23), ("[{\"a\" 1}]", 6), ("[{]", 2), ("[{\"a\":1]", 7),
    ]
    for (text, offset) in arrays {
      #expect(throws: JSONError.self) { try items(text) }
      do throws(JSONError) { _ = try BatchItem.readArray(Array(text.utf8)) } catch {
        #expect(error.offset == offset, "\(text)")
      }
    }
    let lines: [(String, Int)] = [("1\n\n{", 4), ("{}\n[1,]\n", 6), ("1 2", 2), ("{}\n\"\n\"", 4)]
    for (text, offset) in lines {
      #expect(throws: JSONError.self) { try BatchItem.readLines(Array(text.utf8)) }
      do throws(JSONError) { _ = try BatchItem.readLines(Array(text.utf8)) } catch {
        #expect(error.offset == offset, "\(text)")
      }
    }
  }

  // MARK: Writing

  @Test func `A written string is read again by Foundation as it was`() throws {
    var random = SeededGenerator(testSeed)
    let pool = (0..<0x30).map { UnicodeScalar($0)! } + "\"\\/\u{7f}\u{80}ä€\u{2028}𝄞".unicodeScalars
    for _ in 0..<2000 {
      var text = ""
      for _ in 0..<random.below(30) { text.unicodeScalars.append(pool[random.below(pool.count)]) }
      var json: [UInt8] = []
      json.writeString(text)
      #expect(Self.error(json) == nil)
      #expect(try JSONSerialization.jsonObject(with: Data(json), options: .fragmentsAllowed) as? String == text)
    }
  }

  @Test func `Base64 and numbers are written as Foundation writes them`() {
    var random = SeededGenerator(testSeed)
    for length in 0..<200 {
      let bytes = (0..<length).map { _ in UInt8(truncatingIfNeeded: random.next()) }
      var json: [UInt8] = []
      json.writeBase64(bytes)
      #expect(json.text == "\"\(Data(bytes).base64EncodedString())\"")
    }
    for number: UInt64 in [0, 1, 9, 10, 11, 99, 100, 1_234_567_890, .max] {
      var text: [UInt8] = [65]
      text.write(number)
      #expect(text.text == "A\(number)")
    }
  }
}
