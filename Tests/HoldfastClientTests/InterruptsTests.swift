@testable import HoldfastClient
import Testing

@Suite(.timeLimit(.minutes(1)))
struct InterruptsTests {
  @Test func `An interrupt before the wait ends it before it begins`() async {
    let interrupts = Interrupts()
    let ticket = interrupts.ticket
    interrupts.interrupt()
    let value = await interrupts.run(ticket, on: nil) {
      Issue.record("it began")
      return 1
    }
    #expect(value == nil)
  }

  @Test func `An interrupt during the wait ends it, whatever it comes to, and not the next`() async {
    let interrupts = Interrupts()
    let value = await interrupts.run(interrupts.ticket, on: nil) {
      interrupts.interrupt()
      await VirtualTime.never()
      return 1
    }
    #expect(value == nil)
    let ticket = interrupts.ticket
    for number in 2...3 { #expect(await interrupts.run(ticket, on: nil) { number } == number) }
  }

  @Test(arguments: [false, true])
  func `At whatever moment of its beginning an interrupt comes, the wait ends`(comesFromWithin: Bool) async {
    let interrupts = Interrupts()
    for _ in 0..<1000 {
      let ticket = interrupts.ticket
      async let outside: Void = comesFromWithin ? () : interrupts.interrupt()
      let value = await interrupts.run(ticket, on: nil) {
        if comesFromWithin { interrupts.interrupt() }
        await VirtualTime.never()
        return 1
      }
      await outside
      #expect(value == nil)
    }
  }

  @Test func `What is cancelled by an interrupt may interrupt in turn`() async {
    let interrupts = Interrupts()
    let value = await interrupts.run(interrupts.ticket, on: nil) {
      await withTaskCancellationHandler {
        interrupts.interrupt()
        await VirtualTime.never()
      } onCancel: {
        interrupts.interrupt()
      }
      return 1
    }
    #expect(value == nil)
  }

  @Test func `Cancelling the task that waits cancels what it waits for`() async {
    let interrupts = Interrupts()
    let task = Task {
      await interrupts.run(interrupts.ticket, on: nil) {
        await VirtualTime.never()
        return Task.isCancelled
      }
    }
    task.cancel()
    // What is not cancelled is ended by the time limit, which cancels the test.
    let wasCancelled = await withTaskCancellationHandler {
      await task.value
    } onCancel: {
      interrupts.interrupt()
    }
    #expect(wasCancelled == true)
  }
}
