import assert from "node:assert/strict"
import { beforeEach, describe, mock, test } from "node:test"
import { LongPollingClient } from "../src/client.js"
import { settled } from "./support/virtual-clock.js"
import { VirtualWorld } from "./support/virtual-world.js"

describe("Listening", () => {
  let client, world

  beforeEach(() => {
    world = new VirtualWorld()
    client = new LongPollingClient("news", { server: "http://test", cursor: "news-0-0" }, world.parts)
  })

  const message = (number) => ({ id: `news-${number}-0`, channel: "news", timestamp: number, data: number })

  async function answer(...numbers) {
    const messages = numbers.map(message)
    await settled()
    const request = world.open("poll")
    const cursor = messages.at(-1)?.id ?? request.query.get("cursor")
    world.answer(request, { body: JSON.stringify({ messages, cursor, more: false }) })
    await settled()
  }

  test("on, once and off call with the event and can be chained", async () => {
    const seen = []
    const all = ({ type, data, id }) => seen.push(`${type} ${data} ${id}`)
    const first = ({ data }) => seen.push(`first ${data}`)
    client.on("message", all).once("message", first).start()
    await answer(1, 2)
    client.off("message", all)
    await answer(3)
    assert.deepEqual(seen, ["message 1 news-1-0", "first 1", "message 2 news-2-0"])
  })

  test("addEventListener takes once and signal, and the same listener once", async () => {
    const seen = []
    const control = new AbortController()
    const listener = ({ data }) => seen.push(`twice ${data}`)
    const once = ({ data }) => seen.push(`once ${data}`)
    client.addEventListener("message", listener)
    client.addEventListener("message", listener)
    client.addEventListener("message", once, { once: true })
    client.addEventListener("message", ({ data }) => seen.push(`signal ${data}`), { signal: control.signal })
    client.addEventListener("message", () => seen.push("never"), { signal: AbortSignal.abort() })
    client.start()
    await answer(1)
    control.abort()
    await answer(2)
    client.removeEventListener("message", listener)
    await answer(3)
    assert.deepEqual(seen, ["twice 1", "once 1", "signal 1", "twice 2"])
  })

  test("a listener that listens already goes on when it is to listen once more", async () => {
    const seen = []
    const listener = ({ data }) => seen.push(data)
    client.on("message", listener).once("message", listener).start()
    await answer(1)
    await answer(2)
    client.off("message", listener).once("message", listener).on("message", listener)
    await answer(3)
    await answer(4)
    assert.deepEqual(seen, [1, 2, 3, 4])
  })

  test("a listener that another one removes is not called any more", async () => {
    const seen = []
    const second = () => seen.push("second")
    client.on("message", () => client.off("message", second)).on("message", second).start()
    await answer(1)
    assert.deepEqual(seen, [])
  })

  test("a name that no event has is an error", () => {
    assert.throws(() => client.on("mesage", () => {}), { code: "value_invalid" })
    assert.throws(() => client.off("toString", () => {}), { code: "value_invalid" })
  })

  test("an error that nobody listens for, and that of a listener for errors, are written to the console", async () => {
    const write = mock.method(console, "error", () => {})
    client.on("message", () => {
      throw new Error("first")
    })
    client.start()
    await answer(1)
    client.on("error", () => {
      throw new Error("second")
    })
    await answer(2)
    write.mock.restore()
    const texts = write.mock.calls.map((call) => call.arguments.join(" "))
    assert.deepEqual(texts, ["holdfast: handler_failed Error: first", "Error: second"])
  })

  test("for await gives each message, and handles it when the next is asked for", async () => {
    const seen = []
    const cursors = []
    const loop = (async () => {
      for await (const { data } of client) {
        cursors.push(client.cursor)
        seen.push(data)
        await Promise.resolve()
        if (data == 3) client.stop()
      }
    })()
    await answer(1, 2)
    await answer(3, 4)
    await loop
    assert.deepEqual(seen, [1, 2, 3])
    assert.deepEqual(cursors, ["news-0-0", "news-1-0", "news-2-0"])
    assert.equal(client.cursor, "news-3-0")
    client.start()
    await answer(4)
    assert.equal(client.cursor, "news-4-0")
  })

  for (const end of ["break", "throw"]) {
    test(`the message at which for await is left by ${end} was not handled, and comes again`, async () => {
      const store = new Map()
      client = new LongPollingClient("news", { server: "http://test", cursor: "news-0-0", store, storeKey: "news" }, world.parts)
      const seen = []
      const follow = async () => {
        for await (const { data } of client) {
          seen.push(data)
          if (data == 2 && end == "break") break
          if (data == 2) throw new Error("the database is away")
        }
      }
      const loop = follow().catch(({ message }) => seen.push(message))
      await answer(1, 2, 3)
      await loop
      await settled()
      assert.equal(client.state, "stopped")
      assert.deepEqual([client.cursor, store.get("news")], ["news-1-0", "news-1-0"])
      const again = follow().catch(() => {})
      await settled()
      assert.equal(world.open("poll").query.get("cursor"), "news-1-0")
      await answer(2)
      await again
      assert.deepEqual(seen.filter((data) => data == 2), [2, 2])
    })
  }

  test("for await: a message is handled when the next is asked for, not before", async () => {
    const cursors = []
    const loop = (async () => {
      for await (const _ of client) {
        await settled()
        cursors.push(client.cursor)
        break
      }
    })()
    await answer(1)
    await loop
    assert.deepEqual(cursors, ["news-0-0"])
  })

  test("a client that a listener stops tells of nothing that came before", async () => {
    const seen = []
    client.on("state", ({ state }) => state == "connected" && client.stop())
    for (const type of ["connected", "disconnected", "message"]) client.on(type, () => seen.push(type))
    client.start()
    await answer(1)
    assert.deepEqual(seen, ["disconnected"])
    assert.equal(client.state, "stopped")
  })

  test("the page is listened to while the client runs or publishes, and not after", async () => {
    client.start()
    client.publish("news", 1)
    await settled()
    assert.equal(world.listeners.size, 2)
    const body = '{"message_id":"m","channel":"news","timestamp":1,"subscribers":0}'
    world.answer(world.open("publish"), { body })
    await settled()
    assert.equal(world.listeners.size, 1)
    client.stop()
    assert.equal(world.listeners.size, 0)
  })

  test("for await ends when the client is stopped, also while it waits", async () => {
    const seen = []
    const loop = (async () => {
      for await (const { data } of client) seen.push(data)
      seen.push("end")
    })()
    await answer(1)
    client.stop()
    await loop
    assert.deepEqual(seen, [1, "end"])
  })

  test("a message that came before the stop is still given to for await, and is not given again", async () => {
    const seen = []
    client.on("message", ({ data }) => data == 1 && client.stop())
    const loop = (async () => {
      for await (const { data } of client) seen.push(data)
    })()
    await answer(1, 2)
    await loop
    client.start()
    assert.deepEqual(seen, [1])
    await settled()
    assert.equal(world.open("poll").query.get("cursor"), "news-1-0")
  })

  test("for await throws what the server refuses with", async () => {
    const loop = (async () => {
      for await (const _ of client);
    })()
    await settled()
    world.answer(world.open("poll"), { status: 400, body: '{"status":400,"code":"cursor_malformed","detail":"at byte 3"}' })
    await assert.rejects(loop, { code: "cursor_malformed", detail: "at byte 3", status: 400 })
  })

  test("a client that is restarted as its loop ends stays started", async () => {
    const loop = (async () => {
      for await (const _ of client);
    })()
    await answer()
    client.stop()
    client.start()
    await loop
    await answer(1)
    assert.equal(client.state, "connected")
    assert.equal(client.cursor, "news-1-0")
  })
})

describe("A client", () => {
  const asked = async (options, channels = "news") => {
    const world = new VirtualWorld()
    new LongPollingClient(channels, { server: "http://test", ...options }, world.parts).start()
    await settled()
    return world.open("poll")
  }

  test("asks where the API stands, with or without slashes, behind a path or a prefix", async () => {
    for (const [options, path] of [
      [{}, "/api/poll/news"], [{ server: "http://test/" }, "/api/poll/news"],
      [{ server: "http://test/live" }, "/live/api/poll/news"], [{ prefix: "/v1/messages" }, "/v1/messages/poll/news"],
      [{ prefix: "" }, "/poll/news"],
    ]) {
      assert.equal((await asked(options)).url.pathname, path)
    }
  })

  test("takes an option that is undefined as one that is not given", async () => {
    const { query } = await asked({ cursor: undefined, limit: undefined, store: undefined, storeKey: undefined })
    assert.deepEqual(Object.fromEntries(query), { cursor: "now", timeout: "0" })
  })

  test("waits no longer because the clock was set back meanwhile, and stops at once", async () => {
    for (const sign of ["wake", "stop"]) {
      const world = new VirtualWorld()
      const client = new LongPollingClient("news", { server: "http://test" }, world.parts).start()
      await settled()
      world.fail(world.open("poll"))
      await settled()
      world.clock.now -= 3_600_000
      if (sign == "wake") world.sign("wake")
      else client.stop().start()
      await settled()
      assert.equal(world.requests.length, 1, sign)
    }
  })

  for (const answer of ['"messages":[null],"cursor":"a-1-0"', '"messages":[],"cursor":5', '"messages":[],"cursor":"a","gap":{}',
    '"messages":[],"cursor":"a","gap":null']) {
    test(`takes {${answer}} for a failure, and tries again`, async () => {
      const world = new VirtualWorld()
      const client = new LongPollingClient("news", { server: "http://test" }, world.parts)
      const seen = []
      client.on("state", ({ state, reason }) => seen.push([state, reason?.code])).start()
      await settled()
      world.answer(world.open("poll"), { body: `{${answer}}` })
      await settled()
      assert.deepEqual(seen, [["connecting", undefined], ["waiting", "answer_invalid"]])
    })
  }

  test("asks past every cache", async () => {
    assert.equal((await asked({})).cache, "no-store")
  })

  test("names itself, and each client differently unless it is told", async () => {
    const name = async (options) => (await asked(options)).headers["X-Client-ID"]
    assert.equal(await name({ clientId: "ada" }), "ada")
    const { world } = await import("../src/world.js")
    assert.match(world.uuid(), /^(\d{1,10}-){3}\d{1,10}$/)
    assert.notEqual(world.uuid(), world.uuid())
  })

  test("encodes channels, so that a wrong name reaches no other path", async () => {
    assert.equal((await asked({}, ["a/b", "c?d"])).url.pathname, "/api/poll/a%2Fb,c%3Fd")
  })

  test("sends a token that is a text, and is not asked for another", async () => {
    assert.equal((await asked({ token: "secret" })).headers.Authorization, "Bearer secret")
  })

  test("keeps its cursor in what has getItem and setItem, or get and set, under a name of its own", async () => {
    const storage = { items: {}, getItem: (key) => storage.items[key] ?? null, setItem: (key, value) => (storage.items[key] = value) }
    for (const store of [new Map(), storage]) {
      const world = new VirtualWorld()
      new LongPollingClient(["a", "b"], { server: "http://test", store }, world.parts).start()
      await settled()
      world.answer(world.open("poll"), { body: '{"messages":[],"cursor":"a-1-0.b-1-0"}' })
      await settled()
      const kept = store instanceof Map ? Object.fromEntries(store) : storage.items
      assert.deepEqual(kept, { "holdfast:http://test/api:a,b": "a-1-0.b-1-0" })
      assert.equal((await asked({ store }, ["a", "b"])).query.get("cursor"), "a-1-0.b-1-0")
      assert.equal((await asked({ store, storeKey: "mine" }, ["a", "b"])).query.get("cursor"), "now")
    }
  })

  test("rejects what has no form in JSON", async () => {
    const client = new LongPollingClient([], { server: "http://test" }, new VirtualWorld().parts)
    await assert.rejects(client.publish("news", undefined), { code: "value_invalid" })
    await assert.rejects(client.publish("news", 1n), TypeError)
  })

  test("refuses what cannot be sent, and nothing else waits for it", async () => {
    const parts = () => new VirtualWorld().parts
    for (const server of ["localhost:8080", "ftp://test"]) {
      assert.throws(() => new LongPollingClient("news", { server }, parts()), { code: "server_invalid" }, server)
    }
    assert.throws(() => new LongPollingClient("news", { server: "http://a b" }, parts()), TypeError)
    for (const options of [{ token: "two\nlines" }, { token: () => "ключ" }, { clientId: "ключ" }]) {
      const client = new LongPollingClient("news", { server: "http://test", ...options }, parts())
      const ended = new Promise((resolve) => client.on("disconnected", resolve).start())
      assert.equal((await ended).code, "value_invalid", JSON.stringify(options))
    }
    const world = new VirtualWorld()
    const client = new LongPollingClient([], { server: "http://test" }, world.parts)
    const wrong = [client.publish("news", 1, { key: "ключ" }), client.publish("\ud800", 1)]
    const right = client.publish("news", 2)
    for (const each of wrong) await assert.rejects(each, { code: "value_invalid" })
    await settled()
    world.answer(world.open("publish"), { body: '{"message_id":"m"}' })
    assert.equal((await right).id, "m")
  })

  test("sends what is 0 too", async () => {
    assert.equal((await asked({ limit: 0 })).query.get("limit"), "0")
    const world = new VirtualWorld()
    new LongPollingClient([], { server: "http://test" }, world.parts).publish("news", 1, { ttl: 0 })
    await settled()
    assert.equal(world.open("publish").query.get("ttl"), "0")
  })

  test("goes on from the cursor that was configured where a store holds what is none", async () => {
    for (const kept of [{ a: 1 }, "of another format"]) {
      const world = new VirtualWorld()
      const store = new Map([["news", kept]])
      const client = new LongPollingClient("news", { server: "http://test", store, storeKey: "news" }, world.parts)
      const seen = []
      client.on("error", ({ code }) => seen.push(code)).start()
      await settled()
      assert.equal(world.open("poll").query.get("cursor"), `${kept}`)
      world.answer(world.open("poll"), { status: 400, body: '{"status":400,"code":"cursor_malformed","detail":"why"}' })
      await settled()
      assert.equal(world.open("poll").query.get("cursor"), "now")
      world.answer(world.open("poll"), { body: '{"messages":[],"cursor":"news-1-0"}' })
      await settled()
      assert.deepEqual([seen, store.get("news"), client.state], [["store_failed"], "news-1-0", "connected"])
    }
  })

  test("publishes under a key and with a ttl of the caller's", async () => {
    const world = new VirtualWorld()
    const client = new LongPollingClient([], { server: "http://test" }, world.parts)
    const published = client.publish("news", { a: 1 }, { key: "order-7", ttl: 1.5 })
    await settled()
    const { headers, method, query } = world.open("publish")
    assert.deepEqual([method, headers["Idempotency-Key"], query.get("ttl")], ["POST", "order-7", "1.5"])
    const body = '{"status":"published","message_id":"m","channel":"news","timestamp":1.5,"subscribers":3}'
    world.answer(world.open("publish"), { body })
    assert.deepEqual(await published, { id: "m", channel: "news", timestamp: 1.5, subscribers: 3 })
  })
})
