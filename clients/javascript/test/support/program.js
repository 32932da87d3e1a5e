import { spawn } from "node:child_process"

/** Without what is meant for the tests, which a server would take for settings of its own. */
const environment = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("HOLDFAST_")))

/** A program that a test started and ends. */
export class Program {
  #text = ""
  #child
  /** Whether it has ended and all that it said has been read, which is later than its exit. */
  #isSilent = false
  /** Resolves when it has ended. */
  ended

  constructor(command, options) {
    this.command = command
    this.#child = spawn(command, options, { env: environment, stdio: ["ignore", "pipe", "pipe"] })
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream.setEncoding("utf8")
      stream.on("data", (text) => (this.#text += text))
    }
    this.#child.on("close", () => (this.#isSilent = true))
    this.ended = new Promise((resolve) => {
      this.#child.on("exit", resolve)
      this.#child.on("error", (error) => {
        this.#text += error.message
        this.#isSilent = true
        resolve()
      })
    })
  }

  /** The first group of an expression, once the program has said something that matches. */
  async said(expression) {
    return eventually(`${this.command} to say ${expression}`, () => {
      const found = expression.exec(this.#text)?.[1]
      if (found === undefined && this.#isSilent) throw new Error(`${this.command} ended: ${this.#text}`)
      return found
    })
  }

  kill(signal) {
    this.#child.kill(signal)
  }

  /** Ends it, in the end by force. */
  async end(signal) {
    this.kill(signal)
    const timer = setTimeout(() => this.kill("SIGKILL"), 10_000)
    await this.ended
    clearTimeout(timer)
  }
}

/** The first value of a function that is neither false, `undefined` nor an error in JSON; looked at until there is one. */
export async function eventually(what, action, seconds = 30) {
  const end = Date.now() + seconds * 1000
  for (;;) {
    const value = await action()
    if (value !== undefined && value !== false) return value
    if (Date.now() > end) throw new Error(`waited ${seconds} s for ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
