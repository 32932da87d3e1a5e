import { failure } from "./failure.js"

/** Another name is a misspelling, which would never be heard of. */
const types = ["message", "gap", "connected", "disconnected", "error", "state"]

/**
 * Listeners by the type of event. An `EventTarget` would not do: it tells nobody that a listener failed, and waits for
 * none.
 */
export function clientEvents() {
  /** @type {Map<string, Map<any, boolean>>} of each listener, whether it is called once */
  const all = new Map(types.map((type) => [type, new Map()]))

  const events = {
    /** @param {string} type */
    of(type) {
      const listeners = all.get(type)
      if (listeners) return listeners
      throw failure("value_invalid", `no event ${type}`)
    },

    /**
     * @param {string} type
     * @param {any} listener
     * @param {boolean | AddEventListenerOptions} [options]
     */
    add(type, listener, options) {
      const { once = false, signal } = Object(options)
      const listeners = events.of(type)
      if (signal?.aborted) return
      listeners.set(listener, once && listeners.get(listener) !== false)
      signal?.addEventListener("abort", () => listeners.delete(listener))
    },

    /**
     * Calls the listeners of an event in order, and reports those that fail.
     *
     * @param {string} type
     * @param {object} [members] of the event, beside its type
     * @returns {Promise<unknown[]>} what they returned, when all have run
     */
    emit(type, members) {
      const listeners = events.of(type)
      const event = { ...members, type }
      return Promise.all([...listeners].map(async ([listener, once]) => {
        // An earlier one may have removed it.
        if (!listeners.has(listener)) return
        if (once) listeners.delete(listener)
        try {
          return await listener(event)
        } catch (error) {
          if (type == "error") console.error(error)
          else events.report("handler_failed", error)
        }
      }))
    },

    /**
     * Something is wrong that the client lives with. Without a listener for errors it is written to the console, so that
     * it is not lost.
     *
     * @param {string} code
     * @param {any} error
     */
    report(code, error) {
      if (events.of("error").size) events.emit("error", { code, detail: `${error?.message ?? error}`, error })
      else console.error("holdfast:", code, error)
    },
  }
  return events
}

/** @typedef {ReturnType<typeof clientEvents>} Events */
