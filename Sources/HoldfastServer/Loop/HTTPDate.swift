/// The date of an HTTP answer: `Sun, 06 Nov 1994 08:49:37 GMT`.
enum HTTPDate {
  static func text(_ unix: Int64) -> [UInt8] {
    // A clock that was set to before 1970 is wrong anyhow.
    let unix = max(0, unix)
    let days = Int(unix / 86400)
    let seconds = Int(unix % 86400)
    // Civil date from days, counted in 400-year eras from March of year 0, so that leap days come last.
    let shifted = days + 719_468
    let era = shifted / 146_097
    let dayOfEra = shifted % 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let marchMonth = (5 * dayOfYear + 2) / 153
    let day = dayOfYear - (153 * marchMonth + 2) / 5 + 1
    let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
    let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
    let weekday = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"][days % 7]
    let name = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"][month - 1]
    let time = "\(two(seconds / 3600)):\(two(seconds / 60 % 60)):\(two(seconds % 60))"
    return Array("\(weekday), \(two(day)) \(name) \(year) \(time) GMT".utf8)
  }
}
