import { failure } from "./failure.js"
import { pause, retryDelay } from "./retry.js"

/** How long one attempt may take. */
const deadline = 30_000

/** The server remembers a key for ten minutes. What may have been published longer ago than this is not sent again. */
const fateUnknownMax = 540_000

/**
 * Publishes one message after another, each until it is known to be published or refused.
 *
 * Guarantees: messages are published in the order of the calls, each at most once, and a promise tells what became of it.
 */
export class Publisher {
  /** @type {Entry[]} the first is under way */
  #queue = []
  /** @type {import("./retry.js").Pause | undefined} */
  #pause

  /** @param {import("./world.js").Context} context */
  constructor(context) {
    this.context = context
  }

  /**
   * @param {string} channel
   * @param {unknown} data
   * @param {import("./client.js").PublishOptions} options
   * @returns {Promise<import("./client.js").Receipt>}
   */
  publish(channel, data, { key = this.context.world.uuid(), ttl, signal } = {}) {
    return new Promise((resolve, reject) => {
      const queue = this.#queue
      const body = JSON.stringify(data)
      if (body === undefined) throw new TypeError("this has no form in JSON")
      if (queue.length >= this.context.options.publishQueueMax) {
        throw failure("queue_full", `${queue.length} messages are waiting to be published`)
      }
      signal?.throwIfAborted()
      const control = new AbortController()
      const entry = { channel, body, key, ttl, signal: control.signal, resolve, reject }
      signal?.addEventListener("abort", () => {
        reject(signal.reason)
        control.abort()
        const place = queue.indexOf(entry)
        if (place > 0) queue.splice(place, 1)
        if (place == 0) this.#pause?.end()
      })
      if (queue.push(entry) == 1) this.#run()
    })
  }

  async #run() {
    const unlisten = this.context.world.listen(() => {}, () => this.#pause?.cut())
    for (const queue = this.#queue; queue.length; queue.shift()) {
      await this.#send(queue[0]).then(queue[0].resolve, queue[0].reject)
    }
    unlisten()
  }

  /** @param {Entry} entry */
  async #send({ channel, body, key, ttl, signal }) {
    const { world, options, requests } = this.context
    /** @type {number | undefined} */
    let unknownSince
    for (let failures = 1; ; failures++) {
      const wasOffline = world.isOffline()
      const began = world.now()
      try {
        return await requests.publish(channel, { ttl }, body, key, deadline, signal)
      } catch (/** @type {any} */ error) {
        if (error.isRefusal || signal.aborted || failures > options.maxRetries) throw error
        // Holdfast's own problems say that nothing was published, and so does a token that could not be had.
        const isCertain = error.code == "token_failed" || (error.status && !error.code.startsWith("http_"))
        if (!isCertain && !wasOffline) unknownSince ??= began
        this.#pause = pause(world, retryDelay(failures, options, world.random()), error.retryAfter)
        await this.#pause.over
        this.#pause = undefined
        if (signal.aborted) throw error
        if (unknownSince !== undefined && world.now() - unknownSince >= fateUnknownMax) {
          throw failure("fate_unknown", `it may have been published, and it is too late to try again: ${error.detail}`)
        }
      }
    }
  }
}

/** @typedef {{ channel: string, body: string, key: string, ttl?: number, signal: AbortSignal, resolve: (receipt: any) => void, reject: (error: any) => void }} Entry */
