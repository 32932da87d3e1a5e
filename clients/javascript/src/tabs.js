import { hasNow, slots } from "./cursor.js"
import { failure } from "./failure.js"
import { Poller, grace } from "./poller.js"

/** How long the tab that polls has to say that it does. */
const replyMax = 2000

/** What waits for slow listeners. A tab with more to do forgets the oldest, and catches up by itself. */
const inboxMax = 100

/**
 * One connection for all tabs: the one that holds a lock polls and passes the answers on, to itself too.
 *
 *     server ──► the tab that polls ──► inbox ──► does it begin where this tab is? ──► delivery
 *                        │                            no │         ▲
 *                        └──► inboxes of the others      └► catch up by a poll that is not held
 *
 * Guarantees, whichever tabs come, go, crash or freeze: each loses nothing and gets nothing twice. For no tab relies on
 * another's place; an answer counts only where it continues the tab's own. And slow listeners of the tab that polls keep
 * no other waiting.
 */
export class Tabs {
  /** @type {any[]} */
  #inbox = []
  #notify = () => {}
  /** Ends this tab's wait for the lock, or its lead. */
  #term = new AbortController()
  /** @type {AbortController | undefined} the term for which the lock was granted */
  #granted
  /** @type {AbortController | undefined} the term in which this tab polls */
  #leading
  /** @type {string | undefined} where the polling has come to, when it is up to date */
  #head
  /** Whether this tab has a place in the chain of answers. */
  #isCaughtUp = false
  /** @type {any} what the tab that polls said of its state */
  #remote
  #isAsleep = false
  /** @type {import("./client.js").HoldfastError | undefined} */
  #refused
  /** @type {BroadcastChannel | undefined} */
  #bus
  /** @type {any} */
  #timer

  /** @param {import("./world.js").Context} context */
  constructor(context) {
    const { base, channels, options } = context
    this.context = context
    this.name = `holdfast:${base}:${channels}:${options.shared}`
    this.poller = new Poller(context)
    this.catcher = new Poller(context)
  }

  sleep() {
    this.#isAsleep = true
    this.catcher.sleep()
    this.#term.abort()
  }

  wake() {
    this.#isAsleep = false
    this.poller.wake()
    this.catcher.wake()
    // One that stands for the lock anew asks then.
    if (!this.#isLeading && !this.#term.signal.aborted) this.#ask()
    this.#notify()
  }

  /** @param {AbortSignal} signal */
  async run(signal) {
    const { status, world } = this.context
    const bus = (this.#bus = new /** @type {typeof BroadcastChannel} */ (world.BroadcastChannel)(this.name))
    bus.onmessage = ({ data }) => this.#hear(data)
    status.relay = () => this.#isLeading && this.#tell()
    this.#term.abort()
    this.#inbox = []
    this.#isAsleep = this.#isCaughtUp = false
    this.#refused = this.#remote = undefined
    const stop = () => {
      this.#term.abort()
      this.#notify()
    }
    signal.addEventListener("abort", stop)
    while (!signal.aborted && !this.#refused) {
      if (this.#term.signal.aborted && !this.#isAsleep) {
        this.#stand()
        this.#ask()
      }
      const item = this.#inbox.shift()
      if (item) await this.#step(item, signal)
      else if (this.#granted == this.#term && !this.#isLeading) this.#lead()
      else await new Promise((resolve) => (this.#notify = () => resolve(undefined)))
    }
    world.clearTimeout(this.#timer)
    this.#term.abort()
    bus.close()
    return this.#refused
  }

  get #isLeading() {
    return this.#leading == this.#term && !this.#term.signal.aborted
  }

  /**
   * Waits for the lock, or takes it from a tab that is not heard of any more.
   *
   * @param {boolean} [steal]
   */
  #stand(steal) {
    this.#term.abort()
    const term = (this.#term = new AbortController())
    const { signal } = term
    const grant = () => {
      this.#granted = term
      this.#notify()
      return new Promise((resolve) => signal.addEventListener("abort", resolve))
    }
    const end = () => {
      term.abort()
      this.#notify()
    }
    const locks = /** @type {LockManager} */ (this.context.world.locks)
    locks.request(this.name, steal ? { steal } : { signal }, () => signal.aborted || grant()).then(end, end)
  }

  /** Polls, from where this tab is. */
  async #lead() {
    const { delivery, world } = this.context
    const { signal } = (this.#leading = this.#term)
    world.clearTimeout(this.#timer)
    let { cursor } = delivery
    this.#head = this.#isCaughtUp ? cursor : undefined
    this.#tell()
    const take = (/** @type {import("./request.js").Answer} */ answer, /** @type {string} */ from) => {
      cursor = answer.cursor
      this.#head = answer.more ? undefined : cursor
      const item = { answer, from, head: this.#head }
      this.#post(item)
      this.#queue(item)
    }
    const refused = await this.poller.run(signal, { cursor: () => cursor, take })
    this.#refused ??= refused
    this.#notify()
  }

  /** @param {any} item */
  #post(item) {
    this.#bus?.postMessage(item)
  }

  /** Says that this tab polls, where it is, and how that goes. */
  #tell() {
    const { state, reason, delay } = this.context.status
    const { code = undefined, detail = undefined, status = undefined } = reason ?? {}
    this.#post({ head: this.#head, state, reason: reason && { code, detail, status }, delay })
  }

  /** Asks whether there is a tab that polls; without a reply this one takes its place. */
  #ask() {
    this.#post("hello")
    this.#expect(replyMax, () => this.#stand(true))
  }

  /**
   * @param {number} time
   * @param {() => void} otherwise
   */
  #expect(time, otherwise) {
    const { world } = this.context
    world.clearTimeout(this.#timer)
    this.#timer = world.setTimeout(() => this.#isLeading || this.#isAsleep || otherwise(), time)
  }

  /** @param {any} item */
  #hear(item) {
    if (item != "hello") {
      if (this.#isLeading) return
      this.#expect(this.context.options.pollTimeout + 2 * grace, () => this.#ask())
      if (item.state) this.#remote = item
      this.#queue(item)
    } else if (this.#isLeading) this.#tell()
  }

  /** @param {any} item */
  #queue(item) {
    if (this.#inbox.push(item) > inboxMax) this.#inbox.shift()
    this.#notify()
  }

  /**
   * @param {any} item an answer with the cursor it was asked with, or where the tab that polls is
   * @param {AbortSignal} signal
   */
  async #step({ answer, from, head }, signal) {
    const { channels, delivery, status } = this.context
    const place = (/** @type {string} */ cursor) => slots(cursor, channels.length)
    const own = place(delivery.cursor)
    let fits = true
    if (answer && (from == delivery.cursor || !hasNow(delivery.cursor))) {
      const first = place(from)
      const last = place(answer.cursor)
      const isNext = (/** @type {number} */ i) => own[i] == first[i]
      const isNews = (/** @type {{ channel: string }} */ { channel }) => isNext(channels.indexOf(channel))
      fits = own.every((slot, i) => isNext(i) || slot == last[i] || first[i] == last[i])
      if (fits) {
        const cursor = own.map((slot, i) => (isNext(i) ? last[i] : slot)).join(".")
        await delivery.deliver({ gap: answer.gap?.filter(isNews), messages: answer.messages.filter(isNews), cursor }, signal)
      }
      this.#isCaughtUp = true
    } else if (head) {
      // What is to come from now on begins where the others are.
      const begin = own.map((slot, i) => (slot == "now" ? place(head)[i] : slot)).join(".")
      await delivery.move(begin)
      fits = begin == head
      this.#isCaughtUp = true
    }
    if (!fits) {
      // This brings what else is in the inbox.
      this.#inbox = []
      this.#refused ??= await this.catcher.run(signal, { isCatchUp: true })
    }
    const { state, reason, delay } = this.#remote ?? {}
    if (!state || !this.#isCaughtUp || this.#isLeading || this.#refused || signal.aborted) return
    status.set(state, reason && failure(reason.code, reason.detail, { status: reason.status }), delay)
  }
}
