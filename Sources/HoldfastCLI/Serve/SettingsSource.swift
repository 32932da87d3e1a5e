import ArgumentParser
import Configuration
import Foundation
import SystemPackage
import Yams

/// Where settings come from: flags, then the environment, then a file. A wrong value is an error that names its source,
/// never a default taken in silence.
struct SettingsSource {
  private enum Origin {
    case flags
    case environment
    case file(String)
  }

  private let readers: [(origin: Origin, reader: ConfigReader)]

  /// - Parameters:
  ///   - settings: All there are, with what the flags say.
  ///   - file: The file that was named by a flag.
  init(_ settings: [(name: String, given: ConfigContent?)], file: String?) async throws {
    var flags: [AbsoluteConfigKey: ConfigValue] = [:]
    for (name, given) in settings {
      if let given { flags[AbsoluteConfigKey([name])] = ConfigValue(given, isSecret: false) }
    }
    let names = SettingNames(names: settings.map(\.name))
    let variables = ProcessInfo.processInfo.environment.filter { !SettingNames.isLink($0.key, $0.value) }
    try SettingNames(names: names.names + ["config"]).check(variables)
    let environment = EnvironmentVariablesProvider(environmentVariables: variables)
    var readers: [(Origin, ConfigReader)] = [
      (.flags, ConfigReader(provider: InMemoryProvider(values: flags))),
      (.environment, ConfigReader(provider: environment.prefixKeys(with: "holdfast"))),
    ]
    if let file = try file ?? environment.environmentValue(forName: SettingNames.variable("config")) {
      do {
        try names.check(Self.names(in: file), in: file)
        readers.append((.file(file), try await Self.reader(file)))
      } catch let error as ValidationError {
        throw error
      } catch {
        throw ValidationError("cannot read settings from '\(file)': \(error)")
      }
    }
    self.readers = readers
  }

  private static func reader(_ file: String) async throws -> ConfigReader {
    let path = FilePath(file)
    switch path.extension {
    case "json": return ConfigReader(provider: try await FileProvider<JSONSnapshot>(filePath: path))
    case "yaml", "yml": return ConfigReader(provider: try await FileProvider<YAMLSnapshot>(filePath: path))
    default: throw ValidationError("'\(file)' does not end with .yaml, .yml or .json, so its format is not known")
    }
  }

  private static func names(in file: String) throws -> [String] {
    guard let contents = FileManager.default.contents(atPath: file) else {
      throw ValidationError("cannot read settings from '\(file)': there is no such file, or it may not be read")
    }
    // YAML contains JSON.
    let settings = try Yams.load(yaml: String(decoding: contents, as: UTF8.self))
    guard let settings = (settings ?? [String: Any]()) as? [String: Any] else {
      throw ValidationError("'\(file)' is not a list of settings such as 'port: 8080'")
    }
    return Array(settings.keys)
  }

  /// The error for a value that was given.
  func wrong(_ name: String, _ detail: String) -> ValidationError { ValidationError("\(name): \(detail)") }

  /// Whether any source has it, whatever it says.
  func isGiven(_ name: String) async throws -> Bool {
    for (_, reader) in readers {
      do { if try await reader.fetchString(forKey: ConfigKey([name])) == nil { continue } } catch {}
      return true
    }
    return false
  }

  func string(_ name: String) async throws -> String? {
    try await first(name, "a text") { try await $0.fetchString(forKey: $1) }
  }

  func bool(_ name: String) async throws -> Bool? {
    try await first(name, "true or false") { try await $0.fetchBool(forKey: $1) }
  }

  func strings(_ name: String) async throws -> [String]? {
    try await first(name, "a list of texts") { try await $0.fetchStringArray(forKey: $1) }
  }

  func int(_ name: String, in range: ClosedRange<Int>) async throws -> Int? {
    let value = try await first(name, "a whole number") { try await $0.fetchInt(forKey: $1) }
    if let value, !range.contains(value) {
      throw wrong(name, "\(value) is not a whole number from \(range.lowerBound) to \(range.upperBound)")
    }
    return value
  }

  /// A time in seconds, above 0.
  func seconds(_ name: String, into duration: inout Duration) async throws {
    guard let value = try await first(name, "a number of seconds", { try await $0.fetchDouble(forKey: $1) }) else {
      return
    }
    if !(value > 0 && value <= 1e9) { throw wrong(name, "\(value) is not a number of seconds above 0") }
    duration = .seconds(value)
  }

  /// A limit, of which 0 stands for none.
  func limit(_ name: String, into limit: inout Int) async throws {
    if let value = try await int(name, in: 0...1_000_000_000) { limit = value == 0 ? .max : value }
  }

  private func first<Value>(
    _ name: String, _ expected: String, _ fetch: (ConfigReader, ConfigKey) async throws -> Value?
  ) async throws -> Value? {
    for (origin, reader) in readers {
      do {
        if let value = try await fetch(reader, ConfigKey([name])) { return value }
      } catch {
        switch origin {
        case .flags: throw wrong("--\(name)", "it is not \(expected)")
        case .environment:
          throw wrong(SettingNames.variable(name), "it is not \(expected)")
        case .file(let file): throw wrong("\(file)", "'\(name)' is not \(expected)")
        }
      }
    }
    return nil
  }
}
