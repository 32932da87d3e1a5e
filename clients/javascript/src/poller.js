import { hasNow } from "./cursor.js"
import { pause, retryDelay } from "./retry.js"

/** An empty answer sooner than this came at once, and a poll begun later than this ago is as good as a new one. */
const promptly = 1000

/** How much later than its time-out a poll is given up. */
export const grace = 5000

/**
 * The loop of polls, with one under way at most; PROTOCOL.md has a drawing.
 *
 *     poll ──► good answer: take it ──► poll ...
 *       ▲ └──► failure ──► pause ──┐
 *       └──────────────────────────┘
 *
 * It ends by itself only for a refusal, or too many failures.
 */
export class Poller {
  /** @type {AbortController | undefined} */
  #poll
  #began = 0
  /** @type {import("./retry.js").Pause | undefined} */
  #pause
  /** @type {Promise<void> | undefined} resolves when a page that was put to sleep wakes */
  #asleep
  #awake = (/** @type {any} */ _) => {}

  /** @param {import("./world.js").Context} context */
  constructor(context) {
    this.context = context
  }

  /** Aborts the poll; there is no other until `wake`. */
  sleep() {
    this.#asleep ??= new Promise((resolve) => (this.#awake = resolve))
    this.#poll?.abort()
  }

  /** Asks at once, and with one request, however many signs of waking there are. */
  wake() {
    this.#asleep = undefined
    this.#awake()
    this.#pause?.cut()
    if (this.context.world.now() - this.#began >= promptly) this.#poll?.abort()
  }

  /**
   * @param {AbortSignal} signal
   * @param {object} [how] unless the messages are for this client itself
   * @param {boolean} [how.isCatchUp] no poll is held, and it ends when there is nothing more
   * @param {() => string} [how.cursor] where the next poll begins
   * @param {(answer: import("./request.js").Answer, from: string) => unknown} [how.take] what becomes of an answer; it is
   *   waited for before the next poll
   * @returns {Promise<import("./client.js").HoldfastError | undefined>} why it ended by itself
   */
  async run(signal, how = {}) {
    const { world, options, requests, channels, delivery, events, status } = this.context
    const { isCatchUp, cursor = () => delivery.cursor, take = (answer) => delivery.deliver(answer, signal) } = how
    const { pollTimeout, limit, maxRetries } = options
    const stop = () => {
      this.#poll?.abort()
      this.#pause?.end()
      this.#asleep = undefined
      this.#awake()
    }
    const wait = async (/** @type {number} */ failures, /** @type {any} */ error) => {
      const delay = Math.max(retryDelay(failures, options, world.random()), error?.retryAfter ?? 0)
      this.#pause = pause(world, delay, error?.retryAfter)
      if (error) status.set("waiting", error, delay)
      await this.#pause.over
      this.#pause = undefined
      if (error && !signal.aborted) status.set("connecting")
    }
    signal.addEventListener("abort", stop)
    try {
      for (let failures = 0, empty = 0; ; ) {
        await this.#asleep
        if (signal.aborted) return
        const from = cursor()
        const isFirst = status.state != "connected"
        const timeout = isFirst || isCatchUp || hasNow(from) ? 0 : pollTimeout
        const began = (this.#began = world.now())
        const poll = (this.#poll = new AbortController())
        /** @type {import("./request.js").Answer} */
        let answer
        try {
          answer = await requests.poll(channels, { cursor: from, timeout: timeout / 1000, limit }, timeout + grace, poll.signal)
        } catch (/** @type {any} */ error) {
          if (signal.aborted) return
          // Woken, or put to sleep.
          if (poll.signal.aborted) continue
          if (error.isRefusal || failures >= maxRetries) return error
          failures += 1
          await wait(failures, error)
          continue
        } finally {
          this.#poll = undefined
        }
        const isEmpty = !answer.messages.length && !answer.gap && !isFirst
        empty = isEmpty && world.now() - began < Math.min(promptly, timeout || promptly) ? empty + 1 : 0
        failures = 0
        if (!signal.aborted) status.set("connected")
        if (signal.aborted) return
        await take(answer, from)
        if (isCatchUp && !answer.more) return
        if (empty == 2) events.report("answers_empty", "polls are answered at once with nothing; is a proxy in between broken?")
        if (empty > 1 && !signal.aborted) await wait(empty - 1)
      }
    } finally {
      signal.removeEventListener("abort", stop)
    }
  }
}
