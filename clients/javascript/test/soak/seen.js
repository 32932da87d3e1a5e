/**
 * Where one subscriber is in one channel, and whether what it is given next is what comes next.
 *
 * It may be in one of several places: who stopped at a gap may be told that gap again or not, and who was killed over a
 * message may get that again or not.
 */
export class Seen {
  /** Each has the number of the last message, or of the last that is known to be left out. Without an epoch: of a new one. */
  #places = [{ sequence: 0 }]
  /** Behind the last message, and where it was before that. */
  #behind = this.#places
  #before = this.#places
  #hasStopped = false
  /** Whether a gap said how many messages are left out. */
  #isCut = false
  #epochs = new Set()
  /** Messages before which something was left out, which is right if the log could not hold it. */
  #claims = []
  #log
  #logMessagesMax

  /** @param {(epoch: string) => import("./log.js").Log} log */
  constructor(log, logMessagesMax) {
    this.#log = log
    this.#logMessagesMax = logMessagesMax
  }

  /** It goes on after it stopped, or after it was killed over whatever it had in hand. */
  continues(wasKilled) {
    this.#hasStopped = true
    if (!wasKilled) return
    this.#places = [...this.#places, ...this.#behind, ...this.#before]
    // That began the epoch, and may do so again.
    if (this.#before.some(({ epoch }) => !epoch)) for (const { epoch } of this.#behind) this.#epochs.delete(epoch)
  }

  /** @returns {string | undefined} what is wrong */
  message(id) {
    const [epoch, text] = id.split("-")
    const sequence = Number(text)
    const inReach = this.#places.filter((place) => (place.epoch ? place.epoch == epoch : !this.#epochs.has(epoch)))
    const isNext = inReach.some((place) => place.sequence + 1 == sequence)
    // Who begins with an epoch begins with what is retained of it.
    const isBeginning = !isNext && !this.#isCut && inReach.some((place) => !place.epoch)
    const expected = this.#places.map((place) => `${place.epoch ?? "a new epoch"}-${place.sequence + 1}`).join(" or ")
    if (this.#isCut || isBeginning) this.#claims.push({ id, epoch, sequence })
    this.#before = this.#places
    this.#places = this.#behind = [{ epoch, sequence }]
    this.#hasStopped = this.#isCut = false
    this.#epochs.add(epoch)
    return isNext || isBeginning ? undefined : `${id} instead of ${expected}`
  }

  /** @returns {string | undefined} what is wrong */
  gap(reason, missed) {
    if (reason == "reset") {
      this.#places = [{ sequence: 0 }]
      this.#isCut = false
      return missed === null ? undefined : `a reset that knows of ${missed}`
    }
    const from = this.#hasStopped ? [...this.#places, ...this.#behind] : this.#places
    this.#places = from.map((place) => ({ ...place, sequence: place.sequence + missed }))
    this.#isCut = true
    return reason == "expired" && missed >= 1 ? undefined : `a gap ${reason} of ${missed}`
  }

  /** What turns out to be wrong when all is known. */
  late() {
    return this.#claims
      .filter(({ epoch, sequence }) => !this.#log(epoch).has(this.#logMessagesMax, sequence))
      .map(({ id }) => `what is before ${id} was left out, though the log could hold it`)
  }
}
