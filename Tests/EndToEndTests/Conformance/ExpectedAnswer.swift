/// What a step says about an answer. Everything that is said must hold.
struct ExpectedAnswer: Sendable {
  var status: JSON?
  var headers: [JSON.Member]
  var problem: JSON?
  var json: JSON?
  var contains: JSON?
  var body: JSON?
  var took: (least: Duration, most: Duration)?
  var bodiless: Bool

  init(_ json: JSON) throws {
    try json.allow("status", "headers", "problem", "json", "contains", "body", "took", "bodiless")
    status = json["status"]
    headers = json["headers"]?.members ?? []
    problem = json["problem"]
    self.json = json["json"]
    contains = json["contains"]
    body = json["body"]
    bodiless = json["bodiless"]?.bool ?? false
    guard status != nil else { throw Failure("an expected answer has no status: \(json)") }
    if let bounds = json["took"] {
      try bounds.allow("least", "most")
      took = (.seconds(bounds["least"]?.number ?? 0), .seconds(bounds["most"]?.number ?? 3600))
    }
  }

  /// Compares, and keeps what is captured in `variables`; throws the first difference.
  func check(_ answer: Answer, took elapsed: Duration, _ variables: inout Variables) throws {
    if let status { try Pattern(status).match(.number("\(answer.status)"), "status", &variables) }
    for header in headers {
      try Pattern(header.value).match(answer.header(header.name).map(JSON.string), "header \(header.name)", &variables)
    }
    let type = answer.header("content-type") ?? ""
    if let problem {
      guard type.hasPrefix("application/problem+json") else {
        throw Failure("an error of type \(type.debugDescription)")
      }
      guard answer.header("cache-control") == "no-store" else {
        throw Failure("an error without Cache-Control: no-store")
      }
      let shape = JSON.some([
        ("status", .number("\(answer.status)")), ("title", .type("string")), ("code", problem),
        ("error", .type("string")), ("detail", .type("string")),
      ])
      try Pattern(shape).match(answer.json(), "problem", &variables)
    }
    if let json {
      guard type.hasPrefix(answer.status < 400 ? "application/json" : "application/problem+json") else {
        throw Failure("a body of type \(type.debugDescription)")
      }
      try Pattern(json).match(answer.json(), "body", &variables)
    }
    if let contains {
      let bytes = try variables.bytes(contains)
      guard answer.body.firstRange(of: bytes) != nil else {
        throw Failure(
          "the body does not contain \(String(decoding: bytes.prefix(200), as: UTF8.self).debugDescription)")
      }
    }
    if let body {
      guard try answer.body == variables.bytes(body) else {
        throw Failure("the body is \(answer.text.debugDescription)")
      }
    }
    if let took, elapsed < took.least || elapsed > took.most { throw Failure("it took \(elapsed)") }
  }
}

extension JSON {
  fileprivate static func type(_ name: String) -> JSON { .object([.init(name: "$type", value: .string(name))]) }
  fileprivate static func some(_ members: [(String, JSON)]) -> JSON {
    .object([.init(name: "$some", value: .object(members.map { .init(name: $0.0, value: $0.1) }))])
  }
}
