import Holdfast

/// Tells the moment at the price of one clock: the difference between the two is looked up once a tick, so a clock that
/// is set takes effect within one.
struct LoopClock {
  /// What the clock people read is ahead of the uptime, in microseconds.
  private var ahead: Int64 = 0
  private var nextLook = Int64.min

  mutating func now() -> Moment {
    let uptime = Moment.uptimeNow()
    if uptime < nextLook { return Moment(uptime: uptime, unix: uptime / 1000 + ahead) }
    let moment = Moment.now()
    ahead = moment.unix - moment.uptime / 1000
    nextLook = moment.uptime + 100_000_000
    return moment
  }
}
