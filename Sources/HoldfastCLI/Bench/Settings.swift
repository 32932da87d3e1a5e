import CLinux
import FoundationEssentials
import Glibc

extension Bench {
  var channelsInAll: Int { channels ?? (load == .channels ? 1000 : 1) }

  var pollsInAll: Int {
    switch load {
    case .hold, .fanout: polls ?? 1000
    case .channels: polls ?? channelsInAll
    case .publish: polls ?? 0
    }
  }

  var paceInUse: Pace {
    switch load {
    case .hold, .publish: rate ?? .acknowledged
    case .fanout: rate ?? .perSecond(1)
    case .channels: rate ?? .perSecond(1000)
    }
  }

  /// Where polls listen, more publishers than channels would have nothing to do.
  var publishersInUse: Int { pollsInAll > 0 ? min(publishers, activeChannels ?? channelsInAll) : publishers }

  var pathPrefix: String { prefix ?? (target == .holdfast ? "/api" : "") }

  /// By default of this run alone, so that no run meets what another left.
  var channelNamePrefix: String { channelPrefix ?? "bench-\(getpid())-" }

  static let channelCharacters = Set(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.:~@".utf8)

  /// The server's address in host order.
  var ipv4: UInt32? {
    let parts = (host == "localhost" ? "127.0.0.1" : host).split(separator: ".", omittingEmptySubsequences: false)
    let bytes = parts.compactMap { UInt8($0) }
    guard parts.count == 4, bytes.count == 4 else { return nil }
    return bytes.reduce(0) { $0 << 8 | UInt32($1) }
  }

  /// Raises the limit of open files as far as it goes, and says how far.
  static func raiseFileLimit() -> Int {
    var limit = rlimit()
    getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    limit.rlim_cur = limit.rlim_max
    setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    return Int(min(limit.rlim_cur, 1 << 30))
  }

  /// Looks whether anybody is there, so that a wrong port is one clear line and not a report of failures.
  func reach() throws {
    let descriptor = clinux_connect_ipv4(0, ipv4 ?? 0, port)
    guard descriptor >= 0 else { throw Failure("cannot connect to \(host):\(port): \(Self.words(errno))") }
    defer { close(descriptor) }
    var ready = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
    guard poll(&ready, 1, 5000) == 1 else { throw Failure("cannot connect to \(host):\(port): no answer in 5 s") }
    let reason = clinux_socket_error(descriptor)
    guard reason == 0 else { throw Failure("cannot connect to \(host):\(port): \(Self.words(reason))") }
  }

  /// One plan for each worker.
  func plans(filesMax: Int) throws -> [Plan] {
    let room = filesMax - publishers - 64
    guard room > 0 else { throw Failure("the limit of open files, \(filesMax), is too low") }
    let count = max(processes ?? 1, (pollsInAll + room - 1) / room, 1)
    return (0..<count).map { index in
      Plan(
        target: target, address: ipv4 ?? 0, host: host, port: port, pathPrefix: pathPrefix,
        channelPrefix: channelNamePrefix, channels: channelsInAll, pollsInAll: pollsInAll,
        polls: (pollsInAll * index / count)..<(pollsInAll * (index + 1) / count),
        publishers: index == 0 ? publishers : 0, payloadBytes: payloadBytes, pollTimeoutSeconds: pollTimeout)
    }
  }
}

extension Bench.Report {
  var json: String {
    get throws {
      let encoder = JSONEncoder()
      encoder.keyEncodingStrategy = .convertToSnakeCase
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
      return String(decoding: try encoder.encode(self), as: UTF8.self)
    }
  }
}
