import { failure, refusal } from "./failure.js"

/** How long the rest of an answer may take, once it has begun. */
const bodyTimeout = 30_000

/**
 * The answer to a poll, as PROTOCOL.md has it.
 *
 * @typedef {object} Answer
 * @property {import("./client.js").Gap[]} [gap]
 * @property {import("./client.js").Message[]} messages
 * @property {string} cursor
 * @property {boolean} [more]
 */

/** One request and its whole answer, or a failure: the only place that knows HTTP. */
export class Requests {
  /** @type {Promise<string> | undefined} */
  #token
  /** Whether the provider was asked for a fresh token since the last good answer. */
  #isFresh = false

  /**
   * @param {import("./world.js").World} world
   * @param {string} base where the API stands
   * @param {import("./client.js").Options} options
   */
  constructor(world, base, { token, clientId = world.uuid() }) {
    this.world = world
    this.base = base
    this.provider = typeof token == "function" ? token : undefined
    if (typeof token == "string") this.#token = Promise.resolve(token)
    this.clientId = clientId
  }

  /**
   * @param {string[]} channels
   * @param {Record<string, any>} query
   * @param {number} deadline for the answer to begin, in milliseconds
   * @param {AbortSignal} signal
   * @returns {Promise<Answer>}
   */
  async poll(channels, query, deadline, signal) {
    const answer = await this.#ask("poll", channels, query, {}, deadline, signal)
    if (typeof answer?.cursor == "string" && Array.isArray(answer.messages)) return answer
    throw notOurs()
  }

  /**
   * @param {string} channel
   * @param {Record<string, any>} query
   * @param {string} body
   * @param {string} key
   * @param {number} deadline
   * @param {AbortSignal} signal
   * @returns {Promise<import("./client.js").Receipt>}
   */
  async publish(channel, query, body, key, deadline, signal) {
    const headers = { "Content-Type": "application/json", "Idempotency-Key": key }
    const answer = await this.#ask("publish", [channel], query, { method: "POST", body, headers }, deadline, signal)
    if (typeof answer?.message_id != "string") throw notOurs()
    return { id: answer.message_id, channel, timestamp: answer.timestamp, subscribers: answer.subscribers }
  }

  /**
   * Asks, and after a 401 once more with a fresh token.
   *
   * @param {string} what
   * @param {string[]} channels
   * @param {Record<string, any>} query
   * @param {RequestInit} init
   * @param {number} deadline
   * @param {AbortSignal} signal
   * @returns {Promise<any>}
   */
  async #ask(what, channels, query, init, deadline, signal) {
    const pairs = Object.entries(query).filter(([, value]) => value !== undefined)
    const url = `${this.base}/${what}/${channels.map(encodeURIComponent)}?${new URLSearchParams(pairs)}`
    for (;;) {
      const token = (this.#token ??= this.provider && this.#freshToken(this.provider))
      try {
        const answer = await this.#exchange(url, init, token, deadline, signal)
        this.#isFresh = false
        return answer
      } catch (/** @type {any} */ error) {
        if (error.code == "token_failed") this.#token = undefined
        if (error.status != 401 || !this.provider) throw error
        // Unless another request has seen to it meanwhile.
        if (token == this.#token) {
          if (this.#isFresh) throw error
          this.#isFresh = true
          this.#token = undefined
        }
      }
    }
  }

  /** @param {(refresh: boolean) => string | Promise<string>} provider */
  async #freshToken(provider) {
    try {
      return await provider(this.#isFresh)
    } catch (/** @type {any} */ error) {
      throw failure("token_failed", error?.message ?? String(error))
    }
  }

  /**
   * @param {string} url
   * @param {RequestInit} init
   * @param {Promise<string> | undefined} token
   * @param {number} deadline
   * @param {AbortSignal} signal
   */
  async #exchange(url, init, token, deadline, signal) {
    const { world } = this
    const control = new AbortController()
    /** @type {any} */
    let timer
    const stop = () => control.abort(failure("stopped", "the request was aborted"))
    const limit = (/** @type {number} */ time) => {
      world.clearTimeout(timer)
      const late = failure("timeout", `no answer within ${time / 1000} s`)
      timer = world.setTimeout(() => control.abort(late), time)
    }
    // A token provider need not know of signals, nor a `fetch` that stands in for the browser's.
    const aborted = new Promise((_, reject) => {
      control.signal.addEventListener("abort", () => reject(control.signal.reason))
    })
    const exchange = async () => {
      /** @type {Record<string, any>} */
      const headers = { ...init.headers, "X-Client-ID": this.clientId }
      if (token) headers.Authorization = `Bearer ${await token}`
      try {
        const response = await world.fetch(url, { ...init, headers, cache: "no-store", signal: control.signal })
        limit(bodyTimeout)
        return { response, text: await response.text() }
      } catch (/** @type {any} */ error) {
        throw failure("unreachable", error?.message ?? String(error))
      }
    }
    signal.addEventListener("abort", stop)
    limit(deadline)
    try {
      const { response, text } = await Promise.race([aborted, exchange()])
      const json = parsed(text)
      if (response.status == 200) return json
      throw refusal(response, json)
    } finally {
      world.clearTimeout(timer)
      signal.removeEventListener("abort", stop)
    }
  }
}

/** A page of a proxy or of a hotel's login, or another server. */
const notOurs = () => failure("answer_invalid", "the answer is not one of Holdfast's; is this its address and prefix?")

/** @param {string} text */
function parsed(text) {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
