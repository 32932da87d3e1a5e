import Holdfast

/// The JSON of answers that carry messages.
extension [UInt8] {
  mutating func write(_ answer: Answer, as form: AnswerShape.Form) {
    switch form {
    case .standard:
      if answer.isEmpty { writeTimeout(answer) } else { writeList(answer) }
    case .history: writeList(answer)
    case .simple(let since):
      if let message = answer.messages.first {
        write("{\"status\":\"message\",")
        writeMembers(of: message)
        writeGaps(answer.gaps)
        write(",\"cursor\":")
        writeCursor(answer.cursor)
      } else {
        write("{\"status\":\"timeout\",\"timestamp\":")
        write(Timestamp(microseconds: Swift.max(since, answer.timestamp.microseconds)))
        writeGaps(answer.gaps)
      }
      write("}")
    }
  }

  private mutating func writeTimeout(_ answer: Answer) {
    write("{\"status\":\"timeout\",\"messages\":[],\"count\":0,\"cursor\":")
    writeCursor(answer.cursor)
    write("}")
  }

  private mutating func writeList(_ answer: Answer) {
    write("{\"status\":\"messages\"")
    writeGaps(answer.gaps)
    write(",\"messages\":[")
    for index in answer.messages.indices {
      if index > 0 { append(UInt8(ascii: ",")) }
      append(UInt8(ascii: "{"))
      writeMembers(of: answer.messages[index])
      append(UInt8(ascii: "}"))
    }
    write("],\"count\":")
    write(UInt(answer.messages.count))
    write(",\"cursor\":\"")
    answer.cursor.write(to: &self)
    if answer.more { write("\",\"more\":true}") } else { write("\",\"more\":false}") }
  }

  private mutating func writeMembers(of message: Message) {
    let (id, channel, timestamp) = (message.id, message.channel.text, message.timestamp)
    append(addingCapacity: 64 + Position.textBytesMax + ChannelName.lengthMax + 27) {
      (bytes: inout OutputSpan<UInt8>) in
      bytes.write("\"id\":\"")
      id.write(to: &bytes)
      bytes.write("\",\"channel\":\"")
      bytes.write(text: channel)
      bytes.write("\",\"timestamp\":")
      bytes.write(timestamp)
      bytes.write(",\"data\":")
    }
    guard let contentType = message.payload.contentType else {
      append(contentsOf: message.payload.bytes)
      return
    }
    writeBase64(message.payload.bytes)
    write(",\"encoding\":\"base64\",\"content_type\":")
    writeString(contentType)
  }

  private mutating func writeGaps(_ gaps: [Gap]) {
    if gaps.isEmpty { return }
    write(",\"gap\":[")
    for (index, gap) in gaps.enumerated() {
      write(index > 0 ? ",{\"channel\":\"" : "{\"channel\":\"")
      write(text: gap.channel.text)
      write("\",\"reason\":\"")
      write(text: gap.reason.rawValue)
      write("\",\"missed\":")
      if let missed = gap.missed { write(missed) } else { write("null") }
      write("}")
    }
    write("]")
  }

  mutating func writeCursor(_ cursor: Cursor) {
    write("\"")
    cursor.write(to: &self)
    write("\"")
  }
}
