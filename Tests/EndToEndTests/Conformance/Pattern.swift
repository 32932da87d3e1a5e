/// What a value in an answer is held against; `conformance/README.md` lists the words.
///
/// Plain JSON means itself: strings after `${}`, numbers by value, arrays and objects member by member and nothing
/// besides. An object whose first member begins with `$` is one of the words below.
struct Pattern {
  private let json: JSON

  init(_ json: JSON) { self.json = json }

  /// Throws the first difference, naming its place; keeps what is captured.
  func match(_ value: JSON?, _ place: String, _ variables: inout Variables) throws {
    if case .object(let members) = json, let word = members.first, word.name.hasPrefix("$") {
      return try match(word: word, members, value, place, &variables)
    }
    guard let value else { throw Failure("\(place): missing, expected \(json)") }
    switch (json, value) {
    case (.null, .null): return
    case (.bool(let expected), .bool(let got)) where expected == got: return
    case (.number(let expected), .number(let got)) where Double(expected) == Double(got): return
    case (.string(let expected), .string(let got)):
      let text = try variables.text(expected)
      if text == got { return }
      throw Failure("\(place): expected \(text.debugDescription), got \(got.debugDescription)")
    case (.array(let expected), .array(let got)):
      guard expected.count == got.count else {
        throw Failure("\(place): expected \(expected.count) elements, got \(got.count): \(value)")
      }
      for (index, pair) in zip(expected, got).enumerated() {
        try Pattern(pair.0).match(pair.1, "\(place)[\(index)]", &variables)
      }
    case (.object(let expected), .object(let got)):
      for member in got where !expected.contains(where: { $0.name == member.name }) {
        throw Failure("\(place): the member \(member.name) is not expected: \(value)")
      }
      try matchMembers(expected, got, place, &variables)
    default: throw Failure("\(place): expected \(json), got \(value)")
    }
  }

  private func matchMembers(
    _ expected: [JSON.Member], _ got: [JSON.Member], _ place: String, _ variables: inout Variables
  ) throws {
    for member in expected {
      let found = got.filter { $0.name == member.name }
      guard found.count <= 1 else { throw Failure("\(place): the member \(member.name) stands there twice") }
      try Pattern(member.value).match(found.first?.value, "\(place).\(member.name)", &variables)
    }
  }

  private func match(
    word: JSON.Member, _ members: [JSON.Member], _ value: JSON?, _ place: String, _ variables: inout Variables
  ) throws {
    if word.name == "$absent" {
      if let value { throw Failure("\(place): expected none, got \(value)") }
      return
    }
    if word.name == "$either" {
      for choice in word.value.array ?? [] {
        var attempt = variables
        if (try? Pattern(choice).match(value, place, &attempt)) != nil {
          variables = attempt
          return
        }
      }
      throw Failure("\(place): expected one of \(word.value), got \(value?.description ?? "nothing")")
    }
    guard let value else { throw Failure("\(place): missing, expected \(json)") }
    let got = value.scalarText
    let wrong = Failure("\(place): expected \(json), got \(value)")
    switch (word.name, word.value) {
    case ("$some", .object(let expected)):
      guard case .object(let actual) = value else { throw wrong }
      try matchMembers(expected, actual, place, &variables)
    case ("$type", .string(let name)):
      guard Pattern.has(value, type: name) else { throw wrong }
      if let least = json["least"]?.number, (value.number ?? 0) < least { throw wrong }
    case ("$capture", .string(let name)):
      if let inner = json["as"] { try Pattern(inner).match(value, place, &variables) }
      guard let got else { throw wrong }
      variables[name] = got
    case ("$same", .string(let name)):
      guard let known = variables[name], known == got else {
        throw Failure("\(place): expected \(variables[name] ?? "${\(name)}, which is not known"), got \(value)")
      }
    case ("$above", .string(let name)):
      guard let known = variables[name].flatMap(Double.init), let number = value.number, number > known else {
        throw wrong
      }
    case ("$matches", .string(let expression)):
      guard let got, try Pattern.match(got, expression, &variables) else { throw wrong }
    case ("$unordered", .array(let expected)):
      guard case .array(var rest) = value, rest.count == expected.count else { throw wrong }
      for choice in expected {
        var unused = variables
        guard let index = rest.firstIndex(where: { (try? Pattern(choice).match($0, place, &unused)) != nil }) else {
          throw wrong
        }
        rest.remove(at: index)
      }
    case ("$list", .object):
      guard let values = value.array, values.count == word.value["length"]?.integer else { throw wrong }
      if let first = word.value["first"] { try Pattern(first).match(values.first, "\(place)[first]", &variables) }
      if let last = word.value["last"] { try Pattern(last).match(values.last, "\(place)[last]", &variables) }
    default: throw Failure("\(place): the case has an unknown word: \(json)")
    }
  }

  /// Named groups of the expression become variables.
  private static func match(_ text: String, _ expression: String, _ variables: inout Variables) throws -> Bool {
    let regex = try Regex(expression)
    guard let match = text.firstMatch(of: regex) else { return false }
    for group in match.output {
      if let name = group.name, let found = group.substring { variables[name] = String(found) }
    }
    return true
  }

  private static func has(_ value: JSON, type: String) -> Bool {
    switch (type, value) {
    case ("string", .string), ("number", .number), ("boolean", .bool), ("array", .array), ("object", .object): true
    case ("integer", .number(let text)): text.wholeMatch(of: #/-?[0-9]+/#) != nil
    case ("timestamp", .number(let text)): text.wholeMatch(of: #/[0-9]+\.[0-9]{6}/#) != nil
    case ("id", .string(let text)): text.wholeMatch(of: #/[0-9a-z]+-[0-9]+-[0-9a-f]+/#) != nil
    default: false
    }
  }
}
