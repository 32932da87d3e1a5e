import Testing

extension FaultTests {
  @Suite("A full store")
  struct Store {
    /// What about fills a twentieth of the store that these tests start.
    static let data = "\"" + String(repeating: "x", count: 1000) + "\""

    @Test("A publish beyond the bytes of the store is refused with 507, whatever its channel, and publishes nothing")
    func refused() async throws {
      try await withServer("--store-bytes-max", "20000") { server in
        let published = try Store.fill(server)
        for channel in ["news", "sport"] {
          let answer = try server.ask("POST /api/publish/\(channel)", body: Store.data)
          try expect(answer.status, is: 507, "the status of \(answer)")
          try expect(answer.header("content-type"), is: "application/problem+json", "the type")
          try expect(answer.json()["code"]?.string, is: "store_full", "the code of \(answer)")
          try expect(answer.header("retry-after").flatMap(Int.init) != nil, "a Retry-After in \(answer)")
        }
        try expect(server.ask("GET /api/history/news").json()["count"]?.integer, is: published, "messages of news")
        try expect(server.ask("GET /api/channels/sport").status, is: 404, "the status of a channel without a log")
      }
    }

    @Test("Each item of a batch that a full store does not take fails alone")
    func batch() async throws {
      try await withServer("--store-bytes-max", "20000") { server in
        _ = try Store.fill(server)
        let big = "{\"channel\":\"news\",\"data\":\(Store.data)}"
        let answer = try server.ask("POST /api/publish", body: "[\(big),{\"channel\":\"a/b\",\"data\":1},\(big)]")
        try expect(answer.status, is: 200, "the status of \(answer)")
        let codes = try answer.json()["results"]?.array?.map { $0["code"]?.string }
        try expect(codes, is: ["store_full", "channel_invalid", "store_full"], "the codes of \(answer)")
        try expect(answer.json()["failed"]?.integer, is: 3, "the failed items")
      }
    }

    @Test("A full store is read as before, repeats a publish by its key, and takes more when a channel is deleted")
    func goesOn() async throws {
      try await withServer("--store-bytes-max", "20000") { server in
        let key = [("Idempotency-Key", "one")]
        let id = try server.publish("first", Store.data, headers: key)
        let published = try Store.fill(server)
        let poll = try server.ask("GET /api/poll/news?cursor=earliest&timeout=0").json()
        try expect(poll["count"]?.integer, is: published, "messages")
        try expect(server.publish("first", Store.data, headers: key), is: id, "the id of the repeated publish")
        try expect(server.ask("DELETE /api/channels/news").status, is: 200, "deleting")
        try server.publish("news", Store.data)
        try expect(server.ask("GET /api/history/news").json()["count"]?.integer, is: 1, "messages after deleting")
      }
    }

    /// Publishes to one channel until the store takes no more, and says how many messages it took.
    private static func fill(_ server: HoldfastProcess) throws -> Int {
      let connection = try server.connect()
      for count in 0..<20 {
        let status = try connection.ask("POST /api/publish/news", body: data).status
        if status == 507 { return count }
        try expect(status, is: 200, "the status of a publish to a store with room")
      }
      throw Failure("a store of 20,000 bytes takes 20 messages of 1,000 and what each costs besides")
    }
  }
}
