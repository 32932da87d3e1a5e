extension Bench {
  /// Numbers and columns for a person's eyes.
  enum Text {
    /// With so many decimals, and commas between thousands.
    static func number(_ value: Double, decimals: Int) -> String {
      var scale = 1.0
      for _ in 0..<decimals { scale *= 10 }
      let scaled = (abs(value) * scale).rounded()
      guard scaled < 9e15 else { return "\(value)" }
      var digits = Array(String(Int(scaled)))
      while digits.count <= decimals { digits.insert("0", at: 0) }
      let whole = digits.count - decimals
      var text = value < 0 && scaled > 0 ? "-" : ""
      for (index, digit) in digits.enumerated() {
        if index == whole { text.append(".") }
        if index > 0, index < whole, (whole - index) % 3 == 0 { text.append(",") }
        text.append(digit)
      }
      return text
    }

    /// In the unit that leaves it readable.
    static func time(microseconds: Double) -> String {
      switch microseconds {
      case ..<1000: "\(number(microseconds, decimals: 0)) µs"
      case ..<1_000_000: "\(number(microseconds / 1000, decimals: microseconds < 100_000 ? 2 : 1)) ms"
      default: "\(number(microseconds / 1_000_000, decimals: 2)) s"
      }
    }

    /// Filled with blanks to a width: behind the text, or before it where the width is negative.
    static func pad(_ text: String, _ width: Int) -> String {
      let blanks = String(repeating: " ", count: max(0, abs(width) - text.count))
      return width < 0 ? blanks + text : text + blanks
    }
  }
}
