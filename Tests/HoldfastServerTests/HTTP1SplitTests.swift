import Testing

@testable import HoldfastServer

/// However the network cuts a byte stream, the requests in it are the same.
@Suite struct HTTP1SplitTests {
  static let streams: [[UInt8]] = {
    var streams: [[UInt8]] = [
      http("GET / HTTP/1.1", "Host: a"),
      http("GET /api/poll/a?cursor=now&timeout=3 HTTP/1.1", "Host: localhost:8080", "User-Agent: x", "Accept: */*"),
      http("POST /p HTTP/1.1", "Host: a", "Content-Length: 5", body: "hello"),
      http("POST /p HTTP/1.1", "Host: a", "Content-Length: 0"),
      http("POST /p HTTP/1.1", "Host: a", "Transfer-Encoding: chunked", body: "5\r\nhello\r\n0\r\n\r\n"),
      http("POST /p HTTP/1.1", "Host: a", "Transfer-Encoding: chunked", body: "0\r\n\r\n"),
      http(
        "POST /p HTTP/1.1", "Host: a", "Transfer-Encoding: chunked",
        body: "1;x=y\r\nh\r\n0A\r\n0123456789\r\n0\r\nT: u\r\n\r\n"),
      http("POST /p HTTP/1.1", "Host: a", "Expect: 100-continue", "Content-Length: 2", body: "ab"),
      http("GET / HTTP/1.0"),
      Array("\r\n".utf8) + http("GET / HTTP/1.1", "Host: a"),
      http("OPTIONS * HTTP/1.1", "Host: a", "Origin: http://b", "Connection: close"),
      http("GET http://a/b?c HTTP/1.1", "Host: a"),
      http("POST /p HTTP/1.1", "Host: a", "Content-Length: 7", body: "a\r\n\r\nb\n"),
    ]
    let get = http("GET /1 HTTP/1.1", "Host: a")
    let post = http("POST /2 HTTP/1.1", "Host: a", "Content-Length: 4", body: "GET ")
    let chunked = http("POST /3 HTTP/1.1", "Host: a", "Transfer-Encoding: chunked", body: "2\r\n\r\n\r\n0\r\n\r\n")
    streams.append(get + get)
    streams.append(get + post + get)
    streams.append(post + chunked + post)
    streams.append(chunked + Array("\r\n".utf8) + get + post)
    streams += HTTP1StrictnessTests.refused.map { get + $0.bytes + get }
    let head = http("POST /p HTTP/1.1", "Host: a", "Transfer-Encoding: chunked")
    streams += HTTP1StrictnessTests.chunks.filter { $0.bytes.count < 200 }.map { head + $0.bytes + get }
    return streams
  }()

  @Test func `Every single cut gives the same requests and refusals`() {
    for stream in Self.streams {
      // What ends within a line may be refused early when it comes at once, so that each ends with one.
      let stream = stream + Array("\r\n\r\n".utf8)
      let whole = Reader.read([stream])
      #expect(!whole.isEmpty)
      for offset in 0...stream.count {
        let pieces = Reader.read(stream.cut(at: [offset]))
        if pieces != whole {
          Issue.record("cut at \(offset) of \(stream.text.debugDescription): \(pieces), not \(whole)")
        }
      }
    }
  }

  @Test func `Many random cuts give the same requests and refusals`() {
    var random = SeededGenerator(testSeed)
    for round in 0..<3000 {
      var stream: [UInt8] = []
      for _ in 0...random.below(3) { stream += Self.streams[random.below(Self.streams.count)] }
      stream += Array("\r\n\r\n".utf8)
      let whole = Reader.read([stream])
      let cuts = (0...random.below(8)).map { _ in random.below(stream.count + 1) }
      let pieces = Reader.read(stream.cut(at: cuts))
      if pieces != whole {
        Issue.record(
          "seed \(testSeed) round \(round), \(cuts) of \(stream.text.debugDescription): \(pieces), not \(whole)")
      }
    }
  }

  @Test func `One byte at a time gives the same requests and refusals`() {
    for stream in Self.streams {
      let stream = stream + Array("\r\n\r\n".utf8)
      #expect(Reader.read(stream.map { [$0] }) == Reader.read([stream]))
    }
  }

  @Test func `Nothing is kept of what arrived whole, and a part of a request is kept only until it is whole`() {
    var reader = Reader()
    let get = http("GET / HTTP/1.1", "Host: a")
    reader.feed(get + get)
    #expect(reader.connection.bytesKept == 0 && !reader.connection.isMidRequest)
    reader.feed(get + Array(get.dropLast(5)))
    #expect(reader.connection.bytesKept == get.count - 5 && reader.connection.isMidRequest)
    reader.feed(Array(get.suffix(5)))
    #expect(reader.connection.bytesKept == 0 && !reader.connection.isMidRequest && reader.seen.count == 4)
  }
}
