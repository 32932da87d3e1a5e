import assert from "node:assert/strict"
import { after, before, describe, test } from "node:test"
import { fileURLToPath } from "node:url"
import { LongPollingClient } from "../../src/client.js"
import { Program, eventually } from "../support/program.js"
import { Server } from "../support/server.js"

describe("With a real server, outside a browser", () => {
  let server

  before(async () => {
    server = await Server.start()
  })

  after(() => server.stop())

  test("messages come through cuts and restarts, in order, and the publishes too", async () => {
    const client = new LongPollingClient("news", { server: server.url, retryDelayMax: 100 })
    const seen = []
    client
      .on("message", ({ data }) => seen.push(data))
      .on("gap", ({ reason }) => seen.push(reason))
      .start()
    const connected = () => eventually("the connection", () => client.state == "connected")
    await connected()
    const first = await client.publish("news", 1)
    assert.match(first.id, /^[^-]+-1-/)
    await eventually("the first", () => seen.length == 1)
    server.proxy.cut()
    const published = [2, 3, 4].map((data) => client.publish("news", data))
    await eventually("the loss", () => client.state == "waiting")
    server.proxy.mend()
    await Promise.all(published)
    await eventually("those of the cut", () => seen.length == 4)
    await server.kill()
    await eventually("the loss", () => client.state == "waiting")
    await server.restart()
    await connected()
    await client.publish("news", 5)
    await eventually("that after the restart", () => seen.length == 6)
    client.stop()
    assert.deepEqual(seen, [1, 2, 3, 4, "reset", 5])
  })

  test("for await ends a program that leaves the loop, for nothing is left that runs", async () => {
    await server.publish("numbers", 7)
    const program = new Program(process.execPath, [
      ...(globalThis.Deno ? ["run", "--allow-net", "--no-check"] : []),
      fileURLToPath(new URL("../support/one-message.js", import.meta.url)), server.url, "numbers"])
    assert.equal(await program.said(/data (\d+)/), "7")
    await program.ended
  })
})
