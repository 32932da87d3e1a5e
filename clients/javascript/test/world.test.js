import assert from "node:assert/strict"
import { test } from "node:test"
import { world } from "../src/world.js"

test("The signs of a page wake a client and put it to sleep, until it listens no more", () => {
  const kept = Object.getOwnPropertyDescriptors(globalThis)
  const window = new EventTarget()
  const document = Object.assign(new EventTarget(), { visibilityState: "hidden" })
  const parts = { document }
  for (const name of ["addEventListener", "removeEventListener"]) parts[name] = window[name].bind(window)
  for (const [name, value] of Object.entries(parts)) Object.defineProperty(globalThis, name, { value, configurable: true })
  try {
    const heard = []
    const hear = (target, type, more) => {
      target.dispatchEvent(Object.assign(new Event(type), more))
      return heard.splice(0).join()
    }
    const unlisten = world.listen(() => heard.push("wake"), () => heard.push("sleep"))
    assert.equal(hear(window, "online"), "wake")
    assert.equal(hear(window, "pagehide"), "sleep")
    assert.equal(hear(window, "pageshow", { persisted: true }), "wake")
    assert.equal(hear(window, "pageshow", { persisted: false }), "", "the end of loading")
    assert.equal(hear(document, "freeze"), "sleep")
    assert.equal(hear(document, "resume"), "wake")
    assert.equal(hear(document, "visibilitychange"), "", "hidden")
    document.visibilityState = "visible"
    assert.equal(hear(document, "visibilitychange"), "wake")
    unlisten()
    const all = [window, document].flatMap((target) =>
      ["online", "pagehide", "freeze", "resume", "visibilitychange"].map((type) => hear(target, type)))
    assert.equal(all.join(""), "")
  } finally {
    for (const name of Object.keys(parts)) {
      if (kept[name]) Object.defineProperty(globalThis, name, kept[name])
      else delete globalThis[name]
    }
  }
})

test("Outside a page there is nothing to hear", () => {
  world.listen(() => {})()
})
