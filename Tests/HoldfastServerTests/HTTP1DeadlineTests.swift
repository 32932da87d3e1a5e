import HoldfastProtocol
import Testing

@testable import HoldfastServer

@Suite struct HTTP1DeadlineTests {
  @Test func `A byte now and then does not move the deadline of a head`() {
    let limits = HTTP1Limits()
    var reader = Reader(at: 50, limits: limits)
    #expect(reader.connection.deadline == 50 + limits.idleTicks)
    let bytes = http("GET / HTTP/1.1", "Host: a")
    for (index, byte) in bytes.dropLast().enumerated() {
      reader.feed([byte], at: 100 + UInt32(index))
      #expect(reader.connection.deadline == 100 + limits.headTicks)
      #expect(reader.connection.isMidRequest)
    }
    #expect(reader.connection.timeout.code == .requestTimeout)
    #expect(reader.connection.timeout.detail.contains("head"))
    reader.feed([bytes.last!], at: 180)
    #expect(reader.connection.deadline == 180 + limits.idleTicks)
    #expect(reader.seen.count == 1 && !reader.connection.isMidRequest)
  }

  @Test func `A byte now and then does not move the deadline of a body`() {
    let limits = HTTP1Limits()
    for field in ["Content-Length: 9", "Transfer-Encoding: chunked"] {
      var reader = Reader(at: 0, limits: limits)
      reader.feed(http("POST / HTTP/1.1", "Host: a", field), at: 10)
      #expect(reader.connection.deadline == 10 + limits.bodyTicks)
      for (index, byte) in Array("3\r\nabc\r\n".utf8).enumerated() {
        reader.feed([byte], at: 20 + UInt32(index) * 10)
        #expect(reader.connection.deadline == 10 + limits.bodyTicks)
      }
      #expect(reader.connection.timeout.detail.contains("body"))
    }
  }

  @Test func `The deadline of the next request's head begins with its own first byte`() {
    let limits = HTTP1Limits()
    var reader = Reader(at: 0, limits: limits)
    reader.feed(http("GET / HTTP/1.1", "Host: a") + Array("G".utf8), at: 500)
    #expect(reader.connection.deadline == 500 + limits.headTicks)
    reader.connection.restartIdle(at: 550, limits: limits)
    #expect(reader.connection.deadline == 500 + limits.headTicks, "an answer does not move it")
  }

  @Test func `The idle time begins anew with an answer, and ticks may wrap around`() {
    let limits = HTTP1Limits()
    var reader = Reader(at: .max - 5, limits: limits)
    #expect(reader.connection.deadline == limits.idleTicks - 6)
    reader.connection.restartIdle(at: .max, limits: limits)
    #expect(reader.connection.deadline == limits.idleTicks - 1)
    reader.feed([UInt8(ascii: "G")], at: .max)
    #expect(reader.connection.deadline == limits.headTicks - 1)
  }

  @Test func `An empty line before a request begins none, in one piece or two`() {
    let limits = HTTP1Limits()
    for pieces in [["\r\n"], ["\r", "\n"]] {
      var reader = Reader(at: 0, limits: limits)
      for piece in pieces { reader.feed(Array(piece.utf8), at: 0) }
      #expect(!reader.connection.isMidRequest && reader.connection.deadline == limits.idleTicks, "\(pieces)")
      reader.feed(Array("G".utf8), at: 500)
      #expect(reader.connection.deadline == 500 + limits.headTicks)
    }
    var reader = Reader(at: 0, limits: limits)
    reader.feed(Array("\r".utf8), at: 10)
    reader.feed(Array("\nG".utf8), at: 90)
    #expect(reader.connection.deadline == 90 + limits.headTicks, "the head's own first byte counts")
  }
}
