import ArgumentParser
import Holdfast
import HoldfastServer

/// What `serve` runs with, from all sources.
struct ServeSettings {
  var server = ServerConfiguration()
  var logs = Logs.Settings()
  /// What is said of the address when a socket was passed.
  var passed: PassedSocket?

  static func read(_ options: ServeOptions) async throws -> ServeSettings {
    var settings = ServeSettings()
    let source = try await SettingsSource(options.settings, file: options.config)
    try await settings.readServer(source)
    try await settings.readSocket(source)
    try await settings.readLogs(source)
    try await settings.readHolds(source)
    try await settings.readMisc(source)
    return settings
  }

  private mutating func readServer(_ source: SettingsSource) async throws {
    if let host = try await source.string("host") { server.host = host }
    if let port = try await source.int("port", in: 0...65535) { server.port = port }
    if let name = try await source.string("driver") {
      guard let driver = ServerConfiguration.Driver(rawValue: name) else {
        throw source.wrong("driver", "'\(name)' is not a driver known here; there are auto, epoll and nio")
      }
      server.driver = driver
    }
    if let threads = try await source.int("threads", in: 1...62) { server.threads = threads }
    if let body = try await source.int("body-bytes-max", in: 1...(1 << 30)) { server.bodyBytesMax = body }
    if let prefix = try await source.string("prefix") {
      let isPath =
        prefix.first == "/" && prefix.last != "/" && prefix.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f }
        && !prefix.contains { #"?#%"<>\^`{|}"#.contains($0) }
      if !prefix.isEmpty && !isPath { throw source.wrong("prefix", "'\(prefix)' is not empty or a path such as /api") }
      server.prefix = prefix
    }
    if let store = try await source.string("store"), store != "memory" {
      throw source.wrong("store", "'\(store)' is not a store known here; there is 'memory'")
    }
    try await source.seconds("poll-timeout-max", into: &server.pollTimeoutMax)
    try await source.seconds("head-timeout", into: &server.headTimeout)
    try await source.seconds("body-timeout", into: &server.bodyTimeout)
    try await source.seconds("idle-timeout", into: &server.idleTimeout)
    try await source.seconds("send-timeout", into: &server.sendTimeout)
    try await source.seconds("shutdown-timeout", into: &server.shutdownTimeout)
  }

  private mutating func readSocket(_ source: SettingsSource) async throws {
    server.reusesPort = try await source.bool("reuse-port") ?? false
    passed = try PassedSocket.take()
    guard let passed else { return }
    for name in ["host", "port", "reuse-port"] where try await source.isGiven(name) {
      throw source.wrong(name, "a listening socket was passed (LISTEN_FDS), which has that settled; leave it away")
    }
    server.listeningSocket = passed.descriptor
    server.host = passed.host
  }

  private mutating func readLogs(_ source: SettingsSource) async throws {
    if let count = try await source.int("log-messages-max", in: 1...10_000_000) { server.store.log.messagesMax = count }
    try await source.seconds("log-age-max", into: &server.store.log.ageMax)
    if let bytes = try await source.int("log-bytes-max", in: 1...(1 << 40)) { server.store.log.bytesMax = bytes }
    if let bytes = try await source.int("store-bytes-max", in: 1...(1 << 50)) { server.store.bytesMax = bytes }
    for text in try await source.strings("log-rules") ?? [] {
      guard let rule = LogRule(text, otherwise: server.store.log) else {
        throw source.wrong("log-rules", "'\(text)' is not like 'chat.*=messages:100 age:60 bytes:65536'")
      }
      server.store.rules.append(rule)
    }
  }

  private mutating func readHolds(_ source: SettingsSource) async throws {
    try await source.limit("connections-per-client-max", into: &server.holds.perClientMax)
    try await source.limit("connections-per-address-max", into: &server.holds.perAddressMax)
    try await source.limit("connections-per-channel-max", into: &server.holds.perChannelMax)
    try await source.limit("connections-max", into: &server.holds.totalMax)
  }

  private mutating func readMisc(_ source: SettingsSource) async throws {
    for origin in try await source.strings("cors-origins") ?? [] {
      if origin != "*" && !origin.contains("://") && origin != "null" {
        throw source.wrong("cors-origins", "'\(origin)' is not an origin such as https://example.com, or *")
      }
      server.corsOrigins.append(origin.last == "/" ? String(origin.dropLast()) : origin)
    }
    for text in try await source.strings("trusted-proxies") ?? [] {
      guard let range = AddressRange(text) else {
        throw source.wrong("trusted-proxies", "'\(text)' is not an address or a range such as 10.0.0.0/8")
      }
      server.trustedProxies.append(range)
    }
    if let level = try await source.string("log-level") {
      guard let known = Logs.level(level) else {
        throw source.wrong("log-level", "'\(level)' is not one of \(Logs.levels)")
      }
      logs.level = known
    }
    if let format = try await source.string("log-format") {
      guard let known = Logs.Format(rawValue: format) else {
        throw source.wrong("log-format", "'\(format)' is neither text nor json")
      }
      logs.format = known
    }
  }
}

extension LogRule {
  /// Reads `PATTERN=messages:N age:SECONDS bytes:N`, of which each bound may be left out.
  fileprivate init?(_ text: String, otherwise bounds: LogBounds) {
    let parts = text.split(separator: "=", maxSplits: 1)
    guard parts.count == 2 else { return nil }
    var bounds = bounds
    for part in parts[1].split(separator: " ") {
      let pair = part.split(separator: ":", maxSplits: 1)
      guard pair.count == 2, let value = Double(pair[1]), value > 0, value <= 1e12 else { return nil }
      switch pair[0] {
      case "messages": bounds.messagesMax = Int(value)
      case "age": bounds.ageMax = .seconds(value)
      case "bytes": bounds.bytesMax = Int(value)
      default: return nil
      }
    }
    self.init(pattern: String(parts[0]), bounds: bounds)
  }
}
