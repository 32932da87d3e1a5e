import Glibc

/// A request's bytes with the headers every request needs.
func request(_ line: String, headers: [(String, String)] = [], body: String? = nil) -> String {
  var text = "\(line) HTTP/1.1\r\nHost: 127.0.0.1\r\n"
  for (name, value) in headers { text += "\(name): \(value)\r\n" }
  if let body { text += "Content-Length: \(body.utf8.count)\r\n" }
  return text + "\r\n" + (body ?? "")
}

extension Connection {
  func ask(_ line: String, headers: [(String, String)] = [], body: String? = nil) throws -> Answer {
    try send(request(line, headers: headers, body: body))
    return try answer()
  }
}

extension HoldfastProcess {
  func ask(_ line: String, headers: [(String, String)] = [], body: String? = nil) throws -> Answer {
    try connect().ask(line, headers: headers, body: body)
  }

  /// Publishes `data` and returns the message's id.
  @discardableResult
  func publish(_ channel: String, _ data: String, headers: [(String, String)] = []) throws -> String {
    let answer = try ask("POST /api/publish/\(channel)", headers: headers, body: data)
    guard answer.status == 200, let id = try answer.json()["message_id"]?.string else { throw Failure("\(answer)") }
    return id
  }

  /// Publishes many messages to one channel, in order and in as few requests as the body's limit allows.
  func publishAll(_ channel: String, _ data: [String]) throws {
    let connection = try connect()
    var rest = data[...]
    while !rest.isEmpty {
      let part = rest.prefix(200)
      rest = rest.dropFirst(200)
      let items = part.map { "{\"channel\":\"\(channel)\",\"data\":\($0)}" }.joined(separator: ",")
      let answer = try connection.ask("POST /api/publish", body: "[\(items)]")
      guard answer.status == 200, try answer.json()["failed"]?.integer == 0 else { throw Failure("\(answer)") }
    }
  }

  /// Opens a connection whose poll is to be held; it is not waited for.
  func hold(
    _ channel: String, client: String? = nil, query: String = "", from source: String? = nil,
    headers: [(String, String)] = []
  ) throws -> Connection {
    let connection = try connect(from: source)
    let name = client.map { [("X-Client-ID", $0)] } ?? []
    try connection.send(request("GET /api/poll/\(channel)?timeout=60\(query)", headers: name + headers))
    return connection
  }

  /// How many polls the server says are held on a channel.
  func held(_ channel: String) throws -> Int {
    let answer = try ask("GET /api/channels/\(channel)")
    if answer.status == 404 { return 0 }
    guard let count = try answer.json()["held"]?.integer else { throw Failure("no held in \(answer)") }
    return count
  }

  func expectHeld(_ channel: String, _ count: Int, within bound: Duration = .seconds(20)) throws {
    try eventually(within: bound, "\(count) polls held on \(channel)") {
      try held(channel)
    } until: {
      $0 == count
    }
  }

  /// The sockets that the server has open. Other descriptors come and go with threads and timers, and are not counted.
  func openSockets() throws -> Int {
    let folder = "/proc/\(process.pid)/fd"
    guard let directory = opendir(folder) else { throw Failure("no \(folder): \(errnoText())") }
    defer { closedir(directory) }
    var count = 0
    while let entry = readdir(directory) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
        pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      var target = [UInt8](repeating: 0, count: 64)
      let length = target.withUnsafeMutableBytes { buffer in
        readlink("\(folder)/\(name)", buffer.baseAddress!.assumingMemoryBound(to: CChar.self), buffer.count)
      }
      if length > 0, target.starts(with: "socket:".utf8) { count += 1 }
    }
    return count
  }
}

/// Throws unless `condition` holds. Tests run on threads that Swift Testing does not know, so what they find is thrown
/// to the test and not recorded where nobody would read it.
func expect(_ condition: Bool, _ sentence: @autoclosure () -> String) throws {
  if !condition { throw Failure(sentence()) }
}

func expect<Value: Equatable>(_ got: Value, is expected: Value, _ what: @autoclosure () -> String) throws {
  if got != expected { throw Failure("\(what()): expected \(expected), got \(got)") }
}

/// Starts a server with `flags`, runs `body` away from the cooperative pool, and stops the server whatever happens.
func withServer(_ flags: String..., body: @escaping @Sendable (HoldfastProcess) throws -> Void) async throws {
  try await blocking {
    let server = try HoldfastProcess(flags)
    defer { server.stop() }
    do { try body(server) } catch {
      throw Failure("\(error)\nthe server's log ends with:\n\(server.process.errorText.suffix(1500))")
    }
  }
}
