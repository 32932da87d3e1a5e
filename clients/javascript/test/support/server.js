import { createServer, connect } from "node:net"
import { fileURLToPath } from "node:url"
import { Program, eventually } from "./program.js"

const binary = process.env.HOLDFAST_BINARY ?? fileURLToPath(new URL("../../../../.build/debug/holdfast", import.meta.url))

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

  /** It neither reads nor answers, until `resume`. */
  pause() {
    this.#program.kill("SIGSTOP")
  }

  resume() {
    this.#program.kill("SIGCONT")
  }

  async stop() {
    await this.proxy.close()
    await this.#program.end("SIGTERM")
  }

  /** Where pages find it: the proxy's address. */
  get url() {
    return `http://127.0.0.1:${this.proxy.port}`
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

/** Passes bytes on, until it is cut or paused. */
class Proxy {
  #sockets = new Set()
  /** Each connection to the server, with the one that its answers go to. */
  #answers = new Map()
  #isCut = false
  #isPaused = false
  #server

  static async start(port) {
    const proxy = new Proxy()
    proxy.#server = createServer((socket) => proxy.#pass(socket, port()))
    await new Promise((resolve) => proxy.#server.listen(0, "127.0.0.1", resolve))
    proxy.port = proxy.#server.address().port
    return proxy
  }

  #pass(socket, port) {
    // A connection that is closed in order before it was used makes the fetch of Node 20 wait for ever.
    if (this.#isCut) return socket.resetAndDestroy()
    const other = connect(port, "127.0.0.1")
    socket.pipe(other)
    if (!this.#isPaused) other.pipe(socket)
    this.#answers.set(other, socket)
    for (const [one, next] of [[socket, other], [other, socket]]) {
      this.#sockets.add(one)
      one.on("error", () => next.destroy())
      one.on("close", () => {
        next.destroy()
        this.#sockets.delete(one)
        this.#answers.delete(one)
      })
    }
  }

  /** Ends all connections and takes none, until `mend`. */
  cut() {
    this.#isCut = true
    for (const socket of this.#sockets) socket.destroy()
  }

  mend() {
    this.#isCut = false
  }

  /** Passes no answers on, until `resume`. */
  pause() {
    this.#isPaused = true
    for (const [server, client] of this.#answers) server.unpipe(client)
  }

  resume() {
    this.#isPaused = false
    for (const [server, client] of this.#answers) server.pipe(client)
  }

  async close() {
    this.cut()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}
