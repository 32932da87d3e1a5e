#if os(Linux)
  import Foundation
  import Holdfast
  import HoldfastProtocol
  import Testing

  @testable import HoldfastServer

  /// However the bytes of a request are cut on their way through a socket, a reactor answers the same: every cut in two of
  /// every request of `conformance/`, and random cuts of several requests in a row.
  ///
  /// Each piece is read by the reactor before the next is written, so that a cut is one.
  @Suite(.timeLimit(.minutes(5))) struct EpollSplitTests {
    private static let batch = 200

    @Test func `Every cut of every conformance request gives the answers that the whole gives`() async throws {
      var count = 0
      for request in try ConformanceRequests.all() {
        let bed = try Bed()
        let length = request.bytes(0).count
        // Of the longest, which are one byte many times, the inner cuts are all alike.
        var offsets = length <= 1000 ? Array(1..<length) : Array(1..<300) + Array((length - 100)..<length)
        if request.expects, let head = request.bytes(0).firstRange(of: Array("\r\n\r\n".utf8)) {
          offsets.removeAll { $0 == head.upperBound }
        }
        count += offsets.count
        var whole: String?
        // Each batch begins with the whole.
        for start in stride(from: 0, to: offsets.count, by: Self.batch) {
          let cuts = [0] + offsets[start..<min(start + Self.batch, offsets.count)]
          let runs = cuts.map { _ in bed.next() }
          let streams = zip(cuts, runs).map { request.bytes($1).cut(at: $0 == 0 ? [] : [$0]) }
          let answers = bed.answers(streams, told: runs.map { request.channels($0) })
          let expected = whole ?? answers[0]
          whole = expected
          guard let wrong = answers.firstIndex(where: { $0 != expected }) else { continue }
          Issue.record(
            """
            cut at \(cuts[wrong]) of \(Array(request.bytes(0).prefix(500)).text.debugDescription):
            \(answers[wrong])
            not
            \(expected)
            """)
          break
        }
        await bed.stop()
      }
      print("\(count) cuts of conformance requests answered like the whole")
      #expect(count > 90_000)
    }

    @Test func `Random cuts of several requests in a row give the answers that the whole gives`() async throws {
      var random = SeededGenerator(testSeed)
      let requests = try ConformanceRequests.all().filter { $0.bytes(0).count < 4000 && !$0.expects }
      let bed = try Bed()
      for round in 0..<300 {
        let chosen = (0...random.below(4)).map { _ in requests[random.below(requests.count)] }
        let runs = (0..<20).map { _ in bed.next() }
        let streams = runs.map { run in
          let stream = chosen.flatMap { $0.bytes(run) }
          let cuts = run == runs[0] ? [] : (0...random.below(8)).map { _ in random.below(stream.count + 1) }
          return stream.cut(at: cuts).filter { !$0.isEmpty }
        }
        let answers = bed.answers(streams, told: runs.map { run in chosen.flatMap { $0.channels(run) } })
        guard let wrong = answers.firstIndex(where: { $0 != answers[0] }) else { continue }
        Issue.record(
          """
          seed \(testSeed) round \(round), \(streams[wrong].map(\.count)) of \(streams[0][0].text.debugDescription):
          \(answers[wrong])
          not
          \(answers[0])
          """)
        break
      }
      await bed.stop()
    }
  }
#endif
