import { hasNow } from "./cursor.js"
import { notOurs } from "./failure.js"
import { pause } from "./retry.js"

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
 *
 * @param {import("./world.js").Context} context
 */
export function poller(context) {
  const { world, options, ask, channels, delivery, events, status } = context
  const { pollTimeout, limit, maxRetries } = options
  /** @type {AbortController | undefined} */
  let poll
  let began = 0
  /** @type {import("./retry.js").Pause | undefined} */
  let waiting
  /** @type {Promise<unknown> | undefined} resolves when a page that was put to sleep wakes */
  let asleep
  /** @type {any} */
  let awake = () => {}

  return {
    /** Aborts the poll; there is no other until `wake`. */
    sleep() {
      asleep ??= new Promise((resolve) => (awake = resolve))
      poll?.abort()
    },

    /** Asks at once, and with one request, however many signs of waking there are. */
    wake() {
      asleep = awake()
      waiting?.cut()
      if (world.now() - began >= promptly) poll?.abort()
    },

    /**
     * @param {AbortSignal} signal
     * @param {object} [how] unless the messages are for this client itself
     * @param {boolean} [how.isCatchUp] no poll is held, and it ends when there is nothing more
     * @param {() => string} [how.cursor] where the next poll begins
     * @param {(answer: import("./world.js").Answer, from: string) => unknown} [how.take] what becomes of an answer; it is
     *   waited for before the next poll
     * @returns {Promise<import("./client.js").HoldfastError | undefined>} why it ended by itself
     */
    async run(signal, how = {}) {
      const { isCatchUp, cursor = () => delivery.cursor, take = (answer) => delivery.deliver(answer, signal) } = how
      const stop = () => {
        poll?.abort()
        waiting?.cut(0)
        asleep = awake()
      }
      const wait = async (/** @type {number} */ failures, /** @type {any} */ error) => {
        waiting = pause(context, failures, error?.retryAfter)
        if (error) status.set("waiting", error, waiting.delay)
        await waiting.over
        if (error && !signal.aborted) status.set("connecting")
      }
      signal.addEventListener("abort", stop)
      try {
        for (let failures = 0, empty = 0; ; ) {
          await asleep
          if (signal.aborted) return
          const from = cursor()
          const isFirst = status.state != "connected"
          const timeout = isFirst || isCatchUp || hasNow(from) ? 0 : pollTimeout
          const query = { cursor: from, timeout: timeout / 1000, ...(limit != null && { limit }) }
          began = world.now()
          poll = new AbortController()
          /** @type {import("./world.js").Answer} */
          let answer
          try {
            answer = await ask("poll", channels, query, {}, timeout + grace, poll)
            const { cursor, gap = [], messages } = /** @type {any} */ (answer ?? {})
            const isList = (/** @type {any} */ list) => list?.every?.((/** @type {any} */ one) => one?.channel)
            if (!cursor?.split || ![gap, messages].every(isList)) throw notOurs()
          } catch (/** @type {any} */ error) {
            if (signal.aborted) return
            // Woken, or put to sleep.
            if (poll.signal.reason?.name == "AbortError") continue
            if (error.isRefusal || failures >= maxRetries) return error
            failures += 1
            await wait(failures, error)
            continue
          }
          // A log that begins anew each time is no news either.
          const isIdle = !answer.messages.length || answer.gap?.some(({ reason }) => reason == "reset")
          empty = isIdle && !isFirst && world.now() - began < Math.min(promptly, timeout || promptly) ? empty + 1 : 0
          failures = 0
          if (!signal.aborted) status.set("connected")
          if (signal.aborted) return
          await take(answer, from)
          if (isCatchUp && !answer.more) return
          if (empty == 5) events.report("answers_empty", "no answer waits")
          if (empty > 1 && !signal.aborted) await wait(empty - 1)
        }
      } finally {
        signal.removeEventListener("abort", stop)
      }
    },
  }
}
