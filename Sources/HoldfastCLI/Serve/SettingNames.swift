import ArgumentParser

/// The settings there are. A misspelt one would otherwise be a default taken in silence.
struct SettingNames {
  private static let prefix = "HOLDFAST_"

  /// Variables that begin like settings of `serve` and are none: the other commands', the build's and the tests'.
  private static let otherVariables: Set = [
    ServerOptions.variable, "HOLDFAST_STRICT", "HOLDFAST_BINARY", "HOLDFAST_CONFORMANCE_CASE",
    "HOLDFAST_CONFORMANCE_URL", "HOLDFAST_TEST_DRIVER", "HOLDFAST_TEST_SEED",
  ]

  /// As in a file and, behind `--`, as flags.
  let names: [String]

  static func variable(_ name: String) -> String { prefix + name.uppercased().replacing("-", with: "_") }

  /// Refuses a file with a name that is no setting.
  func check(_ given: some Sequence<String>, in file: String) throws(ValidationError) {
    for name in given.sorted() where !names.contains(name) {
      throw unknown("'\(name)' in '\(file)'", closest(to: name, among: names))
    }
  }

  /// Refuses an environment with a variable that begins like a setting and is none.
  func check(_ environment: [String: String]) throws(ValidationError) {
    let known = names.map(Self.variable)
    for name in environment.keys.sorted() where name.hasPrefix(Self.prefix) {
      if known.contains(name) || Self.otherVariables.contains(name) { continue }
      throw unknown(name, closest(to: name, among: known))
    }
  }

  private func unknown(_ what: String, _ closest: String) -> ValidationError {
    ValidationError("\(what) is no setting; the closest one is \(closest), and 'holdfast serve --help' lists all")
  }

  /// Whether this is how Kubernetes and Docker tell of a neighbour, such as a service called `holdfast-admin` or just
  /// `holdfast`: `HOLDFAST_ADMIN_SERVICE_HOST`, `HOLDFAST_PORT=tcp://10.0.0.7:80`, `HOLDFAST_PORT_80_TCP_ADDR`.
  static func isLink(_ name: String, _ value: String) -> Bool {
    name.hasSuffix("_SERVICE_HOST") || name.contains("_SERVICE_PORT") || name.contains(#/_PORT_\d+_(TCP|UDP|SCTP)/#)
      || (name.hasSuffix("_PORT") && value.contains("://"))
  }

  private func closest(to given: String, among known: [String]) -> String {
    known.min { Self.distance($0, given) < Self.distance($1, given) } ?? ""
  }

  /// How many characters must be put in, taken out or changed to make one of the other.
  static func distance(_ one: String, _ other: String) -> Int {
    let other = Array(other)
    var row = Array(0...other.count)
    for (i, character) in one.enumerated() {
      var diagonal = row[0]
      row[0] = i + 1
      for j in other.indices {
        let replaced = diagonal + (other[j] == character ? 0 : 1)
        diagonal = row[j + 1]
        row[j + 1] = min(replaced, diagonal + 1, row[j] + 1)
      }
    }
    return row[other.count]
  }
}
