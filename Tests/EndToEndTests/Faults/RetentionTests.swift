import Testing

extension FaultTests {
  @Suite("Messages that retention removed")
  struct Retention {
    @Test("Removed by count, the gap is exact, at the edge too")
    func byCount() async throws {
      try await withServer("--log-messages-max", "5") { server in
        let ids = try (1...8).map { try server.publish("news", "\($0)") }
        for (after, missed) in [(0, 2), (1, 1), (2, 0), (3, 0)] {
          let json = try server.poll("news", cursor: ids[after])
          try json.expect(missed: missed, data: Array(max(4, after + 2)...8))
        }
        try server.poll("news", cursor: "earliest").expect(missed: 0, data: Array(4...8))
      }
    }

    @Test("Removed by count while the cursor stood before everything, all of them are counted")
    func byCountFromNothing() async throws {
      try await withServer("--log-messages-max", "5") { server in
        let cursor = try server.ask("GET /api/poll/news?timeout=0").json()["cursor"]?.string ?? ""
        try server.publishAll("news", (1...1005).map(String.init))
        try server.poll("news", cursor: cursor).expect(missed: 1000, data: Array(1001...1005))
      }
    }

    @Test("Removed by age, the gap is exact and told at once")
    func byAge() async throws {
      try await withServer("--log-age-max", "1") { server in
        let first = try server.publish("news", "1")
        try server.publish("news", "2")
        try server.publish("news", "3")
        try eventually("all expired") {
          try server.ask("GET /api/history/news").json()["count"]?.integer
        } until: {
          $0 == 0
        }
        try server.poll("news", cursor: first).expect(missed: 2, data: [])
        try server.publish("news", "4")
        try server.poll("news", cursor: first).expect(missed: 2, data: [4])
      }
    }

    @Test("Removed by bytes, the gap is exact, at the edge too")
    func byBytes() async throws {
      try await withServer("--log-bytes-max", "2000") { server in
        let text = String(repeating: "x", count: 100)
        let ids = try (0..<60).map { _ in try server.publish("news", "\"\(text)\"") }
        let state = try server.ask("GET /api/channels/news").json()
        guard let count = state["count"]?.integer, let bytes = state["bytes"]?.integer else {
          throw Failure("\(state)")
        }
        try expect((1...20).contains(count) && bytes <= 2000, "the log holds \(count) messages of \(bytes) bytes")
        let oldest = ids.count - count
        try expect(state["oldest"]?.string, is: ids[oldest], "the oldest")
        for (after, missed) in [(0, oldest - 1), (oldest - 2, 1), (oldest - 1, 0)] {
          let json = try server.poll("news", cursor: ids[after])
          try expect(json.missed, is: missed == 0 ? nil : missed, "missed after \(after) of \(oldest)")
          try expect(json["count"]?.integer, is: count, "messages after \(after)")
        }
      }
    }

    @Test("A message larger than the whole log is bounded too, and no other channel suffers")
    func oneGreat() async throws {
      try await withServer("--log-bytes-max", "2000") { server in
        try server.publish("sport", "1")
        try server.publish("news", "\"" + String(repeating: "x", count: 100_000) + "\"")
        try server.publish("news", "2")
        try expect(server.ask("GET /api/channels/news").json()["count"]?.integer, is: 1, "the count")
        try server.poll("sport", cursor: "earliest").expect(missed: 0, data: [1])
      }
    }

    @Test("A since behind what was removed says so without a number, and since=0 does not")
    func since() async throws {
      try await withServer("--log-messages-max", "2") { server in
        let first = try server.ask("POST /api/publish/news", body: "1").json()["timestamp"]?.scalarText ?? ""
        for number in 2...4 { try server.publish("news", "\(number)") }
        let behind = try server.ask("GET /api/poll/news?timeout=0&since=\(first)").json()
        try expect(behind["data"]?.integer, is: 3, "the message of \(behind)")
        let gap = behind["gap"]?.array ?? []
        try expect(gap.count == 1 && gap[0]["reason"]?.string == "expired", "the gap of \(behind)")
        try expect(gap[0]["missed"], is: .null, "missed in \(behind)")
        let all = try server.ask("GET /api/poll/news?timeout=0&since=0").json()
        try expect(all["data"]?.integer == 3 && all["gap"] == nil, "since=0 says \(all)")
      }
    }

    @Test(
      "Messages of a channel that a limited answer did not reach, and that are removed before the next poll, are told")
    func behindALimit() async throws {
      try await withServer("--log-messages-max", "2") { server in
        try server.publish("a", "1")
        try server.publishAll("b", ["1", "2"])
        let first = try server.ask("GET /api/poll/a,b?timeout=0&limit=1&cursor=earliest").json()
        try expect(first["messages"]?.array?.first?["channel"]?.string, is: "a", "the first message's channel")
        try server.publishAll("b", ["3", "4"])
        try server.poll("a,b", cursor: first["cursor"]?.string ?? "").expect(missed: 2, data: [3, 4])
      }
    }

    @Test("A held poll whose cursor falls out of the log in the meantime still loses nothing")
    func heldWhileExpiring() async throws {
      try await withServer("--log-messages-max", "3") { server in
        let id = try server.publish("news", "0")
        let held = try server.hold("news", query: "&cursor=\(id)")
        try server.expectHeld("news", 1)
        try server.publishAll("news", (1...10).map(String.init))
        var json = try held.answer().json()
        var seen = (json.missed ?? 0) + (json["messages"]?.array?.count ?? 0)
        while seen < 10, let cursor = json["cursor"]?.string {
          json = try server.poll("news", cursor: cursor)
          seen += (json.missed ?? 0) + (json["messages"]?.array?.count ?? 0)
          if json["status"]?.string == "timeout" { break }
        }
        try expect(seen, is: 10, "messages given or counted as missed")
      }
    }
  }
}

extension HoldfastProcess {
  fileprivate func poll(_ channel: String, cursor: String) throws -> JSON {
    try ask("GET /api/poll/\(channel)?timeout=0&limit=1000&cursor=\(cursor)").json()
  }
}

extension JSON {
  /// What the first entry of `gap` counts; nil without a gap.
  fileprivate var missed: Int? { self["gap"]?.array?.first?["missed"]?.integer }

  fileprivate func expect(missed count: Int, data: [Int]) throws {
    let got = self["messages"]?.array?.compactMap { $0["data"]?.integer }
    guard missed == (count == 0 ? nil : count), got == data, (self["gap"] == nil) == (count == 0) else {
      throw Failure("expected \(count) missed and \(data), got \(self)")
    }
    if count > 0, self["gap"]?.array?.first?["reason"]?.string != "expired" { throw Failure("the reason of \(self)") }
  }
}
