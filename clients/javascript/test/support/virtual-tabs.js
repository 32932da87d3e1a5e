import { settled } from "./virtual-clock.js"
import { VirtualWorld } from "./virtual-world.js"
import { LongPollingClient } from "../../src/client.js"

/** Several tabs of one virtual browser: one clock, locks, channels between them, and what each of them saw. */
export class VirtualBrowser {
  clock
  #locks = new Map()
  #ports = new Set()

  constructor(clock) {
    this.clock = clock
  }

  /** A tab with a started client. */
  async open(channels = "news", options = {}, locks = undefined) {
    const tab = new VirtualTab(this, channels, options, locks)
    tab.client.start()
    await settled()
    return tab
  }

  /** A tab is gone: its locks go on, and nothing of it is heard any more. */
  close(tab) {
    tab.isFrozen = true
    for (const port of this.#ports) if (port.tab == tab) this.#ports.delete(port)
    for (const lock of this.#locks.values()) lock.forget(tab)
  }

  /** The channels between tabs that are open. */
  get ports() {
    return this.#ports.size
  }

  lock(name) {
    if (!this.#locks.has(name)) this.#locks.set(name, new VirtualLock())
    return this.#locks.get(name)
  }

  channel(tab) {
    const browser = this
    return class {
      constructor(name) {
        this.name = name
        this.tab = tab
        browser.#ports.add(this)
      }

      postMessage(data) {
        if (tab.isFrozen) return
        for (const port of browser.#ports) {
          if (port == this || port.name != this.name) continue
          const copy = structuredClone(data)
          queueMicrotask(() => port.tab.hear(() => port.onmessage({ data: copy })))
        }
      }

      close() {
        browser.#ports.delete(this)
      }
    }
  }
}

/** As Web Locks has it: one holder, a queue, `signal` for those who wait, `steal`. */
class VirtualLock {
  #holder
  #queue = []

  request(tab, { signal, steal }, action) {
    return new Promise((resolve, reject) => {
      const request = { tab, resolve, reject, action }
      signal?.addEventListener("abort", () => {
        if (!this.#queue.includes(request)) return
        this.#queue.splice(this.#queue.indexOf(request), 1)
        reject(signal.reason)
      })
      if (steal) {
        this.#holder?.reject(new DOMException("stolen", "AbortError"))
        this.#holder = undefined
      }
      this.#queue[steal ? "unshift" : "push"](request)
      queueMicrotask(() => this.#grant())
    })
  }

  forget(tab) {
    this.#queue = this.#queue.filter((request) => request.tab != tab)
    if (this.#holder?.tab == tab) this.#holder = undefined
    this.#grant()
  }

  async #grant() {
    if (this.#holder || !this.#queue.length) return
    const request = (this.#holder = this.#queue.shift())
    // One that is frozen holds what it has not heard of.
    if (request.tab.isFrozen) return
    await request.action()
    if (this.#holder != request) return
    this.#holder = undefined
    request.resolve()
    this.#grant()
  }
}

/** Its `did` is what it saw, its `polls` the open ones. */
class VirtualTab {
  did = []
  /** Polls of it that were answered. */
  served = 0
  isFrozen = false
  #unheard = []

  constructor(browser, channels, options, locks) {
    const { clock } = browser
    this.world = new VirtualWorld(() => {}, {
      get now() {
        return clock.now
      },
      setTimeout: (action, delay) => clock.setTimeout(() => this.hear(action), delay),
      clearTimeout: (timer) => clock.clearTimeout(timer),
    })
    this.world.locks = locks ?? { request: (name, how, action) => browser.lock(name).request(this, how, action) }
    this.world.BroadcastChannel = browser.channel(this)
    this.client = new LongPollingClient(channels, { server: "http://test", shared: true, ...options }, this.world.parts)
    this.client.on("message", ({ channel, timestamp }) => this.did.push(`${channel}:${timestamp}`))
    this.client.on("gap", ({ missed }) => this.did.push(`gap ${missed}`))
    this.client.on("connected", () => this.did.push("connected"))
    this.client.on("disconnected", ({ code }) => this.did.push(code))
  }

  get polls() {
    return this.world.requests
  }

  /** What this tab saw since it was asked last. */
  seen() {
    return this.did.splice(0)
  }

  /** A frozen tab hears nothing until it is thawed. */
  hear(action) {
    if (this.isFrozen) this.#unheard.push(action)
    else action()
  }

  thaw() {
    this.isFrozen = false
    for (const action of this.#unheard.splice(0)) action()
  }
}

/** A server with one log a channel, which answers the polls of all tabs as a real one would. */
export class VirtualServer {
  #logs = new Map()
  polls = 0

  publish(channel, count = 1) {
    const log = this.#logs.get(channel) ?? []
    for (let i = 0; i < count; i++) log.push(log.length + 1)
    this.#logs.set(channel, log)
  }

  /** Answers one poll. */
  async answer(tab) {
    this.#answer(tab, tab.polls[0])
    await settled()
  }

  /** Answers what can be answered, in all tabs, until nothing more can. */
  async serve(...tabs) {
    for (let busy = true; busy; ) {
      await settled()
      busy = false
      for (const tab of tabs) {
        if (tab.isFrozen) continue
        for (const request of [...tab.polls]) busy = this.#answer(tab, request) || busy
      }
    }
  }

  #answer(tab, request) {
    const { channels, query } = request
    const cursor = query.get("cursor").split(".")
    const limit = Number(query.get("limit") ?? 100)
    const places = channels.map((channel, i) => {
      const slot = cursor[i] ?? cursor[0]
      const head = this.#logs.get(channel)?.length ?? 0
      return slot == "now" ? head : slot == "earliest" ? 0 : Number(slot.split("-")[1])
    })
    const messages = []
    channels.forEach((channel, i) => {
      const left = (this.#logs.get(channel) ?? []).slice(places[i], places[i] + limit - messages.length)
      for (const number of left) messages.push({ id: `${channel}-${number}-0`, channel, timestamp: number, data: number })
      places[i] += left.length
    })
    if (!messages.length && query.get("timeout") != "0") return false
    this.polls += 1
    tab.served += 1
    const more = channels.some((channel, i) => (this.#logs.get(channel)?.length ?? 0) > places[i])
    const next = channels.map((channel, i) => {
      const slot = cursor[i] ?? cursor[0]
      const isMoved = !slot.includes("-") || Number(slot.split("-")[1]) != places[i]
      return isMoved ? `${channel}-${places[i]}-0` : slot
    }).join(".")
    tab.world.answer(request, { body: JSON.stringify({ messages, cursor: next, more }) })
    return true
  }
}
