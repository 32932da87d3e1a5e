import ArgumentParser

extension Bench {
  /// What the server under load speaks.
  enum Target: String, Codable, CaseIterable, ExpressibleByArgument {
    case holdfast, nchan
  }

  /// The shape of a load; each measures one thing.
  enum Load: String, Codable, CaseIterable, ExpressibleByArgument {
    /// Polls are held and nothing is published: what a held poll costs in memory.
    case hold
    /// Few channels, many polls on each: what a delivery costs.
    case fanout
    /// Many channels, few polls on each: what a publish, its delivery and the next poll cost together.
    case channels
    /// Nobody listens: what a publish costs.
    case publish
  }

  /// How fast messages are published.
  enum Pace: Codable, Equatable, ExpressibleByArgument, CustomStringConvertible {
    /// So many a second in all, whatever the server does.
    case perSecond(Double)
    /// Each publisher sends its next message when the last was acknowledged.
    case acknowledged

    init?(argument: String) {
      if argument == "max" {
        self = .acknowledged
      } else if let rate = Double(argument), rate > 0, rate <= 1_000_000 {
        self = .perSecond(rate)
      } else {
        return nil
      }
    }

    var description: String {
      switch self {
      case .perSecond(let rate): Text.number(rate, decimals: rate == rate.rounded() ? 0 : 2)
      case .acknowledged: "max"
      }
    }
  }

  /// What one worker process is to do: its share of the polls and, in the first worker, the publishing.
  struct Plan: Codable {
    var target: Target
    /// The server's IPv4 address, in host order.
    var address: UInt32
    var host: String
    var port: UInt16
    var pathPrefix: String
    /// What every channel's name starts with; its number follows.
    var channelPrefix: String
    var channels: Int
    /// Polls of all workers together; poll `i` is on channel `i % channels`.
    var pollsInAll: Int
    /// The polls of this worker.
    var polls: Range<Int>
    var publishers: Int
    var payloadBytes: Int
    var pollTimeoutSeconds: Int

    /// How many polls listen to `channel`: what one acknowledged message there owes.
    func listeners(of channel: Int) -> Int {
      pollsInAll / channels + (channel < pollsInAll % channels ? 1 : 0)
    }

    /// Where connection `index` comes from. Servers limit the polls of one address (Holdfast: 6), so at most five share
    /// one of 127.0.0.0/8; a server elsewhere sees this machine's own address.
    func source(of index: Int) -> UInt32 {
      address >> 24 == 127 ? 0x7F01_0000 + UInt32(index / 5) : 0
    }
  }
}
