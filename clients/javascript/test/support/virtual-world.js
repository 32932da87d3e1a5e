import { VirtualClock } from "./virtual-clock.js"

/**
 * A world for a client in which time, network, randomness and the page are the test's. Requests wait in `requests` until the
 * test answers them; `did` is told of each, and when one is aborted.
 */
export class VirtualWorld {
  clock
  requests = []
  offline = false
  randoms = [1]
  /** Who listens to the page. */
  listeners = new Set()
  #ids = 0

  constructor(did = () => {}, clock = new VirtualClock()) {
    this.did = did
    this.clock = clock
  }

  /** What the client is given. */
  get parts() {
    return {
      fetch: (url, init) => this.#fetch(new URL(url), init),
      now: () => this.clock.now,
      random: () => (this.randoms.length > 1 ? this.randoms.shift() : this.randoms[0]),
      setTimeout: (action, delay) => this.clock.setTimeout(action, delay),
      clearTimeout: (timer) => this.clock.clearTimeout(timer),
      uuid: () => `key-${++this.#ids}`,
      isOffline: () => this.offline,
      locks: this.locks,
      BroadcastChannel: this.BroadcastChannel,
      listen: (wake, sleep) => {
        const listener = { sleep, wake }
        this.listeners.add(listener)
        return () => this.listeners.delete(listener)
      },
    }
  }

  /** What the page signs: `sleep` or `wake`. */
  sign(name) {
    for (const listener of [...this.listeners]) listener[name]?.()
  }

  #fetch(url, { method = "GET", headers, body, cache, signal }) {
    const [kind, channels] = url.pathname.split("/").slice(-2)
    const request = { kind, url, method, headers, body, cache, channels: decodeURIComponent(channels).split(",") }
    return new Promise((resolve, reject) => {
      const open = { ...request, resolve, reject, query: url.searchParams }
      this.requests.push(open)
      open.leave = () => this.requests.splice(this.requests.indexOf(open), 1)
      signal.addEventListener("abort", () => {
        if (!this.requests.includes(open)) return
        open.leave()
        this.did("aborted", open)
        open.reject(signal.reason)
      })
      this.did("asked", open)
    })
  }

  /** The oldest open request of a kind, `poll` or `publish`. */
  open(kind) {
    const request = this.requests.find((request) => request.kind == kind)
    if (!request) throw new Error(`there is no ${kind} to answer`)
    return request
  }

  answer(request, { status = 200, headers = {}, body }) {
    request.leave()
    request.resolve({ status, headers: new Headers(headers), text: async () => body })
  }

  /** The head comes, the body does not. */
  stall(request) {
    let fail
    const text = new Promise((_, reject) => (fail = reject))
    request.resolve({ status: 200, headers: new Headers(), text: () => text })
    request.reject = fail
  }

  fail(request) {
    request.leave()
    request.reject(new TypeError("fetch failed"))
  }
}
