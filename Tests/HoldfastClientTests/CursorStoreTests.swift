import Foundation
import HoldfastClient
import Testing

struct CursorStoreTests {
  private let path = FileManager.default.temporaryDirectory.appending(path: "holdfast-\(UUID().uuidString)").path

  @Test func `A file keeps the cursor that was set last, and nothing before the first`() throws {
    let store = FileCursorStore(path: path)
    defer { try? FileManager.default.removeItem(atPath: path) }
    #expect(try store.get() == nil)
    try store.set("a-1-t.b-22-t")
    try store.set("a-2-t")
    #expect(try FileCursorStore(path: path).get() == "a-2-t")
    #expect(try String(contentsOfFile: path, encoding: .utf8) == "a-2-t\n")
  }

  @Test func `A file without a cursor is like none, and one that cannot be read is an error`() throws {
    let store = FileCursorStore(path: path)
    defer { try? FileManager.default.removeItem(atPath: path) }
    try Data(" \n".utf8).write(to: URL(filePath: path))
    #expect(try store.get() == nil)
    #expect {
      try FileCursorStore(path: "/").get()
    } throws: {
      "\($0)" == "/: Is a directory"
    }
    #expect {
      try FileCursorStore(path: path + "/x").set("a-1-t")
    } throws: {
      "\($0)".hasPrefix("\(path)/x: ")
    }
  }
}
