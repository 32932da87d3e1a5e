import HoldfastClient

/// How messages and gaps look in a terminal.
enum Output {
  /// A JSON object on one line. Line breaks stand only between its tokens, where a space says the same.
  static func oneLine(_ json: [UInt8]) -> [UInt8] {
    json.map { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") ? UInt8(ascii: " ") : $0 }
  }

  /// A message: its data, byte for byte as it was published, or the whole object.
  static func line(for message: Message, asJSON: Bool, withChannel: Bool) -> [UInt8] {
    if asJSON { return oneLine(message.json) }
    return withChannel ? Array("\(message.channel)\t".utf8) + message.data : Array(message.data)
  }

  static func line(for gap: Gap) -> String {
    let count = gap.missed.map { "\($0) \($0 == 1 ? "message" : "messages")" } ?? "an unknown number of messages"
    return switch gap.reason {
    case .expired: "missed \(count) of \(gap.channel): retention removed them"
    case .reset: "missed \(count) of \(gap.channel): its log began anew"
    default: "missed \(count) of \(gap.channel): \(gap.reason)"
    }
  }

  /// Columns of text, the first and the last to the left, those between to the right.
  static func table(_ rows: [[String]]) -> [String] {
    let widths = (rows.first ?? []).indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    return rows.map { row in
      zip(row, widths).enumerated().map { column, cell in
        let space = String(repeating: " ", count: cell.1 - cell.0.count)
        return column == row.count - 1 ? cell.0 : column == 0 ? cell.0 + space : space + cell.0
      }.joined(separator: "  ")
    }
  }
}
