import { spawn } from "node:child_process"
import { createInterface } from "node:readline"
import { LongPollingClient } from "../../src/client.js"
import { binary } from "../support/server.js"
import { sleep } from "./randoms.js"

/**
 * Follows channels by the JavaScript client, and tells the judge.
 *
 * `keeps` says what there is still when it starts again: its `client`, or a `store` with its cursor for a new client; or
 * `nothing`, and then it is somebody else, who wants all that is retained.
 */
export class JavaScriptFollower {
  #client
  #store = new Map()

  constructor(judge, name, channels, server, keeps) {
    Object.assign(this, { judge, name, channels, keeps })
    this.options = { server, cursor: "earliest", pollTimeout: 1000, retryDelayMin: 20, retryDelayMax: 500 }
    if (keeps == "store") this.options.store = this.#store
  }

  start() {
    if (!this.seen || this.keeps == "nothing") this.seen = this.judge.follower(this.name, this.channels)
    else this.seen.continues()
    if (!this.#client || this.keeps != "client") this.#client = this.#watched(this.seen)
    this.#client.start()
  }

  #watched(seen) {
    const client = new LongPollingClient(this.channels, this.options)
    // A server that is shut down gives an empty answer on each connection, and waits here are too short to outlast that.
    const complain = ({ code, detail }) =>
      code == "answers_empty" || this.judge.complain(`${this.name}: ${code}: ${detail}`)
    return client
      .on("message", (message) => {
        seen.message(message)
        // So that a stop may come in the middle of an answer.
        if (message.data?.number % 10 == 0) return sleep(10)
      })
      .on("gap", seen.gap)
      .on("error", complain)
      .on("disconnected", (event) => event.retrying || event.code == "stopped" || complain(event))
  }

  /** Ends it; what it had in hand it has handled. */
  async stop() {
    this.#client.stop()
    await sleep(50)
  }

  kill() {
    this.#client?.stop()
  }
}

/** What `holdfast subscribe` says of gaps, and of a server that is away or being shut down. */
const gapLine = /^holdfast: missed (\d+|an unknown number of) messages? of (\S+): (retention|its log)/
const outageLine = /^holdfast: (.*; waiting for it|Polls are answered at once, with nothing: .*)$/

/** Follows channels by the Swift client, as `holdfast subscribe` does. Without a file for its cursor: anew each time. */
export class SwiftFollower {
  #child
  #ended

  /** @param {string} end the signal that stops it */
  constructor(judge, name, channels, server, file, end = "SIGINT") {
    Object.assign(this, { judge, name, channels, server, file, end })
  }

  start() {
    if (!this.seen || !this.file) this.seen = this.judge.follower(this.name, this.channels)
    else this.seen.continues(this.end == "SIGKILL")
    const { seen } = this
    let hasSaid = false
    const kept = this.file ? ["--cursor-file", this.file] : []
    const options = ["subscribe", ...this.channels, "--server", this.server, "--from", "earliest", "--json", ...kept]
    // Gaps are told beside the messages: one pipe for both keeps them in order.
    const child = spawn("/bin/sh", ["-c", 'exec "$0" "$@" 2>&1', binary, ...options], { stdio: ["ignore", "pipe", "inherit"] })
    this.#child = child
    createInterface(child.stdout).on("line", (line) => {
      hasSaid = true
      this.#take(line, seen)
    })
    this.#ended = new Promise((resolve) => child.on("close", (code, signal) => resolve(signal ?? code)))
    this.#ended.then((how) => {
      // The signal may come before the program sees to signals.
      const isRight = this.end == "SIGKILL" || !hasSaid ? [0, this.end].includes(how) : how === 0
      if (!isRight) this.judge.complain(`${this.name} ends with ${how}`)
    })
  }

  #take(line, seen) {
    if (line.startsWith("{")) return seen.message(JSON.parse(line))
    const gap = gapLine.exec(line)
    if (!gap) return outageLine.test(line) || this.judge.complain(`${this.name} says: ${line}`)
    const [, missed, channel, reason] = gap
    const isExpired = reason == "retention"
    seen.gap({ channel, reason: isExpired ? "expired" : "reset", missed: isExpired ? Number(missed) : null })
  }

  /** Ends it, sometimes with its pipe full, and so over a message that it has in hand. */
  async stop(random) {
    const { stdout } = this.#child
    if (random?.next() < 0.6) {
      stdout.pause()
      await random.sleep(4000)
    }
    this.#child.kill(this.end)
    stdout.resume()
    await this.#ended
  }

  kill() {
    this.#child?.kill("SIGKILL")
  }
}
