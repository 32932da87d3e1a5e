/**
 * A cursor of several channels is their positions with dots between, in the order of the channels; one word stands for
 * all of them. No more than that is known of it here.
 *
 * @param {string} cursor
 * @param {number} count of channels
 * @returns {string[]}
 */
export const slots = (cursor, count) => {
  const list = cursor.split(".")
  return list.length < count ? Array(count).fill(cursor) : list
}

/**
 * Whether a slot is yet to become a position. A second `now` would lie behind what came since the first.
 *
 * @param {string} cursor
 */
export const hasNow = (cursor) => cursor.split(".").includes("now")
