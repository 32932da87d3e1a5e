import assert from "node:assert/strict"
import { after, afterEach, before, beforeEach, describe, test } from "node:test"
import { Browser } from "./support/browser.js"
import { eventually } from "../support/program.js"
import { Server } from "../support/server.js"

/** Run in each page before its own scripts: starts the client that the address asks for, and keeps what it tells. */
function client() {
  // Chromium's driver now and then runs it twice in a page that it has just made.
  if (!location.hash || window.seen) return
  const { channels, module = "", ...options } = JSON.parse(decodeURIComponent(location.hash.slice(1)))
  if (options.store) options.store = globalThis[options.store]
  // What a page has seen outlives it where its cursor does.
  window.seen = JSON.parse((options.store && sessionStorage.getItem("seen")) ?? "[]")
  window.ready = import(`${module}/client.js`).then(({ LongPollingClient }) => {
    window.client = new LongPollingClient(channels, options)
    const note = (text) => {
      window.seen.push(text)
      if (options.store) sessionStorage.setItem("seen", JSON.stringify(window.seen))
    }
    window.client
      .on("message", ({ data }) => note(data))
      .on("gap", ({ reason, missed }) => note(`gap ${reason} ${missed}`))
      .on("connected", () => note("connected"))
      .on("disconnected", ({ code, retrying }) => note(`${retrying ? "lost" : "ended"} ${code}`))
      .on("error", ({ code }) => note(`error ${code}`))
      .start()
  })
  window.ready.catch((error) => window.seen.push(`no client: ${error.name}`))
}

for (const name of ["chromium", "firefox"]) {
  describe(`In ${name}`, { timeout: 300_000 }, () => {
    let browser, channel, server
    let last = 0

    before(async () => {
      browser = await Browser[name]()
      await browser.prepare(client)
    })

    after(() => browser.close())

    beforeEach(async () => {
      server = await Server.start()
      channel = `channel-${++last}`
    })

    afterEach(async () => {
      await browser.clear()
      await server.stop()
    })

    /** A tab with a client. */
    const open = (options = {}, url = server.url) =>
      browser.open(`${url}/client.d.ts#${encodeURIComponent(JSON.stringify({ channels: [channel], ...options }))}`)

    const seen = (page) => page.run(() => window.seen)

    /** Waits until a page has seen so many messages (which are numbers here), and gives all that it has seen. */
    async function messages(page, count) {
      await eventually(`${count} messages`, async () =>
        (await page.run(() => window.seen?.filter((item) => typeof item == "number").length ?? 0)) >= count)
      return seen(page)
    }

    const state = (page, wanted) =>
      eventually(`the state ${wanted}`, async () => (await page.run(() => window.client?.state ?? "")) == wanted)

    async function publish(from, to = from) {
      for (let number = from; number <= to; number++) await server.publish(channel, number)
    }

    const numbers = (from, to) => Array.from({ length: to - from + 1 }, (_, i) => from + i)

    test("a page that is left and entered again goes on where it was", async () => {
      const page = await open({ store: "sessionStorage" })
      await state(page, "connected")
      const address = await page.run(() => location.href)
      await publish(1, 3)
      assert.deepEqual(await messages(page, 3), ["connected", 1, 2, 3])
      await page.go("about:blank")
      await publish(4, 6)
      await page.back(server.url)
      assert.deepEqual((await messages(page, 6)).filter(Number.isInteger), numbers(1, 6))
      await page.go("about:blank")
      await publish(7, 9)
      await page.go(address)
      assert.deepEqual((await messages(page, 9)).filter(Number.isInteger), numbers(1, 9))
    })

    test("a page that is reloaded amid messages goes on where it was, and so does the tab beside it", async () => {
      const pages = []
      for (let i = 0; i < 2; i++) pages.push(await open({ shared: true, store: "sessionStorage" }))
      for (const page of pages) await state(page, "connected")
      for (let first = 1; first <= 100; first += 20) await Promise.all([pages[0].reload(), publish(first, first + 19)])
      for (const page of pages) assert.deepEqual((await messages(page, 100)).filter(Number.isInteger), numbers(1, 100))
    })

    test("1,000 messages in bursts, with cuts between, come to all tabs in order, none lost and none twice", async () => {
      const pages = []
      for (const shared of [false, true, true]) pages.push(await open({ shared, retryDelayMax: 200 }))
      for (const page of pages) await state(page, "connected")
      for (let first = 1; first <= 1000; first += 50) {
        if (first % 200 == 1) server.proxy.cut()
        if (first % 200 == 1) await state(pages[0], "waiting")
        await server.publishAll(numbers(first, first + 49).map((data) => ({ channel, data })))
        server.proxy.mend()
        if (first % 200 == 51) for (const page of pages) await messages(page, first + 49)
      }
      for (const page of pages) assert.deepEqual((await messages(page, 1000)).filter(Number.isInteger), numbers(1, 1000))
      for (const page of pages) assert.deepEqual((await seen(page)).filter((item) => /^(gap|error|ended)/.test(item)), [])
    })

    test("a server that is killed and restarted costs an honest gap where it kept nothing", async () => {
      const page = await open()
      await state(page, "connected")
      await publish(1)
      await messages(page, 1)
      await server.kill()
      await state(page, "waiting")
      await server.restart()
      await state(page, "connected")
      await publish(2)
      assert.deepEqual(await messages(page, 2), ["connected", 1, "lost unreachable", "connected", "gap reset null", 2])
    })

    test("a connection that is cut costs nothing", async () => {
      const page = await open()
      await state(page, "connected")
      await publish(1)
      await messages(page, 1)
      server.proxy.cut()
      await state(page, "waiting")
      await publish(2, 4)
      server.proxy.mend()
      assert.deepEqual(await messages(page, 4), ["connected", 1, "lost unreachable", "connected", 2, 3, 4])
    })

    test("what is published without a network waits for it, in order", async () => {
      const page = await open()
      await state(page, "connected")
      server.proxy.cut()
      await page.run((channel) => {
        window.published = Promise.all([1, 2, 3].map((number) => window.client.publish(channel, number)))
      }, channel)
      await state(page, "waiting")
      server.proxy.mend()
      assert.equal((await page.run(() => window.published)).length, 3)
      assert.deepEqual((await messages(page, 3)).filter(Number.isInteger), [1, 2, 3])
    })

    test("ten tabs hold one poll, and an ordinary fetch beside them answers at once", async () => {
      const pages = []
      for (let i = 0; i < 10; i++) pages.push(await open({ shared: true, pollTimeout: 60_000 }))
      for (const page of pages) await state(page, "connected")
      await server.holds(channel, 1)
      // One that has to wait for a connection waits for a minute.
      const ask = () => fetch("/healthz", { signal: AbortSignal.timeout(10_000) }).then((answer) => answer.status)
      for (const page of pages) assert.equal(await page.run(ask), 200)
      await publish(1, 3)
      for (const page of pages) assert.deepEqual(await messages(page, 3), ["connected", 1, 2, 3])
      await server.holds(channel, 1)
    })

    test("tabs take over without loss or repeat when the one that polls is closed", async () => {
      const pages = []
      for (let i = 0; i < 4; i++) pages.push(await open({ shared: true }))
      for (const page of pages) await state(page, "connected")
      for (let number = 1; pages.length > 1; number++) {
        await publish(number)
        for (const page of pages) await messages(page, number)
        const closed = pages.shift()
        await closed.close()
      }
      await publish(4)
      assert.deepEqual(await messages(pages[0], 4), ["connected", 1, 2, 3, 4])
      await server.holds(channel, 1)
    })

    /** Two tabs in processes of their own, the first of them polling. */
    async function apart(options) {
      const first = await open({ shared: true, ...options })
      await state(first, "connected")
      const id = await browser.process(first)
      for (;;) {
        const second = await open({ shared: true, ...options })
        await state(second, "connected")
        const other = await browser.process(second)
        if (other != id) return { first, second, id }
        await second.close()
      }
    }

    test("another tab takes over when the process of the one that polls is killed", async () => {
      const { second, id } = await apart()
      await publish(1)
      await messages(second, 1)
      process.kill(id, "SIGKILL")
      await publish(2, 3)
      assert.deepEqual(await messages(second, 3), ["connected", 1, 2, 3])
      await server.holds(channel, 1)
    })

    test("another tab takes over when the one that polls hangs, and that one follows when it is back", async () => {
      const { first, second, id } = await apart({ pollTimeout: 1000 })
      process.kill(id, "SIGSTOP")
      try {
        await publish(1, 2)
        assert.deepEqual(await messages(second, 2), ["connected", 1, 2])
      } finally {
        process.kill(id, "SIGCONT")
      }
      assert.deepEqual((await messages(first, 2)).filter(Number.isInteger), [1, 2])
      await publish(3)
      for (const page of [first, second]) assert.deepEqual((await messages(page, 3)).filter(Number.isInteger), [1, 2, 3])
      await server.holds(channel, 1)
    })

    test("a page without a network goes on when that is back, at once", async () => {
      const page = await open({ retryDelayMin: 600_000, retryDelayMax: 600_000 })
      await state(page, "connected")
      await publish(1)
      await messages(page, 1)
      await browser.setOffline(true, page)
      await eventually("the page to know", () => page.run(() => !navigator.onLine))
      server.proxy.cut()
      await state(page, "waiting")
      await publish(2)
      server.proxy.mend()
      await browser.setOffline(false, page)
      assert.deepEqual(await messages(page, 2), ["connected", 1, "lost unreachable", "connected", 2])
    })

    test("a page of another origin is refused, unless that is allowed", async () => {
      const pages = await Server.start()
      const allowing = await Server.start("--cors-origins", pages.url)
      try {
        const without = await open({ module: server.url }, pages.url)
        await eventually("the refusal of the client", async () => (await seen(without))?.length > 0)
        assert.deepEqual(await seen(without), ["no client: TypeError"])
        const refused = await open({ server: server.url }, pages.url)
        await state(refused, "waiting")
        assert.deepEqual(await seen(refused), [])
        // This asks for no permission before, so the server itself has to refuse it.
        await refused.run((url) => fetch(url, { method: "POST", body: "1", mode: "no-cors" }).then(() => {}),
          `${server.url}/api/publish/${channel}`)
        assert.deepEqual(await server.retained(channel), [])
        const allowed = await open({ module: allowing.url }, pages.url)
        await state(allowed, "connected")
        await allowing.publish(channel, 1)
        assert.deepEqual(await messages(allowed, 1), ["connected", 1])
        assert.equal(typeof (await allowed.run((channel) => window.client.publish(channel, 2), channel)).id, "string")
      } finally {
        await pages.stop()
        await allowing.stop()
      }
    })

    if (name == "chromium") {
      // Firefox does not freeze pages.
      test("another tab takes over when the one that polls is frozen, and that one follows when it is thawed", async () => {
        const pages = [await open({ shared: true }), await open({ shared: true })]
        for (const page of pages) await state(page, "connected")
        await pages[0].chromium("Page.setWebLifecycleState", { state: "frozen" })
        await publish(1, 2)
        assert.deepEqual(await messages(pages[1], 2), ["connected", 1, 2])
        await server.holds(channel, 1)
        await pages[0].chromium("Page.setWebLifecycleState", { state: "active" })
        await publish(3)
        for (const page of pages) assert.deepEqual(await messages(page, 3), ["connected", 1, 2, 3])
        await server.holds(channel, 1)
      })

      test("a frozen page asks nothing, and goes on with one poll when it is thawed", async () => {
        // Longer than a test waits, so that an answer by itself is not taken for a poll that was given up.
        const page = await open({ pollTimeout: 60_000 })
        await state(page, "connected")
        await server.holds(channel, 1)
        await page.chromium("Page.setWebLifecycleState", { state: "frozen" })
        await server.holds(channel, 0)
        await publish(1, 3)
        await page.chromium("Page.setWebLifecycleState", { state: "active" })
        assert.deepEqual(await messages(page, 3), ["connected", 1, 2, 3])
        await server.holds(channel, 1)
      })
    }

    test("the example page shows what is published there and elsewhere, as text and nothing else", async () => {
      const page = await browser.open(`${server.url}/example?channel=${channel}`)
      const shown = () => page.run(() => [...document.querySelectorAll("#messages li")].map((item) => item.firstChild.textContent))
      await eventually("its connection", () => page.run(() => document.querySelector("#state").textContent == "connected"))
      await page.run(() => {
        document.querySelector("#text").value = "<b>bold</b>"
        document.querySelector("#form").requestSubmit()
      })
      await eventually("the first message", async () => (await shown()).length == 1)
      await server.publish(channel, { text: "from elsewhere" })
      await server.publish(channel, { html: "<img src=x onerror=alert(1)>" })
      await eventually("the others", async () => (await shown()).length == 3)
      assert.deepEqual(await shown(), ['{"html":"<img src=x onerror=alert(1)>"}', "from elsewhere", "<b>bold</b>"])
      assert.equal(await page.run(() => document.querySelectorAll("#messages b, #messages img").length), 0)
      await page.reload()
      await eventually("all after a reload", async () => (await shown()).length == 3)
    })
  })
}
