import Testing

@testable import Holdfast

@Suite struct NamesTests {
  static let allowed = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.:~@".utf8)

  @Test func `A channel name is made of the allowed characters and no others`() throws {
    for byte in UInt8.min...127 {
      let text = String(decoding: [UInt8(ascii: "a"), byte], as: UTF8.self)
      if Self.allowed.contains(byte) {
        #expect(try ChannelName(text).text == text)
      } else {
        #expect(throws: ChannelNameError.character(at: 1)) { try ChannelName(text) }
      }
    }
  }

  @Test(arguments: ["é", "新", "a\u{301}", "👍", "a\u{0}", "a b", "a/b", "a,b", "a%20", "*", "a\r\nb", "\u{feff}a"])
  func `A name with anything else is refused`(text: String) {
    #expect(throws: ChannelNameError.self) { try ChannelName(text) }
  }

  @Test func `A name has 1 to 128 characters`() throws {
    #expect(throws: ChannelNameError.empty) { try ChannelName("") }
    #expect(try ChannelName("a").text == "a")
    #expect(try ChannelName(String(repeating: "a", count: 128)).text.count == 128)
    #expect(throws: ChannelNameError.tooLong(129)) { try ChannelName(String(repeating: "a", count: 129)) }
    #expect(throws: ChannelNameError.character(at: 130)) { try ChannelName(String(repeating: "a", count: 130) + "/") }
  }

  @Test func `Names are told apart by case and sorted by byte`() throws {
    let names = try ["b", "a", "B", "~", "0", "a-"].map { try ChannelName($0) }
    #expect(names.sorted().map(\.text) == ["0", "B", "a", "a-", "b", "~"])
    #expect(try ChannelName("news") != ChannelName("News"))
  }

  @Test func `What is wrong with a name is said in a sentence`() {
    let errors: [ChannelNameError] = [.empty, .tooLong(129), .character(at: 3)]
    #expect(errors.map { "\($0)" }.allSatisfy { $0.contains("channel name") })
  }

  @Test func `A rule matches by its pattern in which a star stands for any characters`() throws {
    func matches(_ pattern: String, _ name: String) throws -> Bool {
      LogRule(pattern: pattern, bounds: LogBounds()).matches(try ChannelName(name))
    }
    for (pattern, name) in [
      ("*", "a"), ("a", "a"), ("a*", "a"), ("a*", "abc"), ("*c", "abc"), ("a*c", "ac"), ("a*c", "abbc"),
      ("a*b*c", "aXbYbZc"), ("**", "a"), ("a**", "a"), ("*ab", "aab"), ("*aab", "aaaab"), ("user:*:in", "user:1:in:in"),
    ] {
      #expect(try matches(pattern, name), "\(pattern) should match \(name)")
    }
    for (pattern, name) in [
      ("", "a"), ("a", "b"), ("a", "ab"), ("ab", "a"), ("a*", "ba"), ("*c", "cb"), ("a*c", "acb"), ("a*b*c", "acb"),
      ("A", "a"), ("user:*:in", "user:in"),
    ] {
      #expect(try !matches(pattern, name), "\(pattern) should not match \(name)")
    }
  }

  @Test func `A rule agrees with a naive matcher on random patterns`() throws {
    func naive(_ pattern: ArraySlice<Character>, _ name: ArraySlice<Character>) -> Bool {
      guard let first = pattern.first else { return name.isEmpty }
      if first == "*" {
        return (0...name.count).contains { naive(pattern.dropFirst(), name.dropFirst($0)) }
      }
      return name.first == first && naive(pattern.dropFirst(), name.dropFirst())
    }
    var random = SeededRandom(seed: 11)
    for _ in 0..<2000 {
      let pattern = String((0..<random.below(6)).map { _ in "ab*".randomElement(using: &random) ?? "a" })
      let name = String((0..<(1 + random.below(6))).map { _ in "ab".randomElement(using: &random) ?? "a" })
      let rule = LogRule(pattern: pattern, bounds: LogBounds())
      #expect(rule.matches(try ChannelName(name)) == naive(Array(pattern)[...], Array(name)[...]), "\(pattern) \(name)")
    }
  }

  @Test func `The first rule that matches bounds a log`() throws {
    let store = MemoryStore(
      limits: MemoryStore.Limits(
        log: LogBounds(messagesMax: 3),
        rules: [
          LogRule(pattern: "one:*", bounds: LogBounds(messagesMax: 1)),
          LogRule(pattern: "*", bounds: LogBounds(messagesMax: 2)),
        ]))
    for (name, count) in [("one:a", 1), ("news", 2)] {
      let channel = try ChannelName(name)
      for _ in 0..<5 { _ = try store.append(Draft(json("1")), to: channel, at: at(0)) }
      #expect(store.summary(channel, at: at(0))?.count == count)
    }
  }
}
