import ArgumentParser
import FoundationEssentials
import Glibc

/// `holdfast bench`: an honest load generator for servers that hold polls.
struct Bench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench",
    abstract: "Put a server under load, and measure what it takes and whether it keeps its word.",
    discussion: """
      Holds polls, publishes messages, and checks every message at every poll: lost, duplicated, out of order. Reports \
      latency, and with --server-pid the server's memory and CPU time. Its own CPU time is said too, so that it can be \
      seen what was measured.

      LOADS
        hold      polls are held, nothing is published: memory of a held poll
        fanout    many polls on a channel: latency and CPU time of a delivery
        channels  many channels: a publish, its delivery and the next poll together
        publish   nobody listens: a publish

      EXAMPLES
        holdfast bench --load hold --polls 15000 --rounds 3 --server-pid 4711
        holdfast bench --load fanout --polls 10000 --rate 1 --seconds 20
        holdfast bench --load channels --channels 5000 --rate 1000
        holdfast bench --load publish --channels 100000 --active-channels 10
        holdfast bench --load fanout --target nchan --port 8081 --json

      Connections come from addresses all over 127.0.0.0/8, at most five from each, so that a server's limits for one \
      address are not met; more than the limit of open files allows are spread over several processes.

      Exit status: 0 when everything owed came once and in order; 1 when it did not, or something failed; 64 for a \
      wrong option.
      """)

  @Option(help: "The load: hold, fanout, channels or publish.")
  var load = Load.fanout

  @Option(help: "What the server speaks: holdfast or nchan (with GET /sub/CHANNEL and POST /pub/CHANNEL).")
  var target = Target.holdfast

  @Option(help: "The server's IPv4 address.")
  var host = "127.0.0.1"

  @Option(help: "The server's port.")
  var port: UInt16 = 8080

  @Option(help: ArgumentHelp("What stands before each path. (default: /api, or nothing for nchan)", valueName: "path"))
  var prefix: String?

  @Option(
    help: ArgumentHelp("Polls to hold. (default: 1000; channels: one a channel; publish: none)", valueName: "number"))
  var polls: Int?

  @Option(help: ArgumentHelp("Channels. (default: 1; with --load channels: 1000)", valueName: "number"))
  var channels: Int?

  @Option(
    help: ArgumentHelp(
      "Publish only to so many of the channels once all have had their warm-up. (default: all)", valueName: "number"))
  var activeChannels: Int?

  @Option(
    help: ArgumentHelp(
      """
      Messages a second in all, or max: as fast as acknowledged. (default: fanout 1, channels 1000, publish max)
      """, valueName: "number|max"))
  var rate: Pace?

  @Option(
    help: ArgumentHelp(
      """
      Connections that publish, each one message at a time. Where polls listen, a channel's messages all go through \
      one.
      """, valueName: "number"))
  var publishers = 8

  @Option(help: ArgumentHelp("How long to measure, in seconds; with --load hold, to hold.", valueName: "seconds"))
  var seconds = 10.0

  @Option(help: ArgumentHelp("Bytes of each message.", valueName: "bytes"))
  var payloadBytes = 100

  @Option(
    help: ArgumentHelp("Messages to each channel before anything is measured.", valueName: "number"))
  var warmUpMessages = 3

  @Option(
    help: ArgumentHelp("With --load hold: how often all polls come, are held and go.", valueName: "number"))
  var rounds = 1

  @Option(
    help: ArgumentHelp(
      "At the end, how long to wait without a delivery before the rest counts as lost, in seconds.",
      valueName: "seconds"))
  var graceSeconds = 5.0

  @Option(help: ArgumentHelp("The timeout that polls ask for, in seconds (Holdfast only).", valueName: "seconds"))
  var pollTimeout = 60

  @Option(
    help: ArgumentHelp(
      "Read memory and CPU time of this process and its descendants. May be given several times.", valueName: "pid"))
  var serverPid: [Int32] = []

  @Option(
    help: ArgumentHelp(
      "Processes to spread the polls over. (default: as few as the limit of open files allows)", valueName: "number"))
  var processes: Int?

  @Option(
    help: ArgumentHelp("What channel names start with; a number follows. (default: one of its own for each run)"))
  var channelPrefix: String?

  @Flag(help: "Print the report as JSON.")
  var json = false

  @Flag(help: "Show no progress on standard error.")
  var quiet = false

  @Flag(help: .hidden)
  var worker = false

  func validate() throws {
    if worker { return }
    try check(ipv4 != nil, "--host must be an IPv4 address, such as 127.0.0.1, or localhost")
    try check(pollsInAll >= 0 && pollsInAll <= 1_000_000, "--polls must be from 0 to 1000000")
    try check(load == .publish ? pollsInAll == 0 : pollsInAll > 0, "--polls: publish has none, every other load some")
    try check((1...1_000_000).contains(channelsInAll), "--channels must be from 1 to 1000000")
    try check((1...channelsInAll).contains(activeChannels ?? 1), "--active-channels must be from 1 to --channels")
    try check(load == .hold || pollsInAll == 0 || pollsInAll >= channelsInAll, "--polls must be at least --channels")
    try check((1...1000).contains(publishers), "--publishers must be from 1 to 1000")
    try check(seconds > 0 && seconds <= 86_400, "--seconds must be above 0 and at most 86400")
    try check((Payload.bytesMin...262_144).contains(payloadBytes), "--payload-bytes must be from 64 to 262144")
    try check((1...1000).contains(warmUpMessages), "--warm-up-messages must be from 1 to 1000")
    try check((1...1000).contains(rounds), "--rounds must be from 1 to 1000")
    try check(rounds == 1 || load == .hold, "--rounds is for --load hold")
    try check(rate == nil || load != .hold, "--rate is not for --load hold, which publishes nothing")
    try check(graceSeconds >= 0 && graceSeconds <= 500, "--grace-seconds must be from 0 to 500")
    try check((1...60).contains(pollTimeout), "--poll-timeout must be from 1 to 60")
    try check((1...64).contains(processes ?? 1), "--processes must be from 1 to 64")
    let allowed = channelNamePrefix.utf8.allSatisfy { Self.channelCharacters.contains($0) }
    try check(allowed && channelNamePrefix.utf8.count <= 100, "--channel-prefix has a character no channel name has")
    for process in serverPid { try check(process > 0, "--server-pid must be above 0") }
  }

  private func check(_ holds: Bool, _ otherwise: String) throws {
    if !holds { throw ValidationError(otherwise) }
  }

  func run() throws {
    signal(SIGPIPE, SIG_IGN)
    let filesMax = Self.raiseFileLimit()
    if worker { return try Worker.run() }
    let probe = serverPid.isEmpty ? nil : ServerProbe(roots: serverPid)
    do {
      if let process = probe?.gone() { throw Failure("there is no process \(process)") }
      try reach()
      let progress = Progress(isOn: !quiet)
      let crew = try Crew(plans(filesMax: filesMax))
      let report = try Run(settings: self, crew: crew, probe: probe, progress: progress).report()
      print(json ? try report.json : report.text)
      if !report.isClean { throw ExitCode(1) }
    } catch let failure as Failure {
      Progress.write("holdfast bench: \(failure)\n")
      throw ExitCode(1)
    }
  }
}
