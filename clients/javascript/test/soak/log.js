/** What is known of one epoch of a channel, from those who published to it and those who got it. */
export class Log {
  /** By a message's number here, its id and what it is. */
  #messages = new Map()
  /** By what a message is, its number here. */
  #numbers = new Map()
  #last = 0

  /**
   * A message has a number.
   *
   * @returns {string | undefined} what is wrong with that
   */
  place(sequence, id, by, number) {
    const message = `${by} ${number}`
    const there = this.#messages.get(sequence)
    if (there) return there.id == id && there.message == message ? undefined : `it is ${there.message} with ${there.id}`
    if (this.#numbers.has(message)) return `${message} is number ${this.#numbers.get(message)} already`
    this.#messages.set(sequence, { id, message, by, number })
    this.#numbers.set(message, sequence)
    this.#last = Math.max(this.#last, sequence)
  }

  /** Whether there are so many messages from one on, so that none before it need be retained. */
  has(count, sequence) {
    return this.#last - sequence + 1 >= count
  }

  /** Each publisher's messages: in order, and without a hole. */
  get wrong() {
    const last = new Map()
    const wrong = []
    for (const [sequence, { by, number }] of [...this.#messages].sort(([one], [other]) => one - other)) {
      if (last.has(by) && number != last.get(by) + 1) wrong.push(`${by} ${number} at ${sequence} comes after ${last.get(by)}`)
      last.set(by, number)
    }
    return wrong
  }
}
