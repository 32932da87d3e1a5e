import Glibc

extension Bench {
  /// What Linux says about the server's processes: those of `--server-pid` and all that descend from them.
  struct ServerProbe {
    let roots: [pid_t]

    struct Sample {
      /// Proportional set size: private memory, and its share of what processes share. Not in it: the pages of programs
      /// and libraries, of which a process is charged less when others run the same, as the load generator may; and what
      /// the kernel keeps for sockets. Nil where it may not be read.
      var memoryBytes: Int?
      var cpuSeconds: Double
      var processes: Int
    }

    /// The root that is gone, if one is.
    func gone() -> pid_t? { roots.first { Self.stat($0) == nil } }

    func sample() -> Sample {
      let family = descendants()
      var memory: Int? = 0
      for process in family {
        if let bytes = Self.memoryBytes(process), let sum = memory { memory = sum + bytes } else { memory = nil }
      }
      return Sample(memoryBytes: memory, cpuSeconds: Self.cpuSeconds(of: family), processes: family.count)
    }

    private static func cpuSeconds(of family: [pid_t]) -> Double { family.reduce(0) { $0 + cpuSeconds(of: $1) } }

    /// What the process has used of the CPU, to the nanosecond: all its threads, also those that have ended. To this,
    /// in ticks of 10 ms, what children had used that have ended, so that none is lost when one does.
    static func cpuSeconds(of process: pid_t) -> Double {
      guard let fields = stat(process) else { return 0 }
      var clock = clockid_t()
      var time = timespec()
      guard clock_getcpuclockid(process, &clock) == 0, clock_gettime(clock, &time) == 0 else {
        return fields[11...14].reduce(0, +) / ticksPerSecond
      }
      return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9 + (fields[13] + fields[14]) / ticksPerSecond
    }

    static let ticksPerSecond = Double(sysconf(Int32(_SC_CLK_TCK)))

    /// Waits until the server has been at rest for half a second: what it was given is done then.
    func settle(within seconds: Double) {
      let end = Bench.time(Bench.now(), plus: seconds)
      let family = descendants()
      var before = Self.cpuSeconds(of: family)
      var calm = 0
      while calm < 2, Bench.now() < end {
        usleep(250_000)
        let after = Self.cpuSeconds(of: family)
        calm = after - before <= 0.011 ? calm + 1 : 0
        before = after
      }
    }

    private func descendants() -> [pid_t] {
      var children: [pid_t: [pid_t]] = [:]
      if let directory = opendir("/proc") {
        defer { closedir(directory) }
        while let entry = readdir(directory) {
          let name = withUnsafeBytes(of: entry.pointee.d_name) {
            String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
          }
          guard let process = pid_t(name), let fields = Self.stat(process) else { continue }
          children[pid_t(fields[1]), default: []].append(process)
        }
      }
      var family: [pid_t] = []
      var rest = roots
      while let process = rest.popLast() {
        guard !family.contains(process) else { continue }
        family.append(process)
        rest += children[process] ?? []
      }
      return family
    }

    /// The fields of /proc/PID/stat behind the name, from the state on (as 0): 1 is the parent, 11 to 14 the times.
    private static func stat(_ process: pid_t) -> [Double]? {
      guard let text = read("/proc/\(process)/stat"), let name = text.lastIndex(of: ")") else { return nil }
      let fields = text[text.index(name, offsetBy: 2)...].split(separator: " ")
      guard fields.count > 14, fields[0] != "Z" else { return nil }
      return fields.map { Double($0) ?? 0 }
    }

    static func memoryBytes(_ process: pid_t) -> Int? {
      guard let text = read("/proc/\(process)/smaps_rollup") else { return nil }
      var kilobytes: [Substring: Int] = [:]
      for line in text.split(separator: "\n") {
        let words = line.split(separator: " ")
        if words.count > 1 { kilobytes[words[0]] = Int(words[1]) }
      }
      if let own = kilobytes["Pss_Anon:"], let shared = kilobytes["Pss_Shmem:"] { return (own + shared) * 1024 }
      return kilobytes["Pss:"].map { $0 * 1024 }
    }

    static func read(_ path: String) -> String? {
      guard let file = fopen(path, "r") else { return nil }
      defer { fclose(file) }
      return withUnsafeTemporaryAllocation(byteCount: 8192, alignment: 1) { buffer in
        let count = fread(buffer.baseAddress, 1, buffer.count, file)
        return count > 0 ? String(decoding: buffer[0..<count], as: UTF8.self) : nil
      }
    }
  }
}
