import Foundation
@testable import HoldfastClient
import Synchronization
import Testing

/// One run of one case: a client in a ``VirtualWorld``, and what it did since the last step.
final class CaseRun: Sendable {
  private let script: Value
  private let log: Log
  private let world: VirtualWorld
  private let client: HoldfastClient
  private let subscription: Subscription

  /// What the client did.
  final class Log: Sendable {
    private let items = Mutex<[Value]>([])
    func note(_ name: String, _ value: Value) { items.withLock { $0.append(.object([name: value])) } }
    func take() -> [Value] {
      items.withLock { items in
        defer { items = [] }
        return items
      }
    }
  }

  init(_ script: Value) throws {
    self.script = script
    let log = Log()
    self.log = log
    world = VirtualWorld(
      randoms: script["random"]?.array?.compactMap(\.number) ?? [1],
      sent: { log.note($0.method == .post ? "publish" : "poll", Self.seen($0)) },
      aborted: { log.note("aborted", .string($0.method == .post ? "publish" : "poll")) })
    client = try HoldfastClient(
      server: "http://test", configuration: Self.configuration(script, log), world: world.parts)
    let options = script["client"]
    let stops = script["handlers"]?["connected"]?["stops"]?.bool ?? false
    let tellsStates = script["states"]?.bool ?? false
    let box = Box<Subscription?>(Mutex(nil))
    subscription = client.subscribe(
      to: options?["channels"]?.array?.compactMap(\.string) ?? ["news"],
      from: .cursor(options?["cursor"]?.string ?? "now"), limit: options?["limit"]?.integer,
      store: Self.store(script["store"], log)
    ) { notice in
      switch notice {
      case .connected:
        log.note("connected", .bool(true))
        if stops { box.value.withLock { $0 }?.stop() }
      case .disconnected(let error, let retrying):
        let members: [String: Value?] = [
          "code": .string(error.code.rawValue), "detail": .string(error.detail),
          "status": error.status.map { .number(Double($0)) }, "retrying": .bool(retrying),
        ]
        log.note("disconnected", .members(members))
      case .error(let error): log.note("error", .string(error.code.rawValue))
      case .state(let change): if tellsStates { log.note("state", .string(change.state.rawValue)) }
      }
    }
    let made = subscription
    box.value.withLock { $0 = made }
    try check(script["handlers"])
  }

  private final class Box<Content: Sendable>: Sendable {
    let value: Mutex<Content>
    init(_ value: consuming sending Mutex<Content>) { self.value = value }
  }

  func run(_ steps: [ClientCase.Step]) throws {
    for (index, step) in steps.enumerated() {
      try perform(step)
      world.executor.drain()
      compare(step.then, "step \(index + 1): \(step.name) \(step.value)")
    }
    subscription.stop()
    world.executor.drain()
  }

  // MARK: The client

  private static func configuration(_ script: Value, _ log: Log) throws -> HoldfastClient.Configuration {
    let options = script["client"] ?? .object([:])
    try options.allow([
      "channels", "cursor", "limit", "maxRetries", "publishQueueMax", "pollTimeout", "retryDelayMin", "retryDelayMax",
    ])
    var configuration = HoldfastClient.Configuration()
    configuration.clientID = "test"
    configuration.maxRetries = options["maxRetries"]?.integer
    if let count = options["publishQueueMax"]?.integer { configuration.publishQueueMax = count }
    if let timeout = options["pollTimeout"]?.duration { configuration.pollTimeout = timeout }
    if let delay = options["retryDelayMin"]?.duration { configuration.retryDelayMin = delay }
    if let delay = options["retryDelayMax"]?.duration { configuration.retryDelayMax = delay }
    if let tokens = script["tokens"]?.array {
      let left = Box(Mutex(tokens[...]))
      configuration.token = { isFresh in
        log.note("token", .bool(isFresh))
        let next = left.value.withLock { $0.popFirst() }
        if next == .bool(false) {
          let (never, end) = AsyncStream<Void>.makeStream()
          for await _ in never {}
          withExtendedLifetime(end) {}
        }
        guard let token = next?.string else {
          throw ClientCase.Refused(description: "no token to be had")
        }
        return token
      }
    }
    return configuration
  }

  private struct Store: CursorStore {
    var cursor: String?
    var isBroken: Bool
    var log: Log

    func get() throws -> String? {
      guard !isBroken else { throw ClientCase.Refused(description: "the store is broken") }
      return cursor
    }

    func set(_ cursor: String) throws {
      guard !isBroken else { throw ClientCase.Refused(description: "the store is broken") }
      log.note("stored", .string(cursor))
    }
  }

  private static func store(_ script: Value?, _ log: Log) -> Store? {
    script.map { Store(cursor: $0["cursor"]?.string, isBroken: $0 == .string("broken"), log: log) }
  }

  private func check(_ handlers: Value?) throws {
    for (_, handler) in handlers?.object ?? [:] { try handler.allow(["stops", "takes"]) }
  }

  /// Iterates, as a program does.
  private func start() {
    let run = subscription.driver.begin()
    Task(executorPreference: world.executor) { [self] in
      while let event = try await run.next() { try await handle(event) }
    }
  }

  private func handle(_ event: SubscriptionEvent) async throws {
    let name: String
    switch event {
    case .gap(let gap):
      name = "gap"
      let missed = gap.missed.map { Value.number(Double($0)) } ?? .null
      log.note(
        "gap", .object(["channel": .string(gap.channel), "reason": .string(gap.reason.rawValue), "missed": missed]))
    case .message(let message):
      name = "\(message.channel):\(Int(message.timestamp))"
      #expect(message.id == "\(message.channel)-\(Int(message.timestamp))-0")
      #expect(String(decoding: message.data, as: UTF8.self) == "\(Int(message.timestamp))")
      log.note("message", .string(name))
    }
    let handler = script["handlers"]?[name]
    if handler?["stops"] == .bool(true) { subscription.stop() }
    if let time = handler?["takes"]?.duration { try await world.sleep(time) }
  }

  // MARK: What happens

  private func perform(_ step: ClientCase.Step) throws {
    switch step.name {
    case "start", "stop": try call(step.name)
    case "call": for name in step.value.array ?? [] { try call(name.string ?? "") }
    case "advance": world.advance(step.value.duration ?? .zero)
    case "sleep": client.sleep()
    case "wake": client.wake()
    case "offline": client.isOffline = step.value == .bool(true)
    case "publish": try publish(step.value)
    case "fail": world.fail(try open(step))
    case "answer":
      let request = try open(step)
      if step.value["stalls"] == .bool(true) { return world.stall(request) }
      world.answer(request, try Self.answer(step.value, to: request.request))
    default: throw ClientCase.Refused(description: "unknown step '\(step.name)'")
    }
  }

  private func call(_ name: String) throws {
    switch name {
    case "start": start()
    case "stop": subscription.stop()
    default: throw ClientCase.Refused(description: "unknown function '\(name)'")
    }
  }

  private func publish(_ message: Value) throws {
    guard let channel = message["channel"]?.string, let data = message["data"] else {
      throw ClientCase.Refused(description: "not a message: \(message)")
    }
    Task(executorPreference: world.executor) { [client, log] in
      do throws(HoldfastClientError) {
        log.note("published", .string(try await client.publish(data, to: channel).messageID))
      } catch {
        log.note("rejected", .string(error.code.rawValue))
      }
    }
  }

  private func open(_ step: ClientCase.Step) throws -> VirtualWorld.Open {
    guard let request = world.open(publish: step.isForPublish) else {
      throw ClientCase.Refused(description: "there is no request to which this could happen: \(step)")
    }
    return request
  }

  // MARK: Texts

  /// `news:2` as the protocol writes it.
  private static func message(_ text: String) throws -> (id: String, members: [String: Value]) {
    let parts = text.split(separator: ":")
    guard parts.count == 2, let number = Double(parts[1]) else {
      throw ClientCase.Refused(description: "not a message: \(text)")
    }
    let id = "\(parts[0])-\(parts[1])-0"
    let members: [String: Value] = [
      "id": .string(id), "channel": .string(String(parts[0])), "timestamp": .number(number), "data": .number(number),
    ]
    return (id, members)
  }

  private static func answer(_ answer: Value, to request: WireRequest) throws -> VirtualWorld.Answer {
    try answer.allow(["messages", "cursor", "gap", "more", "status", "headers", "problem", "body", "published"])
    if let published = answer["published"]?.string {
      var (id, members) = try message(published)
      members["data"] = nil
      members["id"] = nil
      members["message_id"] = .string(id)
      members["subscribers"] = .number(1)
      return VirtualWorld.Answer(body: Value.object(members).description)
    }
    if let status = answer["status"]?.integer {
      let problem = answer["problem"]?.object.map { members in
        let common: [String: Value] = ["status": .number(Double(status)), "error": .string("Refused")]
        return Value.object(members.merging(common) { own, _ in own })
      }
      return VirtualWorld.Answer(
        status: status, fields: (answer["headers"]?.object ?? [:]).compactMapValues(\.string),
        body: problem?.description ?? answer["body"]?.string ?? "")
    }
    if let body = answer["body"]?.string { return VirtualWorld.Answer(body: body) }
    let messages = try (answer["messages"]?.array ?? []).map { try message($0.string ?? "") }
    let members: [String: Value?] = [
      "status": .string(messages.isEmpty && answer["gap"] == nil ? "timeout" : "messages"), "gap": answer["gap"],
      "messages": .array(messages.map { .object($0.members) }), "count": .number(Double(messages.count)),
      "cursor": answer["cursor"] ?? (messages.last?.id ?? query(of: request)["cursor"]).map { .string($0) },
      "more": answer["more"] ?? .bool(false),
    ]
    return VirtualWorld.Answer(body: Value.members(members).description)
  }

  private static func query(of request: WireRequest) -> [String: String] {
    let text = request.url.split(separator: "?", maxSplits: 1).dropFirst().first ?? ""
    return text.split(separator: "&").reduce(into: [:]) { query, pair in
      let parts = pair.split(separator: "=", maxSplits: 1)
      query[String(parts[0])] = String(parts[1]).removingPercentEncoding
    }
  }

  /// A request as the scripts write it.
  private static func seen(_ request: WireRequest) -> Value {
    let fields = Dictionary(request.fields.map { ($0.name, $0.value) }) { first, _ in first }
    let path = request.url.split(separator: "?")[0].split(separator: "/")
    let channels = path.last.map { $0.split(separator: ",").compactMap { String($0).removingPercentEncoding } } ?? []
    let token = fields["authorization"].map { Value.string(String($0.dropFirst("Bearer ".count))) }
    if request.method == .post {
      return .members([
        "channel": .string(channels[0]), "data": (try? Value(parsing: request.body)) ?? .string("malformed"),
        "key": fields["idempotency-key"].map { .string($0) }, "token": token,
      ])
    }
    let query = query(of: request)
    return .members([
      "channels": .array(channels.map { .string($0) }), "cursor": query["cursor"].map { .string($0) },
      "timeout": query["timeout"].flatMap(Double.init).map { .number($0) },
      "limit": query["limit"].flatMap(Double.init).map { .number($0) }, "token": token,
    ])
  }

  // MARK: Comparing

  /// Compares with what was done since, and forgets that.
  private func compare(_ expected: [Value], _ step: String) {
    let did = log.take()
    let isAbort: (Value) -> Bool = { $0["aborted"] != nil }
    #expect(did.filter(isAbort) == expected.filter(isAbort), "aborted in \(step)")
    let rest = did.filter { !isAbort($0) }
    let wanted = expected.filter { !isAbort($0) }
    let seen = rest.enumerated().map { index, item in
      index < wanted.count ? Self.reduced(item, to: wanted[index]) : item
    }
    #expect(seen == wanted, "\(step): the client did \(rest)")
  }

  /// Of what was done, the members that the script names.
  private static func reduced(_ item: Value, to wanted: Value) -> Value {
    guard let (name, members) = item.object?.first, let own = members.object, let named = wanted[name]?.object else {
      return item
    }
    return .object([name: .object(own.filter { named[$0.key] != nil })])
  }
}
