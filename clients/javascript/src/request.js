import { failure, refusal } from "./failure.js"

/** How long an answer that is not held may take, and the rest of any answer, once it has begun. */
export const answerTimeout = 30_000

/**
 * One request and its whole answer, or a failure: the only place that knows HTTP.
 *
 * @param {import("./world.js").World} world
 * @param {string} base where the API stands
 * @param {import("./client.js").Options & { token?: any }} options
 */
export function requests(world, base, { token, clientId = world.uuid() }) {
  /** A token, the promise of one, or the function that gives one. */
  let current = token
  /** Whether the provider was asked for a fresh token since the last good answer. */
  let isFresh = false

  /**
   * Asks; after a 401 once more, with a fresh token.
   *
   * @param {"poll" | "publish"} what
   * @param {string[]} channels
   * @param {Record<string, any>} query
   * @param {RequestInit} init
   * @param {number} deadline for the answer to begin, in milliseconds
   * @param {AbortController} [control] of this request alone
   * @returns {Promise<any>} the JSON of a 200
   */
  async function ask(what, channels, query, init, deadline, control = new AbortController()) {
    /** @type {any} */
    let timer
    /** @type {any} */
    let used
    /** What it is that has failed, if now something does. */
    let code = "token_failed"
    const limit = (/** @type {number} */ time) => {
      world.clearTimeout(timer)
      timer = world.setTimeout(() => control.abort(failure(code, `no answer within ${time / 1000} s`)), time)
    }
    // A token provider knows nothing of signals, and perhaps a `fetch` that stands in for the browser's.
    const aborted = new Promise((_, reject) => {
      control.signal.addEventListener("abort", () => reject(control.signal.reason))
    })
    const exchange = async () => {
      try {
        if (current?.call) current = current(isFresh)
        used = current
        const authorization = used && { Authorization: `Bearer ${await used}` }
        const headers = { ...init.headers, ...authorization, "X-Client-ID": clientId }
        code = "value_invalid"
        new Headers(headers)
        const url = `${base}/${what}/${channels.map(encodeURIComponent)}?${new URLSearchParams(query)}`
        code = "timeout"
        const response = await world.fetch(url, { ...init, headers, cache: "no-store", signal: control.signal })
        limit(answerTimeout)
        return { response, text: await response.text() }
      } catch (/** @type {any} */ error) {
        const isRefusal = code == "value_invalid"
        throw failure(code == "timeout" ? "unreachable" : code, error?.message ?? error, { isRefusal })
      }
    }
    limit(deadline)
    try {
      const { response, text } = await Promise.race([aborted, exchange()])
      const json = parsed(text)
      if (response.status != 200) throw refusal(response, json)
      isFresh = false
      return json
    } catch (/** @type {any} */ error) {
      const isRefused = token?.call && error.status == 401
      const isCurrent = used == current
      if (isCurrent && (isRefused || error.code == "token_failed")) current = token
      if (!isRefused || (isCurrent && isFresh)) throw error
      // Unless another request has seen to it meanwhile.
      if (isCurrent) isFresh = true
    } finally {
      world.clearTimeout(timer)
    }
    return ask(what, channels, query, init, deadline, control)
  }

  return ask
}

/** @param {string} text */
function parsed(text) {
  try {
    return JSON.parse(text)
  } catch {
    // A page of a proxy, or of a hotel's login.
  }
}
