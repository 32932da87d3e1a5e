/**
 * What the client needs of the world around it. Everything that has a clock, a network, randomness or a page behind it is
 * here, so that tests can put a world of their own in its place and run in virtual time.
 */
export const world = {
  /** @type {typeof fetch} */
  fetch: (url, init) => fetch(url, init),

  /** Milliseconds, of the wall clock: the others stand still while a machine sleeps. */
  now: () => Date.now(),

  /** From 0 to 1. */
  random: () => Math.random(),

  /** @type {(action: () => void, milliseconds: number) => any} */
  setTimeout: (action, milliseconds) => setTimeout(action, milliseconds),

  /** @type {(timer: any) => void} */
  clearTimeout: (timer) => clearTimeout(timer),

  /** 128 random bits. `crypto.randomUUID` is there only for pages in a secure context. */
  uuid: () => crypto.getRandomValues(new Uint32Array(4)).join("-"),

  /** Whether there is certainly no network. */
  isOffline: () => globalThis.navigator?.onLine == false,

  /** @type {LockManager | undefined} */
  locks: globalThis.navigator?.locks,

  /** @type {typeof BroadcastChannel | undefined} */
  BroadcastChannel: globalThis.BroadcastChannel,

  /**
   * Listens to the life of the page; outside a page there is nothing to hear.
   *
   * @param {() => void} wake it is back, or seen again, or the network is back
   * @param {() => void} [sleep] it is about to be frozen, or put away
   * @returns {() => void} ends the listening
   */
  listen(wake, sleep) {
    const signs = {
      online: wake,
      pagehide: sleep,
      // At the end of loading there is one too, and nothing to wake.
      pageshow: (/** @type {any} */ event) => event.persisted && wake(),
      freeze: sleep,
      resume: wake,
      visibilitychange: () => document.hidden || wake(),
    }
    const listening = new AbortController()
    const { signal } = listening
    // Some are of the document, and pass here on their way to it.
    for (const [type, action] of Object.entries(signs)) {
      globalThis.addEventListener?.(type, /** @type {any} */ (action), { capture: true, signal })
    }
    return () => listening.abort()
  },
}

/** @typedef {typeof world} World */

/**
 * The answer to a poll, as PROTOCOL.md has it.
 *
 * @typedef {object} Answer
 * @property {import("./client.js").Gap[]} [gap]
 * @property {import("./client.js").Message[]} messages
 * @property {string} cursor
 * @property {boolean} [more]
 */

/**
 * The options that have a default.
 *
 * @typedef {"cursor" | "pollTimeout" | "retryDelayMin" | "retryDelayMax" | "maxRetries" | "publishQueueMax"} Given
 */

/**
 * What the parts of one client share.
 *
 * @typedef {object} Context
 * @property {World} world
 * @property {import("./client.js").Options & Required<Pick<import("./client.js").Options, Given>>} options
 * @property {string[]} channels
 * @property {string} name of the server and the channels
 * @property {import("./events.js").Events} events
 * @property {import("./status.js").Status} status
 * @property {import("./delivery.js").Delivery} delivery
 * @property {ReturnType<typeof import("./request.js").requests>} ask
 */
