import Foundation
import HoldfastProtocol
import Testing

@testable import HoldfastServer

/// What a server has for browsers.
@Suite struct PageTests {
  @Test(arguments: [
    ("/client.js", "text/javascript; charset=utf-8", "export{"),
    ("/client.d.ts", "text/plain; charset=utf-8", "export class LongPollingClient"),
    ("/example", "text/html; charset=utf-8", "<!doctype html>"),
  ]) func `The client, its types and the example are there, and caches may keep them`(
    _ path: String, _ type: String, _ text: String
  ) throws {
    let bench = Bench()
    let token = bench.open()
    bench.send(token, Bench.get(path))
    let answer = try #require(bench.answer(token))
    #expect(answer.status == 200 && answer.fields["content-type"] == type && answer.body.text.contains(text))
    #expect(answer.fields["cache-control"] == "max-age=600" && answer.fields["x-content-type-options"] == "nosniff")
    let tag = try #require(answer.fields["etag"])
    for known in [tag, "W/\(tag)", "\"other\", \(tag)", "*"] {
      bench.send(token, Bench.get(path, ["If-None-Match: \(known)"]))
      let same = try #require(bench.answer(token))
      #expect(same.status == 304 && same.body.isEmpty && same.fields["etag"] == tag)
      #expect(same.fields["content-length"] == nil && same.fields["content-type"] == nil)
    }
    bench.send(token, Bench.get(path, ["If-None-Match: \"other\""]))
    #expect(bench.answer(token)?.status == 200)
    bench.send(token, Bench.get("/healthz"))
    #expect(bench.answer(token)?.fields["cache-control"] == "no-store")
  }

  @Test func `A client knows the prefix of the server that it comes from, and has another tag then`() {
    let usual = Pages(prefix: "/api")
    for name in [Pages.Name.module, .example] {
      let text = String(decoding: usual[name].body, as: UTF8.self)
      #expect(text.contains("/api"))
      for prefix in ["/v1/messages", ""] {
        let page = Pages(prefix: prefix)[name]
        #expect(String(decoding: page.body, as: UTF8.self) == text.replacingOccurrences(of: "/api", with: prefix))
        #expect(page.tag != usual[name].tag)
      }
    }
  }
}
