import Testing

extension FaultTests {
  @Suite("Memory")
  struct Memory {
    @Test("200,000 names that were only asked for leave nothing behind")
    func names() async throws {
      try await withServer { server in
        let connection = try server.connect()
        func poll(_ names: Range<Int>) throws {
          for start in stride(from: names.lowerBound, to: names.upperBound, by: 500) {
            var text = ""
            for name in start..<start + 500 { text += "GET /api/poll/n-\(name)?timeout=0 HTTP/1.1\r\nHost: a\r\n\r\n" }
            try connection.send(text)
            try connection.skipAnswers(500)
          }
        }
        try poll(0..<20_000)
        let before = try server.residentBytes()
        try poll(20_000..<220_000)
        let growth = try server.residentBytes() - before
        // 200,000 names of a hundred bytes each would be 20 MB.
        try expect(growth < 12 << 20, "the server grew by \(growth >> 10) KiB")
        try expect(server.ask("GET /api/channels").json()["count"]?.integer, is: 0, "channels")
      }
    }

    @Test("Memory comes back after held polls have come and gone")
    func polls() async throws {
      try await withServer("--connections-per-client-max", "0", "--connections-per-address-max", "0") { server in
        func round() throws {
          let held = try (0..<2000).map { try server.hold("news-\($0 % 50)") }
          for number in 0..<50 { try server.expectHeld("news-\(number)", 40) }
          for connection in held { connection.close() }
          for number in 0..<50 { try server.expectHeld("news-\(number)", 0) }
        }
        for _ in 0..<2 { try round() }
        let before = try server.residentBytes()
        for _ in 0..<4 { try round() }
        let growth = try server.residentBytes() - before
        // 8,000 polls that left a kilobyte each would be 8 MB.
        try expect(growth < 4 << 20, "the server grew by \(growth >> 10) KiB")
      }
    }

    @Test("A log that turns over many times stays within its bounds")
    func turnover() async throws {
      try await withServer("--log-bytes-max", "1000000") { server in
        let text = "\"" + String(repeating: "x", count: 1000) + "\""
        func publish() throws { try server.publishAll("news", [String](repeating: text, count: 5000)) }
        try publish()
        let before = try server.residentBytes()
        for _ in 0..<4 { try publish() }
        let growth = try server.residentBytes() - before
        try expect(growth < 8 << 20, "the server grew by \(growth >> 10) KiB over 20 MB of messages")
      }
    }
  }
}

/// Apart from the other faults, since it mostly waits.
@Suite("Memory in the end")
struct MemoryReturnTests {
  @Test("What expired messages took goes back to the system within two minutes")
  func expired() async throws {
    try await withServer { server in
      let start = try server.residentBytes()
      let connection = try server.connect()
      let data = "\"" + String(repeating: "x", count: 1000) + "\""
      for number in 0..<500 {
        // What stays lies between what goes, so that no end of the heap gets free by itself.
        let items = (0..<100).map {
          "{\"channel\":\"\($0 % 20 == 0 ? "stays" : "goes")-\(number)\",\"data\":\(data)\($0 % 20 == 0 ? "" : ",\"ttl\":5")}"
        }
        let answer = try connection.ask("POST /api/publish", body: "[\(items.joined(separator: ","))]")
        try expect(answer.json()["failed"]?.integer, is: 0, "items that failed")
      }
      let full = try server.residentBytes() - start
      try expect(full > 40 << 20, "50 MB of messages take \(full >> 10) KiB")
      try eventually(within: .seconds(120), "bytes more than at the start", ask: { try server.residentBytes() - start })
      {
        $0 < full / 3
      }
    }
  }
}
