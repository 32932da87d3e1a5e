import Testing

@testable import HoldfastServer

@Suite struct BacklogsTests {
  @Test func `Those who are given the same bytes share them`() {
    var backlogs = Backlogs(bytesMax: 1000)
    let bytes = [UInt8](repeating: 7, count: 400)
    for token: Int32 in 0..<100 { backlogs.append(bytes, from: Int(token), to: token) }
    #expect(backlogs.bytes <= 800)
    let given = backlogs.removeOldest()
    #expect(given.isEmpty)
    var sent: [Int] = []
    for token: Int32 in 0..<99 {
      let isDone = backlogs.flush(token) { bytes, offset in
        sent.append(bytes.count - offset)
        return bytes.count - offset
      }
      #expect(isDone == true)
    }
    #expect(sent == (0..<99).map { 400 - $0 } && backlogs.bytes > 0)
    backlogs.remove(99)
    #expect(backlogs.bytes == 0 && backlogs.isEmpty)
  }

  @Test func `A client that is gone while it takes an answer is told apart from one that waits`() {
    var backlogs = Backlogs(bytesMax: 1000)
    backlogs.append([1, 2, 3], from: 1, to: 5)
    let waits = backlogs.flush(5) { _, _ in 0 }
    let part = backlogs.flush(5) { _, offset in offset == 1 ? 1 : nil }
    let gone = backlogs.flush(5) { _, offset in offset == 2 ? nil : 0 }
    #expect(waits == false && part == false && gone == nil)
  }
}
