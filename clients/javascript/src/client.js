import { delivery, unhandled } from "./delivery.js"
import { clientEvents } from "./events.js"
import { failure } from "./failure.js"
import { poller } from "./poller.js"
import { publisher } from "./publisher.js"
import { requests } from "./request.js"
import { clientStatus } from "./status.js"
import { tabs } from "./tabs.js"
import { world as realWorld } from "./world.js"

const defaults = {
  cursor: "now",
  pollTimeout: 30_000,
  retryDelayMin: 1000,
  retryDelayMax: 30_000,
  maxRetries: Infinity,
  publishQueueMax: 1000,
}

/**
 * Follows channels of a Holdfast server: every message, in order, once, until it is stopped.
 *
 *     const client = new LongPollingClient("news")
 *     client.on("message", (message) => console.log(message.data))
 *     client.start()
 *
 * It does not give up: lost connections, sleep, and servers that restart are waited out, and it goes on from the message
 * it saw last. Where messages are gone for good, a `gap` says so. PROTOCOL.md, 'Clients', has all the rules.
 */
export class LongPollingClient {
  /** @type {import("./world.js").Context} */
  #context
  #publisher
  #runner
  /** @type {AbortController | undefined} of the present run, if there is one */
  #session
  /** @type {Promise<unknown>} resolves when all runs so far have ended */
  #ended = Promise.resolve()
  #unlisten = () => {}

  /**
   * @param {string | string[]} channels one, or up to 64; `[]` for a client that only publishes
   * @param {Options} [options]
   * @param {object} [world] what stands in for the clock, the network and the page in tests
   */
  constructor(channels, options = {}, world = {}) {
    const list = [channels].flat()
    const base = endpoint(options)
    const name = `holdfast:${base}:${list}`
    /** @type {any} */
    const all = { ...options }
    for (const [key, value] of Object.entries({ ...defaults, storeKey: name })) all[key] ??= value
    const events = clientEvents()
    const parts = { ...realWorld, ...(options.fetch && { fetch: options.fetch }), ...world }
    const context = (this.#context = {
      world: parts, options: all, channels: list, name, events, status: clientStatus(events),
      delivery: delivery(events, list, all.cursor, (cursor) => this.#store("set", cursor)),
      ask: requests(parts, base, options),
    })
    this.#publisher = publisher(context)
    this.#runner = (options.shared && parts.locks && parts.BroadcastChannel ? tabs : poller)(context)
  }

  /** `stopped`, `connecting`, `connected` or `waiting` for the next attempt. @returns {State} */
  get state() {
    return this.#context.status.state
  }

  /** The id of the last message that was handled, as the server wants it: where the client goes on. @returns {string} */
  get cursor() {
    return this.#context.delivery.cursor
  }

  /** Begins, or does nothing where it has begun. */
  start() {
    if (this.#session) return this
    const session = (this.#session = new AbortController())
    const { delivery, options, status, world } = this.#context
    const runner = this.#runner
    this.#unlisten = world.listen(() => runner.wake(), () => runner.sleep())
    status.set("connecting")
    this.#ended = this.#ended.then(async () => {
      const kept = this.cursor == options.cursor && (await this.#store("get"))
      if (kept) delivery.cursor = `${kept}`
      // What is not foreseen ends the client too, and is told.
      const run = () => runner.run(session.signal).catch((error) => failure("answer_invalid", error.message))
      let refused = await run()
      if (refused?.code == "cursor_malformed" && this.cursor == kept) {
        this.#context.events.report("store_failed", refused)
        delivery.cursor = options.cursor
        refused = await run()
      }
      if (refused && this.#session == session) this.#end(refused)
    })
    return this
  }

  /** Ends the poll or the wait, or does nothing where it has ended. What was published goes on. */
  stop() {
    this.#end(failure("stopped", "by stop()"))
    return this
  }

  /** @param {HoldfastError} reason */
  #end(reason) {
    this.#session?.abort()
    this.#session = undefined
    this.#unlisten()
    this.#context.status.set("stopped", reason)
  }

  /**
   * Calls a listener with each event of a type, in order. The next message waits for a listener that returns a promise.
   *
   * @template {keyof ClientEvents} Type
   * @param {Type} type
   * @param {Listener<Type>} listener
   */
  on(type, listener) {
    this.#context.events.add(type, listener)
    return this
  }

  /**
   * Like `on`, for the next event only.
   *
   * @template {keyof ClientEvents} Type
   * @param {Type} type
   * @param {Listener<Type>} listener
   */
  once(type, listener) {
    this.#context.events.add(type, listener, { once: true })
    return this
  }

  /**
   * @template {keyof ClientEvents} Type
   * @param {Type} type
   * @param {Listener<Type>} listener
   */
  off(type, listener) {
    this.#context.events.of(type).delete(listener)
    return this
  }

  /**
   * As `EventTarget` has it, `once` and `signal` among the options.
   *
   * @template {keyof ClientEvents} Type
   * @param {Type} type
   * @param {Listener<Type>} listener
   * @param {boolean | AddEventListenerOptions} [options]
   */
  addEventListener(type, listener, options) {
    this.#context.events.add(type, listener, options)
  }

  /**
   * @template {keyof ClientEvents} Type
   * @param {Type} type
   * @param {Listener<Type>} listener
   */
  removeEventListener(type, listener) {
    this.#context.events.of(type).delete(listener)
  }

  /**
   * The messages as they come. Starts the client; a message counts as handled when the next is asked for. Leaving the loop
   * stops the client, `stop` ends the loop, and a refusal by the server is thrown. The message at which a loop was left
   * comes again when the client goes on.
   *
   * @returns {AsyncGenerator<Message, void, void>}
   */
  async *[Symbol.asyncIterator]() {
    /** @type {{ message: Message, done: (value: unknown) => void } | undefined} */
    let next
    /** @type {ClientEvents["disconnected"] | undefined} */
    let end
    /** @type {any} */
    let notify
    const onMessage = (/** @type {Message} */ message) =>
      new Promise((done) => {
        next = { message, done }
        notify?.()
      })
    const onEnd = (/** @type {ClientEvents["disconnected"]} */ event) => {
      if (event.retrying) return
      end = event
      notify?.()
    }
    this.on("message", onMessage).on("disconnected", onEnd).start()
    try {
      for (;;) {
        if (!next && !end) await new Promise((resolve) => (notify = resolve))
        // A message that was handed over belongs to the loop, even if the client is stopped meanwhile.
        if (!next) break
        const { message, done } = next
        next = undefined
        let isHandled = false
        try {
          yield message
          isHandled = true
        } finally {
          if (!isHandled) this.stop()
          done(isHandled || unhandled)
        }
      }
      if (end?.code != "stopped") throw end?.error
    } finally {
      this.off("message", onMessage).off("disconnected", onEnd)
    }
  }

  /**
   * Publishes any value that has a form in JSON, after those of earlier calls. It is sent again until it is known to be
   * published, and published once.
   *
   * @param {string} channel
   * @param {unknown} data
   * @param {PublishOptions} [options]
   * @returns {Promise<Receipt>} rejected where the server refuses it, with the problem's `code`
   */
  publish(channel, data, options) {
    return this.#publisher(channel, data, options)
  }

  /**
   * @param {"get" | "set"} what
   * @param {string[]} cursor
   * @returns {Promise<any>}
   */
  async #store(what, ...cursor) {
    /** @type {{ store?: any, storeKey?: string }} */
    const { store, storeKey } = this.#context.options
    if (!store) return
    try {
      return await store[store.getItem ? `${what}Item` : what](storeKey, ...cursor)
    } catch (error) {
      this.#context.events.report("store_failed", error)
    }
  }
}

/**
 * Where the API stands: on the server that this module came from, or else the page, unless another is named.
 *
 * @param {Options} options
 */
function endpoint({ server, prefix = "/api" }) {
  const here = /^http/.test(import.meta.url) ? import.meta.url : globalThis.location?.href
  const { href } = new URL((server ?? "/").replace(/\/?$/, `${prefix}/`), here)
  if (!/^http/.test(href)) throw failure("server_invalid", href)
  return href.slice(0, -1)
}

/**
 * @typedef {object} Options
 * @property {string} [server] `http://host:port` or `https://host`; the one that this module came from
 * @property {string} [prefix] what the server was told as `--prefix`, `/api` if nothing
 * @property {string} [cursor] where to begin: `now`, `earliest`, or the id of a message; `now`
 * @property {Store} [store] keeps the cursor, so that a reloaded page goes on where it was: `sessionStorage`,
 *   `localStorage`, a `Map`, or anything else with `get` and `set`
 * @property {string} [storeKey] its name there, unless the server and the channels are name enough
 * @property {boolean | string} [shared] one connection for all tabs that follow the same channels; a string sets groups of
 *   them apart, such as those of different users
 * @property {Token} [token] sent as `Authorization: Bearer`
 * @property {string} [clientId] sent as `X-Client-ID`: whose held polls are counted together; random
 * @property {number} [pollTimeout] milliseconds that the server may hold a poll; 30,000
 * @property {number} [limit] most messages in one answer
 * @property {number} [retryDelayMin] milliseconds: at most so long is the first wait after a failure; 1,000
 * @property {number} [retryDelayMax] milliseconds that no wait is longer than; 30,000
 * @property {number} [maxRetries] attempts after a failure before the client stops; unlimited
 * @property {number} [publishQueueMax] messages that may wait to be published; 1,000
 * @property {typeof fetch} [fetch] used instead of the global one
 */

/**
 * A token, or a function that gives one. It is asked for a fresh one, with `true`, when the server refuses the last.
 *
 * @typedef {string | ((refresh: boolean) => string | Promise<string>)} Token
 */

/**
 * @typedef {{ getItem(key: string): any, setItem(key: string, value: string): any }
 *   | { get(key: string): any, set(key: string, value: string): any }} Store
 */

/** @typedef {"stopped" | "connecting" | "connected" | "waiting"} State */

/**
 * @typedef {object} Message
 * @property {string} id
 * @property {string} channel
 * @property {number} timestamp Unix seconds
 * @property {any} data
 * @property {"base64"} [encoding] what `data` is encoded in, where it was published as neither JSON nor text
 * @property {string} [content_type] what it was published as then
 */

/**
 * Messages after the cursor can no longer be given. `missed` is their number, or `null` where nobody can tell.
 *
 * @typedef {{ channel: string, reason: "expired" | "reset", missed: number | null }} Gap
 */

/** @typedef {{ id: string, channel: string, timestamp: number, subscribers: number }} Receipt */

/**
 * @typedef {object} PublishOptions
 * @property {string} [key] makes the message unique beyond this call, for the ten minutes that a server remembers it
 * @property {number} [ttl] seconds after which the message expires
 */

/**
 * `code` is the server's, such as `cursor_malformed`, or one of the client's own: `stopped`, `unreachable`, `timeout`,
 * `answer_invalid`, `token_failed`, `server_invalid`, `value_invalid`, `queue_full`, `fate_unknown`, or `http_502` where the
 * status is all there is.
 *
 * @typedef {object} Reason
 * @property {string} code
 * @property {string} detail for a person
 * @property {number} [status] of the answer, if there was one
 * @property {number} [retryAfter] milliseconds that the server asked for
 * @property {boolean} [isRefusal] whether asking again cannot help
 */

/** @typedef {Error & Reason} HoldfastError */

/**
 * @typedef {object} ClientEvents
 * @property {Message & { type: "message" }} message
 * @property {Gap & { type: "gap" }} gap before the messages after it
 * @property {{ type: "connected" }} connected there was a good answer
 * @property {Reason & { type: "disconnected", retrying: boolean, error: HoldfastError }} disconnected `retrying` tells
 *   whether the client goes on by itself
 * @property {{ type: "error", code: "handler_failed" | "store_failed" | "answers_empty", detail: string, error?: unknown }} error
 *   something is wrong that the client lives with
 * @property {{ type: "state", state: State, previous: State, delay?: number, reason?: HoldfastError }} state `reason`
 *   when it is waiting or stopped; `delay`, in milliseconds, when it is waiting and polls by itself
 */

/**
 * @template {keyof ClientEvents} Type
 * @typedef {(event: ClientEvents[Type]) => unknown} Listener
 */
