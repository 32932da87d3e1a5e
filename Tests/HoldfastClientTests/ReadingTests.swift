@testable import HoldfastClient
import Testing

struct ReadingTests {
  private let whole = #"{"a":[1,{"b":[]},"x\"\\\u00e9"],"c":{"d":null,"e":-1.5e+3},"f":true, "g":false }"#

  private func skips(_ text: String) -> Bool {
    var reader = JSONReader(Array(text.utf8))
    return (try? reader.skip()) != nil && (try? reader.end()) != nil
  }

  @Test func `A value is passed with the range it has, without the space around it`() throws {
    var reader = JSONReader(Array("  [1, 2] \n".utf8))
    #expect(try reader.skip() == 2..<8)
    try reader.end()
    #expect(skips(whole))
  }

  @Test(arguments: [
    "", " ", "{", "[1,]", "[1 2]", "{\"a\"}", "{\"a\":1,}", "{a:1}", "{1:2}", "01", "1.", ".5", "-", "+1", "1e", "tru",
    "nulll", "\"", "\"\\x\"", "\"\\u12g4\"", "\"\u{1}\"", "[1]]", "'a'", "NaN",
  ])
  func `What is not JSON is refused`(text: String) {
    #expect(!skips(text))
  }

  @Test func `No end and no changed byte makes the reader trap`() {
    let bytes = Array(whole.utf8)
    for end in bytes.indices { #expect(!skips(String(decoding: bytes[..<end], as: UTF8.self))) }
    let pageBytes = Array(page([(1, whole), (2, "2")], cursor: "c", gap: "{}").utf8)
    for index in pageBytes.indices {
      for byte: UInt8 in [0, 0x20, 0x22, 0x2C, 0x2D, 0x30, 0x3A, 0x5B, 0x5C, 0x5D, 0x75, 0x7B, 0x7D, 0xFF] {
        var changed = pageBytes
        changed[index] = byte
        _ = try? MessagePage(json: changed)
      }
    }
  }

  @Test func `Nesting is bounded`() {
    let depth = JSONReader.depthMax
    #expect(skips(String(repeating: "[", count: depth) + "1" + String(repeating: "]", count: depth)))
    #expect(!skips(String(repeating: "[", count: depth + 1) + "1" + String(repeating: "]", count: depth + 1)))
    #expect(!skips(String(repeating: "{\"a\":", count: 1_000_000)))
  }

  @Test(arguments: [
    (#""a\"\\\/\b\f\n\r\t""#, "a\"\\/\u{8}\u{c}\n\r\t"), (#""\u00e9\ud83c\udf0d!""#, "é🌍!"),
    (#""\ud83c-""#, "\u{FFFD}-"), ("\"é🌍\"", "é🌍"),
  ])
  func `Strings are unescaped`(json: String, text: String) throws {
    var reader = JSONReader(Array(json.utf8))
    #expect(try reader.string() == text)
  }

  @Test func `A timestamp keeps its microseconds`() throws {
    var reader = JSONReader(Array("1790000000.123457".utf8))
    #expect(try reader.number() == 1_790_000_000.123457)
  }

  @Test func `A channel that nothing was published to has no head`() throws {
    let state = #"{"channel":"a","head":null,"oldest":null,"count":0,"bytes":0,"held":1}"#
    let json = #"{"channels":[\#(state)],"count":1,"more":true}"#
    let page = try ChannelPage(json: Array(json.utf8))
    #expect(page.channels.map(\.head) == [nil])
    #expect(page.channels.map(\.held) == [1])
    #expect(page.more)
  }

  @Test(arguments: [
    ("http://h:8080", "/api", "http://h:8080/api"), ("h", "api/", "http://h/api"), ("HTTPS://h/", "/", "https://h"),
    ("http://h/a//b/", "/api", "http://h/a/b/api"), ("http://[::1]:80", "", "http://[::1]:80"),
  ])
  func `An address is taken as people write it`(server: String, prefix: String, base: String) throws {
    #expect(try ServerAddress(server, pathPrefix: prefix).base == base)
  }

  @Test(arguments: ["", "http://", "ftp://h", "http://h:x", "http://h:70000", "http://h?q", "http://a b", "http://h:"])
  func `What is not an address is refused`(server: String) {
    #expect(throws: HoldfastClientError.self) { try ServerAddress(server, pathPrefix: "/api") }
  }

  @Test func `Names are encoded so that they cannot mean anything else`() throws {
    let address = try ServerAddress("h", pathPrefix: "/api")
    #expect(ServerAddress.list(["a-Z_0.:~@", "b,c/d?é", ".."]) == "a-Z_0.:~@,b%2Cc%2Fd%3F%C3%A9,%2E%2E")
    #expect(address.url("/p", "x", query: [("a", "1&b=2"), ("c", nil)]) == "http://h/api/p/x?a=1%26b%3D2")
  }

  @Test(arguments: [(Duration.seconds(30), "30"), (.milliseconds(1500), "1.500000"), (.microseconds(7), "0.000007")])
  func `Durations are written as decimal seconds`(duration: Duration, text: String) {
    #expect(duration.wireSeconds == text)
  }
}
