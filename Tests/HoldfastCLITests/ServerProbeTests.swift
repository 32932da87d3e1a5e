#if os(Linux)
  import Glibc
  import Testing

  @testable import HoldfastCLI

  @Suite struct ServerProbeTests {
    @Test func `A process's CPU time is read to the nanosecond, not in ticks`() {
      // This process's own clock, read around the probe's two looks and between them, bounds what they may say. The
      // probe adds children that have ended, which this process has none of.
      let process = getpid()
      for _ in 0..<20 {
        let earliest = Bench.cpuSeconds()
        let first = Bench.ServerProbe.cpuSeconds(of: process)
        let start = Bench.cpuSeconds()
        while Bench.cpuSeconds() - start < 0.0002 {}
        let end = Bench.cpuSeconds()
        let second = Bench.ServerProbe.cpuSeconds(of: process)
        let latest = Bench.cpuSeconds()
        #expect(second - first >= end - start - 1e-8)
        #expect(second - first <= latest - earliest + 1e-8)
      }
    }

    @Test func `Memory counts what is written, and not a file that is read`() throws {
      let size = 32 << 20
      let before = try #require(Bench.ServerProbe.memoryBytes(getpid()))
      let file = open("/proc/self/exe", O_RDONLY)
      defer { close(file) }
      let program = try #require(mmap(nil, size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, file, 0))
      defer { munmap(program, size) }
      let mapped = try #require(Bench.ServerProbe.memoryBytes(getpid()))
      #expect(mapped - before < size / 2)
      let own = try #require(
        mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0))
      defer { munmap(own, size) }
      let written = try #require(Bench.ServerProbe.memoryBytes(getpid()))
      #expect(written - mapped > size / 2)
    }

    @Test func `A process that is gone has used nothing`() {
      #expect(Bench.ServerProbe.cpuSeconds(of: .max) == 0)
      #expect(Bench.ServerProbe.memoryBytes(.max) == nil)
    }
  }
#endif
