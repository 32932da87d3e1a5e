import { Log } from "./log.js"
import { Seen } from "./seen.js"

/**
 * Holds what was published against what was received, as both happen.
 *
 * A message says who published it and which of theirs on the channel it is: 1, 2, 3 and so on. Its id says the epoch, which
 * is another after each start of a server that keeps messages in memory, and its number there. What has to hold:
 *
 * - Of each publisher, an epoch has a run of messages without a hole, in their order, each once; what was acknowledged is
 *   there under the number that was told.
 * - Each subscriber gets number after number; but for a gap `expired`, which says exactly how many are left out and only
 *   where the log could not hold them, and `reset`, behind which comes the beginning of an epoch that is new to it.
 *
 * So a subscriber that has the last message of the last epoch has all that it could have, or was told.
 */
export class Judge {
  wrong = []
  published = 0
  acknowledged = 0
  /** By who publishes and the channel, the number of the last. */
  #last = new Map()
  #logs = new Map()
  #followers = []
  #logMessagesMax

  /** @param {number} logMessagesMax so many messages does a log hold */
  constructor(logMessagesMax) {
    this.#logMessagesMax = logMessagesMax
  }

  /** The data of the next message of a publisher. Behind the numbers it has something to be cut in. */
  publishes(by, channel) {
    const number = (this.#last.get(`${by} ${channel}`) ?? 0) + 1
    this.#last.set(`${by} ${channel}`, number)
    this.published += 1
    return data(by, number)
  }

  acknowledges(id, channel, message) {
    this.acknowledged += 1
    this.#place(id, channel, message, `${message.by} was told`)
  }

  /** Somebody who is to get all messages of channels from now on, after those that are retained. */
  follower(name, channels) {
    const follower = { name, events: [], received: 0, gaps: { expired: 0, reset: 0 }, last: {} }
    const seen = new Map(channels.map((channel) => [channel, new Seen((epoch) => this.#log(channel, epoch), this.#logMessagesMax)]))
    const note = (text, problem) => {
      follower.events = [...follower.events.slice(-9), text]
      if (problem) this.complain(`${name}: ${problem}; the last that it saw: ${follower.events.join(", ")}`)
    }
    Object.assign(follower, {
      /** It goes on where it was; with what it had in hand once more, if it was killed over that. */
      continues: (wasKilled = false) => {
        note(wasKilled ? "killed" : "stopped")
        for (const place of seen.values()) place.continues(wasKilled)
      },
      message: ({ id, channel, data }) => {
        follower.received += 1
        follower.last[`${data?.by} ${channel}`] = data?.number
        this.#place(id, channel, data, `${name} got`)
        note(`${channel} ${id}`, seen.get(channel)?.message(id) ?? (seen.has(channel) ? undefined : "not its channel"))
      },
      gap: ({ channel, reason, missed }) => {
        follower.gaps[reason] += 1
        note(`${channel} ${reason} ${missed}`, seen.get(channel).gap(reason, missed))
      },
      late: () => [...seen.values()].flatMap((place) => place.late()),
    })
    this.#followers.push(follower)
    return follower
  }

  complain(text) {
    this.wrong.push(text)
  }

  /** What was found wrong, when all is over. */
  verdict() {
    for (const [name, log] of this.#logs) this.wrong.push(...log.wrong.map((text) => `${name}: ${text}`))
    for (const { name, late } of this.#followers) this.wrong.push(...late().map((text) => `${name}: ${text}`))
    return this.wrong
  }

  /** By the name of a follower, what all of that name got. */
  sums() {
    const sums = new Map()
    for (const { name, received, gaps } of this.#followers) {
      const sum = sums.get(name) ?? { received: 0, expired: 0, reset: 0 }
      sums.set(name, { received: sum.received + received, expired: sum.expired + gaps.expired, reset: sum.reset + gaps.reset })
    }
    return sums
  }

  get epochs() {
    return new Set([...this.#logs.keys()].map((name) => name.split(" ")[1])).size
  }

  #log(channel, epoch) {
    const name = `${channel} ${epoch}`
    if (!this.#logs.has(name)) this.#logs.set(name, new Log())
    return this.#logs.get(name)
  }

  #place(id, channel, message, who) {
    const { by, number } = Object(message)
    const isKnown = number >= 1 && number <= (this.#last.get(`${by} ${channel}`) ?? 0)
    if (!isKnown || JSON.stringify(message) != JSON.stringify(data(by, number))) {
      return this.complain(`${who} ${id} of ${channel}, which nobody published: ${JSON.stringify(message)}`)
    }
    const [epoch, sequence] = id.split("-")
    const problem = this.#log(channel, epoch).place(Number(sequence), id, by, number)
    if (problem) this.complain(`${who} ${id} of ${channel}: ${problem}`)
  }
}

const data = (by, number) => ({ by, number, rest: "x".repeat((number * 37) % 400) })
