import Testing

extension FaultTests {
  @Suite("Input that nobody would send")
  struct Mutations {
    @Test("3,000 requests with bytes changed, lost, doubled and cut off leave the server whole", arguments: [1, 2])
    func mutated(seed: UInt64) async throws {
      try await withServer("--idle-timeout", "5") { server in
        var random = SplitMix(state: seed)
        for _ in 0..<60 {
          let connections = try (0..<50).map { _ in try server.connect() }
          for connection in connections {
            try connection.send(mutate(Array(originals.randomElement(using: &random)!.utf8), using: &random))
          }
          for connection in connections { connection.close() }
        }
        try expect(server.process.exitCode(within: .zero), is: nil, "the exit code of a server that is to live")
        try server.publish("after", "1")
        try expect(server.ask("GET /api/history/after").json()["count"]?.integer, is: 1, "messages")
        try expect(server.terminate(), is: 0, "the exit code")
      }
    }
  }
}

private let originals = [
  request("GET /api/poll/a,b?timeout=0&cursor=now.earliest&limit=5", headers: [("X-Client-ID", "one")]),
  request("GET /api/poll/a?timeout=1e99&since=0"),
  request("GET /api/poll/a?timeout=0&cursor=0a1b2c-9223372036854775807-ffffffff"),
  request("POST /api/publish/a?ttl=0.5", headers: [("Idempotency-Key", "k")], body: "{\"a\":[1,2.5e3,\"\\u00e9\"]}"),
  request(
    "POST /api/publish", body: "[{\"channel\":\"a\",\"data\":{\"x\":null},\"ttl\":1},{\"channel\":\"b\",\"data\":0}]"),
  request(
    "POST /api/publish", headers: [("Content-Type", "application/x-ndjson")],
    body: "{\"channel\":\"a\",\"data\":1}\n\n{\"channel\":\"b\",\"data\":2}\n"),
  "POST /api/publish/a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    + "3;x=y\r\n[1,\r\n2\r\n2]\r\n0\r\nT: v\r\n\r\n",
  request("GET /api/history/a?after=earliest&limit=1000") + request("DELETE /api/channels/a"),
  request("OPTIONS /api/channels?prefix=a&after=b", headers: [("Origin", "http://127.0.0.1")]),
]

/// One to four changes, of the kinds that parsers trip over.
private func mutate(_ original: [UInt8], using random: inout SplitMix) -> [UInt8] {
  var bytes = original
  for _ in 0..<Int.random(in: 1...4, using: &random) where !bytes.isEmpty {
    let index = bytes.indices.randomElement(using: &random)!
    switch Int.random(in: 0..<6, using: &random) {
    case 0: bytes[index] = .random(in: 0...255, using: &random)
    case 1: bytes.remove(at: index)
    case 2: bytes.insert(bytes[index], at: index)
    case 3: bytes.removeSubrange(index...)
    case 4: bytes.insert(contentsOf: Array("99999999999999999999".utf8), at: index)
    default: bytes[index] ^= 1 << UInt8.random(in: 0..<8, using: &random)
    }
  }
  return bytes
}

/// The same numbers for the same seed, so that what one run found the next one finds again.
private struct SplitMix: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
    return z ^ z >> 31
  }
}
