import { failure, notOurs } from "./failure.js"
import { answerTimeout } from "./request.js"
import { pause } from "./retry.js"

/** The server remembers a key for ten minutes. What may have been published longer ago than this is not sent again. */
const fateUnknownMax = 540_000

/**
 * Publishes one message after another, each until it is known to be published or refused.
 *
 * Guarantees: messages are published in the order of the calls, each at most once, and a promise tells what became of it.
 *
 * @param {import("./world.js").Context} context
 */
export function publisher(context) {
  const { options, ask, world } = context
  /** @type {Entry[]} the first is under way */
  const queue = []
  /** @type {import("./retry.js").Pause | undefined} */
  let waiting

  async function run() {
    const unlisten = world.listen(() => waiting?.cut())
    for (; queue.length; queue.shift()) await send(queue[0]).then(queue[0].resolve, queue[0].reject)
    unlisten()
  }

  /** @param {Entry} entry */
  async function send({ channel, body, key, ttl }) {
    const headers = { "Content-Type": "application/json", "Idempotency-Key": key }
    /** @type {number | undefined} */
    let unknownSince
    for (let failures = 1; ; failures++) {
      const wasOffline = world.isOffline()
      const began = world.now()
      try {
        const query = ttl == null ? {} : { ttl }
        const answer = await ask("publish", [channel], query, { method: "POST", body, headers }, answerTimeout)
        const { message_id: id, timestamp, subscribers } = answer ?? {}
        if (!id) throw notOurs()
        return { id, channel, timestamp, subscribers }
      } catch (/** @type {any} */ error) {
        if (error.isRefusal || failures > options.maxRetries) throw error
        // Holdfast's own problems say that nothing was published, and so does a token that could not be had.
        const isCertain = error.code == "token_failed" || (error.status && !error.code.startsWith("http_"))
        if (!isCertain && !wasOffline) unknownSince ??= began
        waiting = pause(context, failures, error.retryAfter)
        await waiting.over
        if (unknownSince !== undefined && world.now() - unknownSince >= fateUnknownMax) {
          throw failure("fate_unknown", `perhaps published: ${error.detail}`)
        }
      }
    }
  }

  /**
   * @param {string} channel
   * @param {unknown} data
   * @param {import("./client.js").PublishOptions} how
   * @returns {Promise<import("./client.js").Receipt>}
   */
  return (channel, data, { key = world.uuid(), ttl } = {}) =>
    new Promise((resolve, reject) => {
      const body = JSON.stringify(data)
      if (body === undefined) throw failure("value_invalid", "no JSON")
      if (queue.length >= options.publishQueueMax) throw failure("queue_full", `${queue.length} messages wait`)
      if (queue.push({ channel, body, key, ttl, resolve, reject }) == 1) run()
    })
}

/**
 * @typedef {object} Entry
 * @property {string} channel
 * @property {string} body
 * @property {string} key
 * @property {number} [ttl]
 * @property {(receipt: any) => void} resolve
 * @property {(error: any) => void} reject
 */
