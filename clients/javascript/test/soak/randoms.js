/** Chance that is the same for the same seed. */
export class Randoms {
  #seed

  constructor(seed) {
    this.#seed = seed
  }

  /** From 0 to 1: mulberry32. */
  next() {
    this.#seed = (this.#seed + 0x6d2b79f5) | 0
    let bits = Math.imul(this.#seed ^ (this.#seed >>> 15), 1 | this.#seed)
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32
  }

  below(limit) {
    return Math.floor(this.next() * limit)
  }

  of(list) {
    return list[this.below(list.length)]
  }

  /** Waits at most so long. */
  sleep(millisecondsMax) {
    return sleep(this.next() * millisecondsMax)
  }

  /** Another, so that what happens by one has no part in what happens by the other. */
  fork() {
    return new Randoms(this.below(2 ** 32))
  }
}

export const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds))
