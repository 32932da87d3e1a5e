#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// One case of `conformance/client`, whose README has the format. What it does not know it refuses: a member that is
/// misspelt would check nothing.
struct ClientCase: Sendable, CustomStringConvertible {
  struct Step: Sendable {
    var name: String
    var value: Value
    var isForPublish: Bool
    var then: [Value]
  }

  struct Refused: Error, CustomStringConvertible {
    var description: String
  }

  var subject: String
  var name: String
  var script: Value
  var steps: [Step]

  var description: String { "\(subject): \(name)" }

  /// Whether it is about functions that the client calls; this client is iterated.
  var needsHandlers: Bool { script["needs"] == .array([.string("handlers")]) }

  /// Every case there is. A file that cannot be read stops the tests: a case that is not run must not look passed.
  static let all: [ClientCase] = {
    do {
      let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../../conformance/client")
      let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".json") }
      return try names.sorted().flatMap { name in
        let file = try Value(parsing: Data(contentsOf: folder.appending(path: name)))
        try file.allow(["about", "cases"])
        return try (file["cases"]?.array ?? []).map { try ClientCase(subject: String(name.dropLast(5)), $0) }
      }
    } catch {
      fatalError("conformance/client: \(error)")
    }
  }()

  private init(subject: String, _ script: Value) throws {
    try script.allow(["name", "needs", "client", "random", "tokens", "store", "handlers", "states", "steps"])
    self.subject = subject
    self.script = script
    guard let name = script["name"]?.string, let steps = script["steps"]?.array else {
      throw Refused(description: "a case of \(subject) has no name or no steps")
    }
    self.name = name
    self.steps = try steps.map { step in
      let members = step.object ?? [:]
      let names = members.keys.filter { !["to", "then"].contains($0) }
      guard let name = names.first, names.count == 1, let value = members[name] else {
        throw Refused(description: "not one thing that happens: \(step)")
      }
      return Step(
        name: name, value: value, isForPublish: members["to"] == .string("publish"), then: members["then"]?.array ?? [])
    }
    if let needs = script["needs"], needs != .array([.string("handlers")]) {
      throw Refused(description: "unknown needs \(needs)")
    }
  }
}

extension Value {
  /// Refuses members with other names.
  func allow(_ names: Set<String>) throws {
    for name in (object ?? [:]).keys where !names.contains(name) {
      throw ClientCase.Refused(description: "unknown member '\(name)' in \(self)")
    }
  }
}
