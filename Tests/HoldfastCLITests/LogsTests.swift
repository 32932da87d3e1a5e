import Logging
import Testing

@testable import HoldfastCLI

@Suite struct LogsTests {
  private func line(_ format: Logs.Format, _ message: String, _ fields: Logger.Metadata) -> String {
    LineHandler(format: format, logLevel: .info).line(.warning, message, fields)
  }

  @Test func `An entry is one line whatever it holds, and moves no terminal's cursor`() {
    let nasty = "a\nb\r\u{1b}[31m\u{7f}\u{85}\u{9b}2J\u{2028}\u{0}\t\"\\"
    for format in [Logs.Format.text, .json] {
      let line = line(format, nasty, ["path": "\(nasty)"])
      #expect(line.hasSuffix("\n"))
      for scalar in line.dropLast().unicodeScalars {
        #expect(scalar.value >= 0x20 && !(0x7f..<0xa0).contains(scalar.value) && scalar.value != 0x2028)
      }
    }
  }

  @Test func `A JSON entry has its fields as members, sorted, behind time, level and message`() {
    let line = line(.json, "listening", ["port": "8080", "host": "127.0.0.1"])
    #expect(line.hasSuffix(#""level":"warning","message":"listening","host":"127.0.0.1","port":"8080"}"# + "\n"))
    #expect(line.hasPrefix(#"{"time":"2"#))
  }

  @Test func `A text entry is aligned, and a value with blanks is in quotes`() {
    let line = line(.text, "cannot listen", ["why": "address in use", "port": "80"])
    #expect(line.hasSuffix(#" WARNING cannot listen port=80 why="address in use""# + "\n"))
  }
}
