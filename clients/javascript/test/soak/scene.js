import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { eventually } from "../support/program.js"
import { Proxy } from "../support/proxy.js"
import { Server } from "../support/server.js"
import { faults } from "./faults.js"
import { JavaScriptFollower, SwiftFollower } from "./followers.js"
import { JavaScriptPublisher, SwiftPublisher, patience } from "./publishers.js"
import { RealProxy, freePort } from "./real-proxy.js"

const channels = ["news", "sport"]
const roundSeconds = 60
/** Few enough that who is away for some seconds misses some. */
export const logMessagesMax = 300

/**
 * All who take part:
 *
 *     subscribers ──┐         ┌───────┐    ┌──────────────┐    ┌───────┐    ┌────────────────┐
 *                   ├───────► │ outer │ ─► │ nginx or     │ ─► │ inner │ ─► │ holdfast serve │
 *     publishers ───┘         │ cuts  │    │ HAProxy      │    │ cuts  │    │ --store memory │
 *         │                   └───────┘    └──────────────┘    └───────┘    └────────────────┘
 *         └── one of them past all that ──────────────────────────────────────────▲
 */
export class Scene {
  #judge
  #random
  #folder = mkdtempSync(join(tmpdir(), "holdfast-soak-"))
  /** What is to be done at the end, the last first. */
  #ends = [() => rmSync(this.#folder, { recursive: true })]
  #faults

  constructor(judge, random) {
    this.#judge = judge
    this.#random = random
  }

  /** @param {string} kind of the real proxy */
  async start(kind) {
    const judge = this.#judge
    const server = await Server.start(
      "--port", `${await freePort()}`, "--trusted-proxies", "127.0.0.1", "--log-messages-max", `${logMessagesMax}`)
    this.#ends.unshift(() => server.stop())
    const real = await RealProxy.start(kind, await freePort(), server.proxy.port)
    this.#ends.unshift(() => real.stop())
    const outer = await Proxy.start(() => real.port)
    this.#ends.unshift(() => outer.close())
    this.#faults = faults({ server, real, outer }, this.#random.fork())

    const javaScript = (name, channels, keeps) =>
      new JavaScriptFollower(judge, `JavaScript ${name}`, channels, outer.url, keeps)
    const swift = (name, channels, file, end) =>
      new SwiftFollower(judge, `Swift ${name}`, channels, outer.url, file && join(this.#folder, file), end)
    this.restless = [
      javaScript("with stops", ["news"], "client"), javaScript("with stops, of both", channels, "client"),
      javaScript("reloaded", channels, "store"), javaScript("new", ["sport"], "nothing"),
      swift("restarted", channels, "restarted"), swift("killed", channels, "killed", "SIGKILL"), swift("new", ["news"]),
    ]
    this.followers = [
      javaScript("of one", ["news"], "client"), javaScript("of both", channels, "client"),
      swift("of one", ["sport"]), swift("of both", channels), ...this.restless,
    ]
    this.marks = new JavaScriptPublisher(judge, "marks", server.ownURL)
    this.publishers = [
      new JavaScriptPublisher(judge, "JavaScript", outer.url), new SwiftPublisher(judge, "Swift", outer.url),
      new JavaScriptPublisher(judge, "past the proxies", server.ownURL),
    ]
    this.#ends.unshift(() => [...this.followers, ...this.publishers].forEach((piece) => piece.kill()))
    for (const follower of this.followers) follower.start()
    // Who has no place yet cannot be told what was lost before it.
    await this.#reachEnd()
  }

  /** How often each fault has happened. */
  get counts() {
    return this.#faults?.counts ?? {}
  }

  async play(seconds) {
    for (const end = Date.now() + seconds * 1000; Date.now() < end; ) {
      await this.#round(Math.min(roundSeconds, (end - Date.now()) / 1000))
    }
    for (const follower of this.followers) await follower.stop()
    for (const publisher of this.publishers) await publisher.end()
  }

  async end() {
    for (const end of this.#ends) await end()
  }

  /** Faults, while all are busy; then none, until everybody has everything. */
  async #round(seconds) {
    let isOver = false
    const publish = async (publisher, random) => {
      while (!isOver) {
        for (let burst = 1 + random.below(10); burst > 0; burst--) publisher.publish(random.of(channels))
        await random.sleep(200)
      }
    }
    const startAndStop = async (follower, random) => {
      while (!isOver) {
        await random.sleep(4000)
        await follower.stop(random)
        await random.sleep(random.next() < 0.2 ? 4000 : 500)
        follower.start()
      }
    }
    const loops = [
      ...this.publishers.map((publisher) => publish(publisher, this.#random.fork())),
      ...this.restless.map((follower) => startAndStop(follower, this.#random.fork())),
    ]
    const between = this.#random.fork()
    for (const end = Date.now() + seconds * 1000; Date.now() < end; await between.sleep(1000)) await this.#faults.happen()
    isOver = true
    await Promise.all(loops)
    for (const publisher of this.publishers) await publisher.settle()
    await this.#reachEnd()
  }

  /** Everybody gets the last message, and so, as the judge has it, all of them. */
  async #reachEnd() {
    const numbers = await Promise.all(channels.map((channel) => this.marks.publish(channel)))
    const lack = () => this.followers.filter(({ seen, channels: own }) =>
      own.some((channel) => seen.last[`marks ${channel}`] != numbers[channels.indexOf(channel)]))
    await eventually("all to arrive", () => !lack().length, patience).catch((error) => {
      throw new Error(`${error.message}; it did not for ${lack().map(({ name }) => name).join(", ")}`)
    })
  }
}
