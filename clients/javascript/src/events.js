/** Names that may be listened to; another is a misspelling, which would never be heard of. */
const types = ["message", "gap", "connected", "disconnected", "error", "state"]

/**
 * Listeners by the type of event. An `EventTarget` would not do: it tells nobody that a listener failed, and waits for
 * none.
 */
export class Events {
  /** @type {Map<string, Map<any, boolean | undefined>>} of each listener, whether it is called once */
  #listeners = new Map(types.map((type) => [type, new Map()]))

  /** @param {string} type */
  of(type) {
    const listeners = this.#listeners.get(type)
    if (!listeners) throw new TypeError(`no event is called '${type}', but ${types.join(", ")}`)
    return listeners
  }

  /**
   * @param {string} type
   * @param {any} listener a function, or an object with `handleEvent`
   * @param {boolean | AddEventListenerOptions} [options]
   */
  add(type, listener, options) {
    const { once = false, signal = undefined } = Object(options)
    if (signal?.aborted) return
    const listeners = this.of(type)
    if (!listeners.has(listener)) listeners.set(listener, once)
    signal?.addEventListener("abort", () => listeners.delete(listener))
  }

  /**
   * Calls the listeners of an event in order, and reports those that fail.
   *
   * @param {string} type
   * @param {any} event
   * @returns {Promise<unknown> | undefined} what to wait for until all have run, if there is anything
   */
  emit(type, event) {
    const listeners = this.of(type)
    const fail = (/** @type {any} */ error) => {
      if (type == "error") console.error(error)
      else this.report("handler_failed", `a listener of '${type}' failed: ${error?.message ?? error}`, error)
    }
    /** @type {Promise<unknown>[]} */
    const running = []
    for (const [listener, once] of [...listeners]) {
      // An earlier listener may have removed this one.
      if (!listeners.has(listener)) continue
      if (once) listeners.delete(listener)
      try {
        const result = listener.handleEvent ? listener.handleEvent(event) : listener(event)
        if (result?.then) running.push(result.then(undefined, fail))
      } catch (error) {
        fail(error)
      }
    }
    return running.length ? Promise.all(running) : undefined
  }

  /**
   * Something is wrong that the client lives with. Without a listener for errors it is written to the console, so that it
   * is not lost.
   *
   * @param {string} code
   * @param {string} detail
   * @param {unknown} [error]
   */
  report(code, detail, error) {
    if (this.of("error").size) this.emit("error", { type: "error", code, detail, error })
    else console.error(`holdfast: ${code}: ${detail}`, error ?? "")
  }
}
