/**
 * The client's state, and the events that follow from its changes.
 *
 * @param {import("./events.js").Events} events
 */
export function clientStatus(events) {
  const status = {
    state: /** @type {import("./client.js").State} */ ("stopped"),
    /** @type {import("./client.js").HoldfastError | undefined} why it is waiting or stopped */
    reason: undefined,
    /** @type {() => any} called after each change */
    relay() {},

    /**
     * @param {import("./client.js").State} state
     * @param {import("./client.js").HoldfastError} [reason]
     * @param {number} [delay] milliseconds that it is waiting
     */
    set(state, reason, delay) {
      const previous = status.state
      if (state == previous) return
      status.state = state
      status.reason = reason
      const tell = (/** @type {string} */ type, /** @type {object} [event] */ event) => {
        // A listener may have changed the state meanwhile.
        if (status.state == state) events.emit(type, event)
      }
      tell("state", { state, previous, delay, reason })
      if (state == "connected") tell(state)
      if (reason && (previous == "connected" || state == "stopped")) {
        tell("disconnected", { ...reason, retrying: state != "stopped", error: reason })
      }
      status.relay()
    },
  }
  return status
}

/** @typedef {ReturnType<typeof clientStatus>} Status */
