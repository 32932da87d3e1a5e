/**
 * An error with what the protocol says of it.
 *
 * @param {string} code
 * @param {string} detail for a person
 * @param {object} [more] `status`; `retryAfter` in milliseconds; `isRefusal`: asking again cannot help
 * @returns {import("./client.js").HoldfastError}
 */
export const failure = (code, detail, more) => Object.assign(new Error(`${code}: ${detail}`), { code, detail }, more)

/** A 200 that something else gave: a proxy, another API. */
export const notOurs = () => failure("answer_invalid", "no answer of Holdfast")

/** A longer `Retry-After` is taken as this, so that one mistaken header cannot silence a client for a day. */
const retryAfterMax = 300_000

/**
 * What an answer with another status than 200 means. A proxy may have written it, so nothing in it is relied on.
 *
 * @param {Response} response
 * @param {any} problem its body, where that is JSON
 */
export function refusal({ status, headers }, problem) {
  return failure(
    // One of Holdfast's own has its status in it too.
    `${(problem?.status == status && problem.code) || `http_${status}`}`,
    problem?.detail || `status ${status}`,
    {
      status,
      // Its other form, a date, would need clocks that agree.
      retryAfter: Math.min(/** @type {any} */ (headers.get("Retry-After")) * 1000 || 0, retryAfterMax),
      isRefusal: /^4(?!08|29)/.test(`${status}`),
    },
  )
}
