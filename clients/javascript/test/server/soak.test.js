import assert from "node:assert/strict"
import { test } from "node:test"
import { LongPollingClient } from "../../src/client.js"
import { eventually } from "../support/program.js"
import { Server } from "../support/server.js"

const seconds = Number(process.env.HOLDFAST_SOAK_SECONDS ?? 30)
const seed = Number(process.env.HOLDFAST_SOAK_SEED ?? Date.now() % 1_000_000)

/** Numbers from 0 to 1, the same for the same seed: mulberry32. */
function randoms(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0
    let bits = Math.imul(seed ^ (seed >>> 15), 1 | seed)
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32
  }
}

const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds))

/** Checks what a client is told of each channel, on which 1, 2, 3 ... are published. */
class Follower {
  last = { news: 0, sport: 0 }
  received = 0
  resets = { news: 0, sport: 0 }
  wrong = []
  #missed = { news: 0, sport: 0 }

  constructor(channels, options) {
    this.channels = channels
    this.client = new LongPollingClient(channels, { ...options, cursor: "earliest" })
    this.client
      .on("message", ({ channel, data }) => {
        const { last, wrong } = this
        const next = last[channel] + this.#missed[channel] + 1
        // A new server knows no keys of the old one, so that a message whose answer was lost can be in the logs of both.
        const isRight = Number.isNaN(next) ? data >= last[channel] : data == next
        if (!isRight) wrong.push(`${channel} ${data} after ${last[channel]}, missed ${this.#missed[channel]}`)
        last[channel] = data
        this.#missed[channel] = 0
        this.received += 1
      })
      .on("gap", ({ channel, missed, reason }) => {
        this.#missed[channel] += missed ?? NaN
        if (reason == "reset") this.resets[channel] += 1
      })
      .on("error", ({ code, detail }) => this.wrong.push(`${code}: ${detail}`))
      .on("disconnected", ({ code, retrying }) => retrying || code == "stopped" || this.wrong.push(code))
      .start()
  }
}

test(`For ${seconds} s of kills, pauses and cuts, what is published is received, or a gap says so`, async () => {
  const random = randoms(seed)
  const server = await Server.start()
  const options = { server: server.url, pollTimeout: 1000, retryDelayMin: 20, retryDelayMax: 500, publishQueueMax: 1e6 }
  const followers = [["news"], ["sport"], ["news", "sport"]].map((channels) => new Follower(channels, options))
  // What is published past the proxy comes in crowds when that is back; what goes through it loses answers.
  const publishers = { news: new LongPollingClient([], options), sport: new LongPollingClient([], { ...options, server: server.ownURL }) }
  const published = { news: 0, sport: 0 }
  const receipts = []
  let kills = 0
  let isOver = false

  const faults = [
    async () => {
      kills += 1
      await server.kill()
      await sleep(random() * 500)
      await server.restart()
    },
    async () => {
      server.pause()
      await sleep(random() * 1000)
      server.resume()
    },
    async () => {
      server.proxy.cut()
      await sleep(random() * 500)
      server.proxy.mend()
    },
    async () => {
      server.proxy.pause()
      // Sometimes longer than a client waits for an answer.
      await sleep(random() * (random() < 0.1 ? 10_000 : 1000))
      if (random() < 0.5) server.proxy.cut()
      server.proxy.resume()
      server.proxy.mend()
    },
  ]

  async function publish() {
    while (!isOver) {
      for (let burst = Math.ceil(random() * 10); burst > 0; burst--) {
        const channel = random() < 0.5 ? "news" : "sport"
        receipts.push(publishers[channel].publish(channel, ++published[channel]))
      }
      await sleep(random() * 100)
    }
  }

  // Who has no place yet cannot be told what was lost before it.
  await eventually("all to have a place", () => followers.every(({ client }) => client.state == "connected"))
  const publishing = publish()
  try {
    for (const end = Date.now() + seconds * 1000; Date.now() < end; await sleep(random() * 1000)) {
      await faults[Math.floor(random() * faults.length)]()
    }
    isOver = true
    await publishing
    await Promise.all(receipts)
    for (const { channels, client, last } of followers) {
      await eventually("all to arrive", () => channels.every((channel) => last[channel] >= published[channel]))
      client.stop()
    }
  } finally {
    isOver = true
    const received = followers.map(({ received }) => received).join(", ")
    console.log(`seed ${seed}: ${published.news} and ${published.sport} published, ${received} received, ${kills} kills`)
    for (const { client } of followers) client.stop()
    await server.stop()
  }
  assert.deepEqual(followers.flatMap(({ wrong }) => wrong), [])
  for (const { last, channels, resets } of followers) {
    for (const channel of channels) {
      assert.equal(last[channel], published[channel])
      assert(resets[channel] <= kills, `${resets[channel]} resets of ${channel}, more than the ${kills} kills`)
    }
  }
})
