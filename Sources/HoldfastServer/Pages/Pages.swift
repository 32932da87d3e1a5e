import HoldfastProtocol

/// What a server has for browsers: the JavaScript client as one module, its types, and a page that shows it at work.
///
/// They are part of the binary, and know the prefix that its API has. A cache may keep them for ten minutes; after that
/// their tag tells whether they are still the same, so that a new server's client reaches pages by itself.
struct Pages: Sendable {
  struct Page: Sendable {
    let contentType: StaticString
    let body: [UInt8]
    /// What an `ETag` says: another text has another.
    let tag: String

    fileprivate init(_ contentType: StaticString, _ text: String, prefix: String) {
      self.contentType = contentType
      let isOwn = prefix == WirePath.prefixDefault
      body = Array((isOwn ? text : Pages.replaced(text, WirePath.prefixDefault, by: prefix)).utf8)
      // FNV-1a.
      let hash = body.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
      tag = "\"\(String(hash, radix: 36))\""
    }
  }

  enum Name: Sendable {
    case module, types, example
  }

  private let module: Page
  private let types: Page
  private let example: Page

  subscript(name: Name) -> Page {
    switch name {
    case .module: module
    case .types: types
    case .example: example
    }
  }

  init(prefix: String) {
    module = Page("text/javascript; charset=utf-8", PageTexts.module, prefix: prefix)
    types = Page("text/plain; charset=utf-8", PageTexts.types, prefix: prefix)
    example = Page("text/html; charset=utf-8", PageTexts.example, prefix: prefix)
  }

  /// - Parameter known: An `If-None-Match`: the tags of what the client has, of which a proxy may have made weak ones.
  static func reply(_ page: Page, known: String?) -> Reply {
    let isKnown = known == "*" || known?.contains(page.tag) ?? false
    var reply = Reply(status: isKnown ? 304 : 200, contentType: page.contentType, body: isKnown ? [] : page.body)
    reply.mayBeKept = true
    reply.setField("Cache-Control", "max-age=600")
    reply.setField("ETag", page.tag)
    return reply
  }

  private static func replaced(_ text: String, _ old: String, by new: String) -> String {
    var result = ""
    var rest = text[...]
    while let range = rest.firstRange(of: old) {
      result += rest[..<range.lowerBound] + new
      rest = rest[range.upperBound...]
    }
    return result + rest
  }
}
