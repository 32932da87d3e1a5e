import { spawn } from "node:child_process"
import { createInterface } from "node:readline"
import { LongPollingClient } from "../../src/client.js"
import { binary } from "../support/server.js"
import { eventually } from "../support/program.js"

/** Seconds: the waits of a client that has lost its server a few times, and then some. */
export const patience = 90

/** Publishes by the JavaScript client, which waits no longer than it is told here. */
export class JavaScriptPublisher {
  #waiting = 0
  #client

  constructor(judge, name, server) {
    Object.assign(this, { judge, name })
    this.#client = new LongPollingClient([], { server, retryDelayMin: 20, retryDelayMax: 500, publishQueueMax: 1e6 })
  }

  /** @returns the number of the message, when it is published */
  async publish(channel) {
    const message = this.judge.publishes(this.name, channel)
    this.#waiting += 1
    try {
      this.judge.acknowledges((await this.#client.publish(channel, message)).id, channel, message)
    } catch (error) {
      this.judge.complain(`${this.name} cannot publish: ${error}`)
    }
    this.#waiting -= 1
    return message.number
  }

  /** Waits until all is published. */
  async settle() {
    await eventually(`${this.name} to publish all`, () => !this.#waiting, patience)
  }

  end() {}
  kill() {}
}

/** Publishes by the Swift client: a `holdfast publish` for each channel, with a message a line. */
export class SwiftPublisher {
  #programs = new Map()

  constructor(judge, name, server) {
    Object.assign(this, { judge, name, server })
  }

  publish(channel) {
    const message = this.judge.publishes(this.name, channel)
    const { waiting, input } = this.#of(channel)
    waiting.push(message)
    input.write(JSON.stringify(message) + "\n")
  }

  #of(channel) {
    if (!this.#programs.has(channel)) this.#programs.set(channel, this.#start(channel))
    return this.#programs.get(channel)
  }

  #start(channel) {
    const child = spawn(binary, ["publish", channel, "--ndjson", "--max-retries", "1000", "--server", this.server])
    const program = { child, waiting: [], input: child.stdin, said: "" }
    createInterface(child.stdout).on("line", (id) => this.judge.acknowledges(id, channel, program.waiting.shift()))
    child.stderr.on("data", (text) => (program.said += text))
    // What it says when it ends tells more than that it takes nothing any more.
    child.stdin.on("error", () => {})
    program.ended = new Promise((resolve) => child.on("close", resolve))
    program.ended.then((code) => {
      if (code || program.said) this.judge.complain(`${this.name} ends with ${code}: ${program.said}`)
      if (program.waiting.length) this.judge.complain(`${this.name} says nothing of ${program.waiting.length} messages`)
    })
    return program
  }

  async settle() {
    const waiting = () => [...this.#programs.values()].some(({ waiting }) => waiting.length)
    await eventually(`${this.name} to publish all`, () => !waiting(), patience)
  }

  async end() {
    for (const { input, ended } of this.#programs.values()) {
      input.end()
      await ended
    }
  }

  kill() {
    for (const { child } of this.#programs.values()) child.kill("SIGKILL")
  }
}
