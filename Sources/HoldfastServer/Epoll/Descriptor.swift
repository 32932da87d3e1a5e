/// A descriptor that is closed when nobody owns it any more, once and not before.
struct Descriptor: ~Copyable, Sendable {
  let number: Int32

  /// - Parameter number: An open descriptor, which is nobody else's to close.
  init(_ number: Int32) { self.number = number }

  deinit { Linux.close(number) }

  /// One that is open and good for nothing: its place can be had for another by letting go of it.
  static func spare() -> Descriptor? {
    let number = Linux.openNothing()
    return number >= 0 ? Descriptor(number) : nil
  }
}
