import assert from "node:assert/strict"
import { beforeEach, describe, test } from "node:test"
import { VirtualClock, settled } from "./support/virtual-clock.js"
import { LongPollingClient } from "../src/client.js"
import { VirtualBrowser, VirtualServer } from "./support/virtual-tabs.js"
import { VirtualWorld } from "./support/virtual-world.js"

describe("Tabs that share one connection", () => {
  let browser, clock, server

  beforeEach(() => {
    clock = new VirtualClock()
    browser = new VirtualBrowser(clock)
    server = new VirtualServer()
  })

  /** Opened one after another, the first of them polling. */
  async function open(count, options, channels = "news") {
    const tabs = []
    for (let i = 0; i < count; i++) {
      tabs.push(await browser.open(channels, options))
      await server.serve(...tabs)
    }
    return tabs
  }

  const held = (tabs) => tabs.map((tab) => tab.polls.length)
  const seen = (tabs) => tabs.map((tab) => tab.seen().join(" "))
  const numbers = (from, to) => Array.from({ length: to - from + 1 }, (_, i) => `news:${from + i}`).join(" ")

  test("hold one poll among ten, and each gets every message", async () => {
    const tabs = await open(10)
    assert.deepEqual(held(tabs), [1, 0, 0, 0, 0, 0, 0, 0, 0, 0])
    assert.deepEqual(seen(tabs), Array(10).fill("connected"))
    server.publish("news", 3)
    await server.serve(...tabs)
    assert.deepEqual(seen(tabs), Array(10).fill("news:1 news:2 news:3"))
    assert.equal(server.polls, 2, "polls answered: the first, and the messages")
  })

  test("go on without loss or repeat when the one that polls stops, closes or is frozen", async () => {
    const tabs = await open(4)
    server.publish("news")
    await server.serve(...tabs)
    tabs[0].client.stop()
    server.publish("news")
    await server.serve(...tabs)
    assert.deepEqual(held(tabs), [0, 1, 0, 0])
    browser.close(tabs[1])
    server.publish("news")
    await server.serve(...tabs)
    assert.deepEqual(held(tabs.slice(2)), [1, 0])
    tabs[2].world.sign("sleep")
    tabs[2].isFrozen = true
    server.publish("news")
    await server.serve(...tabs)
    assert.deepEqual(held(tabs.slice(2)), [0, 1])
    assert.deepEqual(seen(tabs), [
      "connected news:1 stopped", "connected news:1 news:2", "connected news:1 news:2 news:3",
      "connected news:1 news:2 news:3 news:4",
    ])
    tabs[3].client.stop()
    const fifth = await browser.open()
    assert.deepEqual(held([fifth]), [1], "the lock is not the frozen one's")
    tabs[2].thaw()
    tabs[2].world.sign("wake")
    await server.serve(tabs[2], fifth)
    fifth.client.stop()
    server.publish("news")
    await server.serve(tabs[2])
    assert.deepEqual(seen([tabs[2]]), ["news:4 news:5"])
    assert.deepEqual(held([tabs[2]]), [1], "the one that woke stands for the lock again")
  })

  test("leave nothing behind when they stop", async () => {
    const tabs = await open(2)
    for (const tab of tabs) tab.client.stop()
    await settled()
    assert.equal(browser.ports, 0)
    await clock.advance(100_000)
    assert.deepEqual(held(tabs), [0, 0])
  })

  test("take the lock from one that is not heard of any more, which follows when it is back", async () => {
    const tabs = await open(3)
    tabs[0].isFrozen = true
    server.publish("news")
    await server.serve(...tabs)
    assert.deepEqual(seen(tabs), ["connected", "connected", "connected"])
    await clock.advance(39_999)
    assert.deepEqual(held(tabs.slice(1)), [0, 0], "polls while the others may yet hear")
    await clock.advance(1)
    await clock.advance(2000)
    await server.serve(...tabs)
    assert.deepEqual(seen(tabs), ["", "news:1", "news:1"])
    assert.deepEqual(held(tabs.slice(1)).sort(), [0, 1])
    tabs[0].thaw()
    await clock.advance(0)
    server.publish("news")
    await server.serve(...tabs)
    await clock.advance(0)
    assert.deepEqual(seen(tabs), ["news:1 news:2", "news:2", "news:2"])
  })

  test("ask at once whether there is one that polls when one is looked at again", async () => {
    const tabs = await open(3)
    tabs[0].isFrozen = true
    server.publish("news")
    tabs[1].world.sign("wake")
    tabs[2].world.sign("wake")
    await clock.advance(1999)
    assert.deepEqual(held(tabs.slice(1)), [0, 0])
    await clock.advance(1)
    await server.serve(...tabs)
    assert.deepEqual(seen(tabs.slice(1)), ["connected news:1", "connected news:1"])
    assert.deepEqual(held(tabs.slice(1)), [1, 0])
  })

  test("do not take the lock in their sleep", async () => {
    const tabs = await open(2)
    tabs[0].isFrozen = true
    tabs[1].world.sign("wake")
    tabs[1].world.sign("sleep")
    await clock.advance(3000)
    assert.deepEqual(held([tabs[1]]), [0])
    tabs[1].world.sign("wake")
    await clock.advance(2000)
    assert.deepEqual(held([tabs[1]]), [1])
  })

  test("repeat the poll when the one that polls wakes, and the catching up of another", async () => {
    const [first] = await open(1)
    server.publish("news", 3)
    const second = await browser.open("news", { cursor: "news-1-0" })
    const [one, other] = [first.polls[0], second.polls[0]]
    await clock.advance(1000)
    first.world.sign("wake")
    await settled()
    assert.notEqual(first.polls[0], one)
    second.world.sign("sleep")
    await settled()
    assert.deepEqual(held([second]), [0])
    second.world.sign("wake")
    await settled()
    assert.notEqual(second.polls[0], other)
    second.world.fail(second.polls[0])
    await settled()
    assert.equal(second.client.state, "waiting")
    second.world.sign("wake")
    await server.serve(first, second)
    assert.deepEqual(seen([first, second]), ["connected news:1 news:2 news:3", "connected news:2 news:3"])
    assert.deepEqual(held([first, second]), [1, 0])
  })

  test("do not take the lock from one that answers", async () => {
    const tabs = await open(2)
    for (let i = 0; i < 5; i++) {
      tabs[1].world.sign("wake")
      await clock.advance(3000)
    }
    await server.serve(...tabs)
    assert.deepEqual(held(tabs), [1, 0])
    assert.equal(server.polls, 1)
  })

  test("catch up by themselves from a place of their own, and follow then", async () => {
    server.publish("news", 250)
    const [first] = await open(1, { cursor: "news-240-0" })
    const second = await browser.open("news", { cursor: "earliest" })
    assert.equal(second.client.state, "connecting")
    await server.serve(first, second)
    const third = await browser.open("news", { cursor: "news-249-0" })
    await server.serve(first, second, third)
    server.publish("news")
    await server.serve(first, second, third)
    assert.deepEqual(held([first, second, third]), [1, 0, 0])
    assert.deepEqual(seen([first, second, third]), [
      `connected ${numbers(241, 251)}`, `connected ${numbers(1, 251)}`, `connected ${numbers(250, 251)}`,
    ])
  })

  test("begin now where the others are, not in what these still fetch", async () => {
    server.publish("news", 250)
    const first = await browser.open("news", { cursor: "earliest" })
    const second = await browser.open("news")
    await server.answer(first)
    assert.deepEqual([first.client.state, second.client.state], ["connected", "connecting"])
    await server.serve(first, second)
    server.publish("news")
    await server.serve(first, second)
    assert.deepEqual(seen([first, second]), [`connected ${numbers(1, 251)}`, "connected news:251"])
    assert.equal(second.served, 0)
  })

  test("of which one is ahead by a channel take the others' messages only", async () => {
    const [first] = await open(1, {}, ["a", "b"])
    server.publish("b")
    const second = await browser.open(["a", "b"], { cursor: "a-0-0.b-1-0" })
    await server.serve(second)
    server.publish("a")
    await server.serve(first, second)
    assert.deepEqual(seen([first, second]), ["connected a:1 b:1", "connected a:1"])
    assert.equal(second.served, 1, "polls of the second: to catch up")
  })

  test("of which one is ahead by a channel do not go back in it", async () => {
    const [first] = await open(1, { limit: 1 }, ["a", "b"])
    server.publish("b")
    const second = await browser.open(["a", "b"], { cursor: "a-0-0.b-1-0" })
    await server.serve(second)
    server.publish("a")
    await server.answer(first)
    assert.equal(second.client.cursor, "a-1-0.b-1-0")
    await server.serve(first, second)
    assert.deepEqual(seen([first, second]), ["connected a:1 b:1", "connected a:1"])
  })

  test("tell of a gap only where it is their own", async () => {
    const tabs = await open(2, {}, ["a", "b"])
    const third = await browser.open(["a", "b"], { cursor: "a-0-0.b-3-0" })
    server.publish("b", 3)
    await server.serve(third)
    const gap = [{ channel: "b", reason: "expired", missed: 2 }]
    const messages = [{ id: "b-3-0", channel: "b", timestamp: 3, data: 3 }]
    tabs[0].world.answer(tabs[0].polls[0], { body: JSON.stringify({ gap, messages, cursor: "a-0-0.b-3-0" }) })
    server.publish("a")
    await server.serve(...tabs, third)
    assert.deepEqual(seen([...tabs, third]), [
      "connected gap 2 b:3 a:1", "connected gap 2 b:3 a:1", "connected a:1",
    ])
  })

  test("whose cursors differ in nothing but their text follow all the same", async () => {
    server.publish("b")
    const [first] = await open(1, {}, ["a", "b"])
    const second = await browser.open(["a", "b"], { cursor: "a-0-0.b-1-other" })
    await server.serve(first, second)
    server.publish("a")
    await server.serve(first, second)
    assert.equal(second.served, 1, "polls of the second: to catch up")
    second.world.sign("wake")
    await server.serve(first, second)
    assert.deepEqual(held([first, second]), [1, 0])
    server.publish("b")
    await server.serve(first, second)
    assert.deepEqual(seen([first, second]), ["connected a:1 b:2", "connected a:1 b:2"])
  })

  test("stop where a listener stops them", async () => {
    const tabs = await open(2)
    tabs[1].client.on("message", () => tabs[1].client.stop())
    server.publish("news", 2)
    await server.serve(...tabs)
    assert.deepEqual(seen(tabs), ["connected news:1 news:2", "connected news:1 stopped"])
    assert.equal(tabs[1].client.state, "stopped")
  })

  test("begin with one poll where some channels begin now", async () => {
    server.publish("a", 2)
    const [tab] = await open(1, { cursor: "a-1-0.now" }, ["a", "b"])
    assert.deepEqual(seen([tab]), ["connected a:2"])
    assert.equal(tab.served, 1)
  })

  test("are handed a message once even where two tabs poll for a while", async () => {
    const tabs = await open(3)
    tabs[0].isFrozen = true
    tabs[2].world.sign("wake")
    await clock.advance(2000)
    server.publish("news", 2)
    await server.serve(...tabs)
    // The frozen one has an answer of its own on the way when it thaws.
    tabs[0].isFrozen = false
    server.publish("news")
    await server.serve(...tabs)
    tabs[0].thaw()
    await server.serve(...tabs)
    server.publish("news")
    await server.serve(...tabs)
    assert.deepEqual(seen(tabs), Array(3).fill(`connected ${numbers(1, 4)}`))
    assert.equal(held(tabs).reduce((sum, count) => sum + count), 1)
  })

  test("of several channels, each slot is a place of its own", async () => {
    server.publish("a", 2)
    server.publish("b", 2)
    const [first, second] = await open(2, {}, ["a", "b"])
    const third = await browser.open(["a", "b"], { cursor: "a-1-0.now" })
    await server.serve(first, second, third)
    server.publish("b")
    await server.serve(first, second, third)
    assert.deepEqual(seen([first, second, third]), ["connected b:3", "connected b:3", "connected a:2 b:3"])
    assert.deepEqual(held([first, second, third]), [1, 0, 0])
  })

  test("keep no other waiting for slow listeners of the one that polls", async () => {
    const tabs = await open(2)
    let go
    tabs[0].client.on("message", () => new Promise((resolve) => (go = resolve)))
    server.publish("news")
    await server.serve(...tabs)
    server.publish("news")
    await server.serve(...tabs)
    assert.deepEqual(seen(tabs), ["connected news:1", "connected news:1 news:2"])
    go()
    await server.serve(...tabs)
    assert.deepEqual(seen(tabs), ["news:2", ""])
  })

  test("are bounded in what waits for slow listeners, and miss nothing by it", async () => {
    const tabs = await open(2)
    let go
    tabs[1].client.once("message", () => new Promise((resolve) => (go = resolve)))
    for (let i = 0; i < 300; i++) {
      server.publish("news")
      await server.serve(...tabs)
    }
    go()
    await server.serve(...tabs)
    assert.deepEqual(seen(tabs), Array(2).fill(`connected ${numbers(1, 300)}`))
    assert.equal(tabs[1].served, 3, "polls of the slow one: it caught up by 200 messages at 100 a poll, and found no more")
  })

  test("all know how the one that polls is connected", async () => {
    const tabs = await open(2)
    tabs[0].world.fail(tabs[0].polls[0])
    await settled()
    assert.deepEqual(tabs.map((tab) => tab.client.state), ["waiting", "waiting"])
    await clock.advance(1000)
    await server.serve(...tabs)
    assert.deepEqual(tabs.map((tab) => tab.client.state), ["connected", "connected"])
    assert.deepEqual(seen(tabs), Array(2).fill("connected unreachable connected"))
  })

  test("end one by one where the server refuses", async () => {
    const tabs = await open(2)
    const refuse = (tab) => tab.world.answer(tab.polls[0], { status: 403, body: '{"status":403,"code":"origin_forbidden"}' })
    refuse(tabs[0])
    await settled()
    assert.deepEqual(held(tabs), [0, 1])
    refuse(tabs[1])
    await settled()
    assert.deepEqual(seen(tabs), Array(2).fill("connected origin_forbidden"))
    assert.deepEqual(tabs.map((tab) => tab.client.state), ["stopped", "stopped"])
  })

  test("stand for the lock again when they are started again", async () => {
    const tabs = await open(2)
    tabs[0].client.stop().start().stop().start()
    await server.serve(...tabs)
    assert.equal(held(tabs).reduce((sum, count) => sum + count), 1)
    server.publish("news")
    await server.serve(...tabs)
    assert.deepEqual(seen(tabs), ["connected stopped stopped connected news:1", "connected news:1"])
  })

  test("of other channels, servers or groups are not concerned", async () => {
    const tabs = [await browser.open("news"), await browser.open("sport"), await browser.open("news", { shared: "ada" })]
    await server.serve(...tabs)
    assert.deepEqual(held(tabs), [1, 1, 1])
  })

  test("poll for themselves where the browser lacks locks", async () => {
    const alone = new VirtualWorld(() => {}, clock)
    new LongPollingClient("news", { server: "http://test", shared: true }, alone.parts).start()
    await settled()
    assert.equal(alone.requests.length, 1)
  })

  test("poll for themselves, each message once, where the page may have no lock", async () => {
    const refused = { request: async () => { throw new DOMException("a sandboxed page", "SecurityError") } }
    const tabs = [await browser.open("news", {}, refused), await browser.open("news", {}, refused)]
    await server.serve(...tabs)
    assert.deepEqual(held(tabs), [1, 1])
    server.publish("news", 2)
    await server.serve(...tabs)
    assert.deepEqual(seen(tabs), Array(2).fill("connected news:1 news:2"))
  })
})
