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

  @Test func `An interrupt during the wait ends it, whatever it comes to`() async {
    let interrupts = Interrupts()
    let value = await interrupts.run(interrupts.ticket, on: nil) {
      interrupts.interrupt()
      await VirtualTime.never()
      return 1
    }
    #expect(value == nil)
    #expect(await interrupts.run(interrupts.ticket, on: nil) { 2 } == 2)
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
    #expect(await task.value == true)
  }
}
