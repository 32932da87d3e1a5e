import Dispatch
import Testing

extension FaultTests {
  @Suite("Many at once")
  struct Load {
    @Test("One Idempotency-Key used at once by 100 requests on 100 connections publishes one message")
    func oneKey() async throws {
      try await withServer { server in
        let connections = try (0..<100).map { _ in try server.connect() }
        let bytes = request("POST /api/publish/news", headers: [("Idempotency-Key", "key-1")], body: "{\"a\":1}")
        for connection in connections { try connection.send(bytes) }
        let answers = try connections.map { try $0.answer() }
        for answer in answers { try expect(answer.status, is: 200, "the status of \(answer)") }
        let ids = try Set(answers.map { try $0.json()["message_id"]?.string })
        try expect(ids.count, is: 1, "different ids")
        let replayed = answers.filter { $0.header("idempotency-replayed") == "true" }
        try expect(replayed.count, is: 99, "answers that say they are replayed")
        try expect(server.ask("GET /api/history/news").json()["count"]?.integer, is: 1, "messages")
      }
    }

    @Test("500 held polls on one channel get every message once and in order while publishers race them")
    func fanOut() async throws {
      let perPublisher = 40
      try await withServer("--connections-per-client-max", "0", "--connections-per-address-max", "0") { server in
        let polls = try (0..<500).map { _ in try server.hold("news", query: "&limit=7") }
        try server.expectHeld("news", 500)
        let published = DispatchGroup()
        for publisher in 0..<2 {
          published.enter()
          startThread {
            defer { published.leave() }
            guard let connection = try? server.connect() else { return }
            for number in 0..<perPublisher {
              _ = try? connection.ask("POST /api/publish/news", body: "\(publisher * 1000 + number)")
            }
          }
        }
        var seen = [[Int]](repeating: [], count: polls.count)
        // One thread visits them in turn, so each is polling again while the others are being answered.
        while seen.contains(where: { $0.count < 2 * perPublisher }) {
          for (index, poll) in polls.enumerated() where seen[index].count < 2 * perPublisher {
            let json = try poll.answer().json()
            try expect(json["gap"] == nil, "a gap in \(json)")
            seen[index] += (json["messages"]?.array ?? []).compactMap { $0["data"]?.integer }
            let cursor = json["cursor"]?.string ?? ""
            try poll.send(request("GET /api/poll/news?timeout=60&limit=7&cursor=\(cursor)"))
          }
        }
        published.wait()
        let order = try server.ask("GET /api/history/news?limit=1000").json()["messages"]?.array ?? []
        let expected = order.compactMap { $0["data"]?.integer }
        try expect(Set(expected).count, is: 2 * perPublisher, "different messages")
        for publisher in 0..<2 {
          let own = expected.filter { $0 / 1000 == publisher }
          try expect(own, is: own.sorted(), "the order of one publisher's messages")
        }
        for (index, messages) in seen.enumerated() { try expect(messages, is: expected, "what poll \(index) got") }
      }
    }

    @Test("Messages never cross channels while 50 channels are published to at once")
    func channelsApart() async throws {
      try await withServer("--connections-per-client-max", "0") { server in
        let polls = try (0..<50).map { try server.hold("news-\($0)") }
        for number in 0..<50 { try server.expectHeld("news-\(number)", 1) }
        let publishers = try (0..<50).map { _ in try server.connect() }
        for (number, publisher) in publishers.enumerated() {
          try publisher.send(request("POST /api/publish/news-\(number)", body: "\(number)"))
        }
        for (number, poll) in polls.enumerated() {
          let messages = try poll.answer().json()["messages"]?.array ?? []
          try expect(messages.map { $0["data"]?.integer }, is: [number], "the messages of news-\(number)")
        }
      }
    }

    @Test("16-fold pipelining of publishes and polls is answered in order, again and again")
    func pipelining() async throws {
      try await withServer { server in
        let connection = try server.connect()
        var cursor = "earliest"
        for round in 0..<25 {
          var text = ""
          for number in 0..<8 {
            text += request("POST /api/publish/news", body: "\(round * 8 + number)")
            text += request("GET /api/poll/news?timeout=60&limit=1000&cursor=\(cursor)")
          }
          try connection.send(text)
          for number in 0..<8 {
            try expect(connection.answer().json()["status"]?.string, is: "published", "answer \(number)")
            let json = try connection.answer().json()
            let data = (json["messages"]?.array ?? []).compactMap { $0["data"]?.integer }
            try expect(data, is: Array(round * 8...round * 8 + number), "the poll behind publish \(number)")
            if number == 7 { cursor = json["cursor"]?.string ?? "" }
          }
        }
      }
    }

    @Test("Of 40 polls sent together those with more than 16 behind them are answered early, and the next one is held")
    func fortyPolls() async throws {
      try await withServer { server in
        let connection = try server.connect()
        try connection.send(String(repeating: request("GET /api/poll/news?timeout=60"), count: 40))
        for number in 1...23 {
          try expect(connection.answer().json()["status"]?.string, is: "timeout", "answer \(number)")
        }
        try connection.expectSilence(for: .milliseconds(300))
        for number in 1...17 {
          try server.expectHeld("news", 1)
          try server.publish("news", "\(number)")
          let messages = try connection.answer().json()["messages"]?.array ?? []
          try expect(messages.map { $0["data"]?.integer }, is: [number], "the message for poll \(number + 23)")
        }
      }
    }
  }
}
