/**
 * A cursor of several channels is their positions with dots between, in the order of the channels; one word stands for
 * all of them. No more than that is known of it here.
 *
 * @param {string} cursor
 * @param {string[]} channels
 */
export const slots = (cursor, channels) => {
  const list = cursor.split(".")
  return channels.map((_, i) => list[i] ?? cursor)
}

/**
 * Whether a slot is yet to become a position. A second `now` would lie behind what came since the first.
 *
 * @param {string} cursor
 */
export const hasNow = (cursor) => cursor.split(".").includes("now")
