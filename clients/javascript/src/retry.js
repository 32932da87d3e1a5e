/**
 * Decides how long to wait before the next attempt. That is full jitter: anything between nothing and a ceiling that doubles
 * with each failure, so that ten thousand clients that lost one server do not come back in one moment.
 *
 * @param {number} failures in a row, this one among them
 * @param {{ retryDelayMin: number, retryDelayMax: number }} options
 * @param {number} random from 0 to 1
 */
export const retryDelay = (failures, { retryDelayMin, retryDelayMax }, random) =>
  Math.min(retryDelayMax, retryDelayMin * 2 ** (failures - 1)) * random

/**
 * A wait that can be shortened.
 *
 * @param {import("./world.js").World} world
 * @param {number} delay milliseconds
 * @param {number} [least] how much of it `cut` leaves: what the server asked for
 */
export function pause(world, delay, least = 0) {
  const began = world.now()
  let end = () => {}
  const over = new Promise((resolve) => (end = () => resolve(undefined)))
  let timer = world.setTimeout(end, Math.max(delay, least))
  const shorten = (/** @type {number} */ time) => {
    const left = began + time - world.now()
    world.clearTimeout(timer)
    if (left > 0) timer = world.setTimeout(end, left)
    else end()
  }
  return {
    /** Resolves when the wait is over. */
    over,
    /** The network is back. */
    cut: () => shorten(least),
    end: () => shorten(0),
  }
}

/** @typedef {ReturnType<typeof pause>} Pause */
