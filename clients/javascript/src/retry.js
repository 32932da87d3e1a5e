/**
 * The wait before the next attempt: full jitter, anything between nothing and a ceiling that doubles with each failure, so that
 * ten thousand clients that lost one server do not come back in one moment; and at least what the server asked for.
 *
 * @param {import("./world.js").Context} context
 * @param {number} failures in a row, this one among them
 * @param {number} [retryAfter] milliseconds
 */
export function pause({ world, options }, failures, retryAfter = 0) {
  const { retryDelayMin, retryDelayMax } = options
  const delay = Math.max(retryAfter, Math.min(retryDelayMax, retryDelayMin * 2 ** (failures - 1)) * world.random())
  const began = world.now()
  /** @type {any} */
  let end
  const over = new Promise((resolve) => (end = resolve))
  let timer = world.setTimeout(end, delay)
  const cut = (time = retryAfter) => {
    // A clock that is set back makes no wait longer.
    const left = Math.min(time, began + time - world.now())
    world.clearTimeout(timer)
    if (left > 0) timer = world.setTimeout(end, left)
    else end()
  }
  return {
    /** In milliseconds. */
    delay,
    /** Resolves when the wait is over. */
    over,
    /** Shortens it to so many milliseconds in all; to what the server asked for when the network is back. */
    cut,
  }
}

/** @typedef {ReturnType<typeof pause>} Pause */
