import Glibc

/// One case of `conformance/*.json`: a sentence, and the steps that make it true or false.
struct ConformanceCase: Sendable, CustomStringConvertible {
  var subject: String
  var name: String
  var steps: [Step]

  var description: String { "\(subject): \(name)" }

  /// What one step does; `conformance/README.md` explains each member.
  struct Step: Sendable {
    var connection: String
    var request: JSON?
    var bytes: JSON?
    var headers: [JSON.Member]
    var body: JSON?
    var answer: ExpectedAnswer?
    var within: Duration?
    var times: Int
    var silent: Duration?
    var drip: Bool
    var closes: Bool
    var close: Bool
  }

  /// `HOLDFAST_CONFORMANCE_CASE` chooses those whose name contains it, for who works on one of them.
  static let chosen = getenv("HOLDFAST_CONFORMANCE_CASE").map { String(cString: $0) }

  /// Every case there is. A file that cannot be read stops the tests: a case that is not run must not look passed.
  static let all: [ConformanceCase] = {
    do {
      let cases = try load(folder)
      return cases.filter { chosen.map($0.name.contains) ?? true }
    } catch { fatalError("conformance: \(error)") }
  }()

  /// `conformance/` of this repository, found from this file.
  static let folder: String = {
    var parts = #filePath.split(separator: "/")
    parts.removeLast(4)
    return "/" + parts.joined(separator: "/") + "/conformance"
  }()

  private static func load(_ folder: String) throws -> [ConformanceCase] {
    guard let directory = opendir(folder) else { throw Failure("cannot open \(folder): \(errnoText())") }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
        pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name.hasSuffix(".json") { names.append(name) }
    }
    return try names.sorted().flatMap { name in
      let file = try JSON(parsing: Array(readFile("\(folder)/\(name)").utf8))
      try file.allow("about", "cases")
      guard let cases = file["cases"]?.array, !cases.isEmpty else { throw Failure("\(name) has no cases") }
      return try cases.map { try ConformanceCase(subject: String(name.dropLast(5)), $0) }
    }
  }

  private init(subject: String, _ json: JSON) throws {
    try json.allow("name", "steps")
    guard let name = json["name"]?.string, let steps = json["steps"]?.array, !steps.isEmpty else {
      throw Failure("\(subject): a case needs a name and steps: \(json)")
    }
    self.subject = subject
    self.name = name
    self.steps = try steps.map(Step.init)
    guard self.steps.contains(where: { $0.answer != nil }) else { throw Failure("\(name): nothing can fail here") }
  }
}

extension ConformanceCase.Step {
  init(_ json: JSON) throws {
    try json.allow(
      "on", "request", "bytes", "headers", "body", "answer", "within", "times", "silent", "drip", "closes", "close")
    connection = json["on"]?.string ?? "main"
    request = json["request"]
    bytes = json["bytes"]
    headers = json["headers"]?.members ?? []
    body = json["body"]
    answer = try json["answer"].map(ExpectedAnswer.init)
    within = json["within"]?.number.map { .seconds($0) }
    times = json["times"]?.integer ?? 1
    silent = json["silent"]?.number.map { .seconds($0) }
    drip = json["drip"]?.bool ?? false
    closes = json["closes"]?.bool ?? false
    close = json["close"]?.bool ?? false
  }
}

extension JSON {
  /// Refuses a member that no runner knows: a word misspelt in a case would otherwise check nothing.
  func allow(_ names: String...) throws {
    for member in members ?? [] where !names.contains(member.name) {
      throw Failure("a case has the unknown member \(member.name.debugDescription): \(self)")
    }
  }
}
