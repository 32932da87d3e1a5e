/** Time that passes only when a test says so. All worlds of one test share one clock. */
export class VirtualClock {
  /** Begins far from 0, so that nothing takes that for a moment. */
  now = 1_000_000
  #timers = new Map()
  #last = 0

  setTimeout(action, delay) {
    this.#timers.set(++this.#last, { action, due: this.now + delay })
    return this.#last
  }

  clearTimeout(timer) {
    this.#timers.delete(timer)
  }

  /** Lets time pass; each timer runs at its moment, and all that follows from it before the next. */
  async advance(milliseconds) {
    const end = this.now + milliseconds
    for (;;) {
      await settled()
      const [next] = [...this.#timers].sort(([, one], [, other]) => one.due - other.due)
      // A thousandth of a millisecond is lost in sums of fractions.
      if (!next || next[1].due > end + 0.001) break
      this.#timers.delete(next[0])
      this.now = Math.max(this.now, next[1].due)
      next[1].action()
    }
    this.now = end
  }
}

/** Resolves when all that can go on without time or network has gone on. */
export const settled = () => new Promise((resolve) => setImmediate(resolve))
