import { slots } from "./cursor.js"

/** What a listener returns that has not handled the message: it is delivered again, once the client is started again. */
export const unhandled = {}

/**
 * Hands messages over, and moves the cursor behind them.
 *
 * Guarantees: an answer's gaps come before its messages, those in their order and each once; the cursor never lies behind
 * a message whose listeners have not run. A listener that fails is reported and counts as having run.
 *
 * @param {import("./events.js").Events} events
 * @param {string[]} channels
 * @param {string} begin the first cursor
 * @param {(cursor: string) => unknown} moved
 */
export function delivery(events, channels, begin, moved) {
  const place = {
    cursor: begin,

    /** @param {string} cursor */
    async move(cursor) {
      if (cursor != place.cursor) await moved((place.cursor = cursor))
    },

    /**
     * @param {import("./world.js").Answer} answer
     * @param {AbortSignal} signal ends it between two messages; the next poll asks for those that are left
     */
    async deliver({ gap = [], messages, cursor }, signal) {
      let left = gap.length + messages.length
      for (const one of gap) {
        await events.emit("gap", one)
        if (--left && signal.aborted) return
      }
      const after = slots(cursor, channels)
      // A channel without a message is as far as it gets; the others go on message by message.
      const now = slots(place.cursor, channels).map((slot, i) =>
        messages.some(({ channel }) => channel == channels[i]) ? slot : after[i])
      for (const message of messages) {
        if ((await events.emit("message", message)).includes(unhandled)) return
        now[channels.indexOf(message.channel)] = message.id
        await place.move(now.join("."))
        if (--left && signal.aborted) return
      }
      await place.move(cursor)
    },
  }
  return place
}

/** @typedef {ReturnType<typeof delivery>} Delivery */
