import { hasNow, slots } from "./cursor.js"
import { failure } from "./failure.js"
import { grace, poller } from "./poller.js"

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
 *
 * @param {import("./world.js").Context} context
 */
export function tabs(context) {
  const { channels, delivery, options, status, world } = context
  const { locks, BroadcastChannel } = /** @type {any} */ (world)
  const name = `${context.name}:${options.shared}`
  const leader = poller(context)
  const catcher = poller(context)
  /** @type {any[]} what the tab that polls said, and this one has not looked at */
  let inbox = []
  /** @type {any} tells the loop of `run` that something is new */
  let notify = () => {}
  /** Ends this tab's wait for the lock, or its lead. */
  let term = new AbortController()
  /** @type {AbortController | undefined} the term for which the lock was granted */
  let granted
  /** @type {AbortController | undefined} the term in which this tab polls */
  let leading
  /** @type {string | undefined} where the polling has come to, when that is up to date */
  let head
  /** Whether this tab has a place in the chain of answers. */
  let isCaughtUp = false
  /** @type {any} what the tab that polls said of its state */
  let remote
  let isAsleep = false
  /** @type {import("./client.js").HoldfastError | undefined} */
  let refused
  /** @type {any} a `BroadcastChannel`, once it runs */
  let bus
  /** @type {any} */
  let timer

  const isLeading = () => leading == term && !term.signal.aborted

  /**
   * Waits for the lock, or takes it from a tab that is not heard of any more.
   *
   * @param {boolean} [steal]
   */
  function stand(steal) {
    term.abort()
    const own = (term = new AbortController())
    const { signal } = own
    const grant = () => {
      granted = own
      notify()
      return new Promise((resolve) => signal.addEventListener("abort", resolve))
    }
    const end = () => {
      own.abort()
      notify()
    }
    locks.request(name, steal ? { steal } : { signal }, () => signal.aborted || grant())
      // Where a page may have no lock, as in a sandbox, each tab polls for itself.
      .then(end, (/** @type {Error} */ { name }) => (name == "AbortError" ? end : grant)())
  }

  /** Polls, from where this tab is. */
  async function lead() {
    leading = term
    world.clearTimeout(timer)
    let { cursor } = delivery
    head = isCaughtUp ? cursor : undefined
    tell()
    const take = (/** @type {import("./world.js").Answer} */ answer, /** @type {string} */ from) => {
      cursor = answer.cursor
      head = answer.more ? undefined : cursor
      const item = { answer, from, head }
      bus?.postMessage(item)
      queue(item)
    }
    refused = (await leader.run(term.signal, { cursor: () => cursor, take })) ?? refused
    notify()
  }

  /** Says that this tab polls, where it is, and how that goes. */
  function tell() {
    const { state, reason } = status
    // Of an error itself, what it is made of would not be passed on.
    bus?.postMessage({ head, state, reason: reason && { ...reason } })
  }

  /** Asks whether there is a tab that polls; without a reply this one takes its place. */
  function ask() {
    bus?.postMessage("hello")
    expect(replyMax, () => stand(true))
  }

  /**
   * @param {number} time
   * @param {() => void} otherwise
   */
  function expect(time, otherwise) {
    world.clearTimeout(timer)
    timer = world.setTimeout(() => isLeading() || isAsleep || otherwise(), time)
  }

  /** @param {any} item */
  function hear(item) {
    if (item != "hello") {
      expect(options.pollTimeout + 2 * grace, ask)
      if (item.state) remote = item
      queue(item)
    } else if (isLeading()) tell()
  }

  /** @param {any} item */
  function queue(item) {
    if (inbox.push(item) > inboxMax) inbox.shift()
    notify()
  }

  /**
   * @param {any} item an answer with the cursor it was asked with, or where the tab that polls is
   * @param {AbortSignal} signal
   */
  async function step({ answer, from, head }, signal) {
    const place = (/** @type {string} */ cursor) => slots(cursor, channels)
    if (!answer || (from != delivery.cursor && hasNow(delivery.cursor))) {
      // What is to come from now on begins where the others are.
      answer = head && { messages: [], cursor: head }
      from = ""
      const begin = (/** @type {string} */ slot, /** @type {number} */ i) => (slot == "now" ? place(head)[i] : slot)
      if (head) await delivery.move(place(delivery.cursor).map(begin).join("."))
    }
    if (answer) {
      const [own, first, last] = [delivery.cursor, from, answer.cursor].map(place)
      const isNext = (/** @type {number} */ i) => own[i] == first[i]
      const isNews = (/** @type {{ channel: string }} */ { channel }) => isNext(channels.indexOf(channel))
      isCaughtUp = true
      if (own.every((slot, i) => isNext(i) || slot == last[i] || first[i] == last[i])) {
        const cursor = own.map((slot, i) => (isNext(i) ? last[i] : slot)).join(".")
        await delivery.deliver({ gap: answer.gap?.filter(isNews), messages: answer.messages.filter(isNews), cursor }, signal)
      } else {
        // This brings what else is in the inbox.
        inbox = []
        refused = (await catcher.run(signal, { isCatchUp: true })) ?? refused
      }
    }
    if (!remote || !isCaughtUp || isLeading() || refused || signal.aborted) return
    const { state, reason } = remote
    // A tab that begins to poll has not lost a connection.
    if (state == "connecting" && status.state != "waiting") return
    status.set(state, reason && failure(reason.code, reason.detail, reason))
  }

  return {
    sleep() {
      isAsleep = true
      catcher.sleep()
      term.abort()
    },

    wake() {
      isAsleep = false
      leader.wake()
      catcher.wake()
      // One that stands for the lock anew asks then.
      if (!isLeading() && !term.signal.aborted) ask()
      notify()
    },

    /** @param {AbortSignal} signal */
    async run(signal) {
      bus = new BroadcastChannel(name)
      bus.onmessage = (/** @type {any} */ { data }) => hear(data)
      status.relay = () => isLeading() && tell()
      term.abort()
      inbox = []
      isAsleep = isCaughtUp = false
      refused = remote = undefined
      const stop = () => {
        term.abort()
        notify()
      }
      signal.addEventListener("abort", stop)
      while (!signal.aborted && !refused) {
        if (term.signal.aborted && !isAsleep) {
          stand()
          ask()
        }
        const item = inbox.shift()
        if (item) await step(item, signal)
        else if (granted == term && leading != term && !term.signal.aborted) lead()
        else await new Promise((resolve) => (notify = resolve))
      }
      world.clearTimeout(timer)
      bus.close()
      return refused
    },
  }
}
