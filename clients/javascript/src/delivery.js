import { slots } from "./cursor.js"

/**
 * Hands messages over, and moves the cursor behind them.
 *
 * Guarantees: an answer's gaps come before its messages, those in their order and each once; the cursor never lies behind
 * a message whose listeners have not run. A listener that fails is reported and counts as having run.
 */
export class Delivery {
  /**
   * @param {import("./events.js").Events} events
   * @param {string[]} channels
   * @param {string} cursor where to begin
   * @param {(cursor: string) => unknown} moved
   */
  constructor(events, channels, cursor, moved) {
    this.events = events
    this.channels = channels
    this.cursor = cursor
    this.moved = moved
  }

  /**
   * @param {import("./request.js").Answer} answer
   * @param {AbortSignal} signal ends it between two messages; the next poll asks for those that are left
   */
  async deliver({ gap = [], messages, cursor }, signal) {
    let left = gap.length + messages.length
    for (const { channel, reason, missed } of gap) {
      await this.events.emit("gap", { type: "gap", channel, reason, missed })
      if (--left && signal.aborted) return
    }
    const { channels } = this
    const after = slots(cursor, channels.length)
    const pending = new Set(messages.map((message) => message.channel))
    // A channel without a message is as far as it gets; the others go on message by message.
    const now = slots(this.cursor, channels.length).map((slot, i) => (pending.has(channels[i]) ? slot : after[i]))
    for (const message of messages) {
      await this.events.emit("message", { ...message, type: "message" })
      now[channels.indexOf(message.channel)] = message.id
      await this.move(now.join("."))
      if (--left && signal.aborted) return
    }
    await this.move(cursor)
  }

  /** @param {string} cursor */
  async move(cursor) {
    if (cursor == this.cursor) return
    this.cursor = cursor
    await this.moved(cursor)
  }
}
