import assert from "node:assert/strict"
import { test } from "node:test"
import { world } from "../src/world.js"

test("The signs of a page wake a client and put it to sleep, until it listens no more", () => {
  const kept = Object.getOwnPropertyDescriptors(globalThis)
  // What happens to a page's document comes by its window first, which only the tests in browsers can show.
  const window = new EventTarget()
  const document = { hidden: true }
  const parts = { document }
  for (const name of ["addEventListener", "removeEventListener"]) parts[name] = window[name].bind(window)
  for (const [name, value] of Object.entries(parts)) Object.defineProperty(globalThis, name, { value, configurable: true })
  try {
    const heard = []
    const hear = (type, more) => {
      window.dispatchEvent(Object.assign(new Event(type), more))
      return heard.splice(0).join()
    }
    const unlisten = world.listen(() => heard.push("wake"), () => heard.push("sleep"))
    assert.equal(hear("online"), "wake")
    assert.equal(hear("pagehide"), "sleep")
    assert.equal(hear("pageshow", { persisted: true }), "wake")
    assert.equal(hear("pageshow", { persisted: false }), "", "the end of loading")
    assert.equal(hear("freeze"), "sleep")
    assert.equal(hear("resume"), "wake")
    assert.equal(hear("visibilitychange"), "", "hidden")
    document.hidden = false
    assert.equal(hear("visibilitychange"), "wake")
    unlisten()
    const all = ["online", "pagehide", "freeze", "resume", "visibilitychange"].map((type) => hear(type))
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
