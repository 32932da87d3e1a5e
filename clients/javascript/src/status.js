/** The client's state, and the events that follow from its changes. */
export class Status {
  /** @type {import("./client.js").State} */
  state = "stopped"
  /** @type {import("./client.js").HoldfastError | undefined} why it is waiting or stopped */
  reason
  /** @type {number | undefined} how long it is waiting */
  delay
  /** Called after each change. */
  relay = () => {}

  /** @param {import("./events.js").Events} events */
  constructor(events) {
    this.events = events
  }

  /**
   * @param {import("./client.js").State} state
   * @param {import("./client.js").HoldfastError} [reason]
   * @param {number} [delay] milliseconds
   */
  set(state, reason, delay) {
    const previous = this.state
    if (state == previous) return
    Object.assign(this, { state, reason, delay })
    const tell = (/** @type {string} */ type, /** @type {object} */ event) => {
      // A listener may have changed the state meanwhile.
      if (this.state == state) this.events.emit(type, { type, ...event })
    }
    tell("state", { state, previous, ...(delay !== undefined && { delay }) })
    if (state == "connected") tell("connected", {})
    if (reason && (previous == "connected" || state == "stopped")) {
      const { code, detail, status } = reason
      tell("disconnected", { code, detail, status, retrying: state != "stopped", error: reason })
    }
    this.relay()
  }
}
