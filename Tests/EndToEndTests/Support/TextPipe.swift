import Glibc
import Synchronization

/// The reading end of a child's output: a thread takes in all of it, tests take it line by line.
final class TextPipe: @unchecked Sendable {  // Everything mutable is guarded by `mutex`; `changed` belongs to it.
  private var mutex = pthread_mutex_t()
  private var changed = pthread_cond_t()
  private var bytes: [UInt8] = []
  private var taken = 0
  private var isClosed = false

  init() {
    var attributes = pthread_condattr_t()
    pthread_condattr_init(&attributes)
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
    pthread_mutex_init(&mutex, nil)
    pthread_cond_init(&changed, &attributes)
    pthread_condattr_destroy(&attributes)
  }

  /// Reads `descriptor` to its end on a thread of its own.
  func read(_ descriptor: Int32) {
    startThread { [self] in
      var buffer = [UInt8](repeating: 0, count: 65536)
      while true {
        let count = Glibc.read(descriptor, &buffer, buffer.count)
        if count < 0, errno == EINTR { continue }
        pthread_mutex_lock(&mutex)
        if count > 0 { bytes += buffer[0..<count] } else { isClosed = true }
        pthread_cond_broadcast(&changed)
        pthread_mutex_unlock(&mutex)
        if count <= 0 { break }
      }
      Glibc.close(descriptor)
    }
  }

  var all: String {
    pthread_mutex_lock(&mutex)
    defer { pthread_mutex_unlock(&mutex) }
    return String(decoding: bytes, as: UTF8.self)
  }

  func line(until deadline: Deadline) -> String? {
    pthread_mutex_lock(&mutex)
    defer { pthread_mutex_unlock(&mutex) }
    while true {
      if let end = bytes[taken...].firstIndex(of: 0x0A) {
        defer { taken = end + 1 }
        return String(decoding: bytes[taken..<end], as: UTF8.self)
      }
      guard !isClosed, wait(until: deadline) else { return nil }
    }
  }

  func remainder(until deadline: Deadline) -> String {
    pthread_mutex_lock(&mutex)
    defer { pthread_mutex_unlock(&mutex) }
    while !isClosed, wait(until: deadline) {}
    defer { taken = bytes.count }
    return String(decoding: bytes[taken...], as: UTF8.self)
  }

  func waitForEnd(until deadline: Deadline) {
    pthread_mutex_lock(&mutex)
    defer { pthread_mutex_unlock(&mutex) }
    while !isClosed, wait(until: deadline) {}
  }

  private func wait(until deadline: Deadline) -> Bool {
    let left = Int(deadline.milliseconds)
    guard left > 0 else { return false }
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    let nanoseconds = time.tv_nsec + (left % 1000) * 1_000_000
    time.tv_sec += left / 1000 + nanoseconds / 1_000_000_000
    time.tv_nsec = nanoseconds % 1_000_000_000
    return pthread_cond_timedwait(&changed, &mutex, &time) == 0
  }
}

/// A thread that ends when `body` does; nobody waits for it.
func startThread(_ body: @escaping @Sendable () -> Void) {
  final class Box {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  }
  var thread = pthread_t()
  let box = Unmanaged.passRetained(Box(body))
  let result = pthread_create(
    &thread, nil,
    { argument in
      Unmanaged<Box>.fromOpaque(argument!).takeRetainedValue().body()
      return nil
    }, box.toOpaque())
  precondition(result == 0, "no thread to be had")
  pthread_detach(thread)
}
