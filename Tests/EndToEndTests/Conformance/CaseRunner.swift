/// Runs one case against one server: connections by name, steps in order, the first difference thrown.
struct CaseRunner {
  let port: UInt16
  private var variables: Variables
  private var connections: [String: Connection] = [:]

  init(host: String, port: UInt16) {
    self.port = port
    variables = Variables(host: host)
  }

  mutating func run(_ test: ConformanceCase) throws {
    for (index, step) in test.steps.enumerated() {
      do {
        for number in 1...step.times {
          variables["i"] = "\(number)"
          try run(step)
        }
      } catch {
        throw Failure("step \(index + 1), \(step.request ?? step.bytes ?? .string("on \(step.connection)")):\n\(error)")
      }
    }
  }

  private mutating func run(_ step: ConformanceCase.Step) throws {
    let deadline = Deadline.after(step.within ?? .zero)
    while true {
      let connection = try connect(step.connection)
      if step.request != nil || step.bytes != nil {
        let bytes = try requestBytes(step)
        if step.drip { for byte in bytes { try connection.send([byte]) } } else { try connection.send(bytes) }
      }
      if let expected = step.answer {
        let answer = try connection.answer(bodiless: expected.bodiless)
        do {
          try expected.check(answer, took: connection.lastSent.duration(to: .now), &variables)
        } catch {
          if step.within != nil, !deadline.hasPassed {
            // Asked again in a moment; hundreds of cases that ask without one would be a load test of their own.
            try connection.expectSilence(for: .milliseconds(10))
            continue
          }
          throw Failure("\(error)\nthe answer was \(answer)")
        }
      }
      if let silent = step.silent { try connection.expectSilence(for: silent) }
      if step.closes { try connection.expectClose() }
      if step.close { connection.close() }
      if step.close || step.closes { connections[step.connection] = nil }
      return
    }
  }

  private mutating func connect(_ name: String) throws -> Connection {
    if let connection = connections[name] { return connection }
    let connection = try Connection(port: port)
    connections[name] = connection
    return connection
  }

  /// A `request` gets Host, X-Client-ID and Content-Length unless the case names them; `bytes` get nothing.
  private func requestBytes(_ step: ConformanceCase.Step) throws -> [UInt8] {
    if let bytes = step.bytes { return try variables.bytes(bytes) }
    var result = try variables.bytes(step.request ?? .null) + Array(" HTTP/1.1\r\n".utf8)
    let body = try step.body.map(variables.bytes)
    var headers: [(String, JSON)] = step.headers.map { ($0.name, $0.value) }
    func add(_ name: String, _ value: String) {
      if !headers.contains(where: { $0.0.lowercased() == name.lowercased() }) { headers.append((name, .string(value))) }
    }
    add("Host", "${host}")
    add("X-Client-ID", "${client}")
    if let body { add("Content-Length", "\(body.count)") }
    for (name, value) in headers where value != .null {
      result += Array("\(name): ".utf8) + (try variables.bytes(value)) + [0x0D, 0x0A]
    }
    return result + [0x0D, 0x0A] + (body ?? [])
  }
}
