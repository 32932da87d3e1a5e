import { fileURLToPath } from "node:url"
import { Program, eventually } from "./program.js"
import { Proxy } from "./proxy.js"

/** The built program. */
export const binary = process.env.HOLDFAST_BINARY ?? fileURLToPath(new URL("../../../../.build/debug/holdfast", import.meta.url))

/** A real server, behind a proxy that a test can cut. What a test itself asks goes past the proxy. */
export class Server {
  #program
  #options
  #port = 0

  static async start(...options) {
    const server = new Server()
    server.#options = options
    await server.restart()
    server.proxy = await Proxy.start(() => server.#port)
    return server
  }

  /** Starts it, again at its port. */
  async restart() {
    this.#program = new Program(binary, ["serve", "--port", `${this.#port}`, "--log-format", "text", ...this.#options])
    this.#port = Number(await this.#program.said(/:(\d+)/))
  }

  async kill() {
    await this.#program.end("SIGKILL")
  }

  /** Ends it in order, as a new version being put in its place does. */
  async end() {
    await this.#program.end("SIGTERM")
  }

  /** It neither reads nor answers, until `resume`. */
  pause() {
    this.#program.kill("SIGSTOP")
  }

  resume() {
    this.#program.kill("SIGCONT")
  }

  async stop() {
    await this.proxy.close()
    await this.end()
  }

  /** Where pages find it: the proxy's address. */
  get url() {
    return this.proxy.url
  }

  /** Past the proxy. */
  get ownURL() {
    return `http://127.0.0.1:${this.#port}`
  }

  async publish(channel, data) {
    await this.publishAll([{ channel, data }])
  }

  /** Publishes in one request. */
  async publishAll(batch) {
    const answer = await fetch(`${this.ownURL}/api/publish`, {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(batch) })
    if (answer.status != 200 || (await answer.json()).failed) throw new Error(`not published: ${answer.status}`)
  }

  /** What a channel's retained messages say. */
  async retained(channel) {
    const answer = await fetch(`${this.ownURL}/api/history/${channel}`)
    return (await answer.json()).messages.map(({ data }) => data)
  }

  /** Waits until so many polls are held on a channel. */
  async holds(channel, count) {
    await eventually(`${count} held polls on ${channel}`, async () => {
      const answer = await fetch(`${this.ownURL}/api/channels/${channel}`)
      return (answer.status == 404 ? 0 : (await answer.json()).held) == count
    })
  }
}
