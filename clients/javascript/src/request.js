import { failure, refusal } from "./failure.js"

/** How long the rest of an answer may take, once it has begun. */
const bodyTimeout = 30_000

/**
 * One request and its whole answer, or a failure: the only place that knows HTTP.
 *
 * @param {import("./world.js").World} world
 * @param {string} base where the API stands
 * @param {import("./client.js").Options} options
 */
export function requests(world, base, { token, clientId = world.uuid() }) {
  const provider = typeof token == "function" && token
  /** @type {any} a token, or the promise of one */
  let current = provider ? undefined : token
  /** Whether the provider was asked for a fresh token since the last good answer. */
  let isFresh = false

  /**
   * Asks; after a 401 once more, with a fresh token.
   *
   * @param {string} path
   * @param {Record<string, any>} query
   * @param {RequestInit} init
   * @param {number} deadline for the answer to begin, in milliseconds
   * @param {AbortSignal} [signal] of this request alone
   * @returns {Promise<any>} the JSON of a 200
   */
  async function ask(path, query, init, deadline, signal) {
    const control = new AbortController()
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
        if (provider) current ??= provider(isFresh)
        used = current
        const authorization = used && { Authorization: `Bearer ${await used}` }
        code = "timeout"
        const headers = { ...init.headers, ...authorization, "X-Client-ID": clientId }
        const url = `${base}/${path}?${new URLSearchParams(query)}`
        const response = await world.fetch(url, { ...init, headers, cache: "no-store", signal: control.signal })
        limit(bodyTimeout)
        return { response, text: await response.text() }
      } catch (/** @type {any} */ error) {
        throw failure(code == "timeout" ? "unreachable" : code, error?.message ?? error)
      }
    }
    signal?.addEventListener("abort", () => control.abort())
    limit(deadline)
    try {
      const { response, text } = await Promise.race([aborted, exchange()])
      const json = parsed(text)
      if (response.status != 200) throw refusal(response, json)
      isFresh = false
      return json
    } catch (/** @type {any} */ error) {
      const isRefused = provider && error.status == 401
      const isCurrent = used == current
      if (isCurrent && (isRefused || error.code == "token_failed")) current = undefined
      if (!isRefused || (isCurrent && isFresh)) throw error
      // Unless another request has seen to it meanwhile.
      if (isCurrent) isFresh = true
    } finally {
      world.clearTimeout(timer)
    }
    return ask(path, query, init, deadline, signal)
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
