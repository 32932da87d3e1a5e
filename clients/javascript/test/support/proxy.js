import { createServer, connect } from "node:net"
import { Transform } from "node:stream"

/** Passes bytes on, until it is cut or paused. */
export class Proxy {
  /** So many bytes does a new connection carry of answers until it is cut. */
  bytesMax = () => Infinity
  #sockets = new Set()
  /** Each connection to the server, with where its answers go. */
  #answers = new Map()
  #isCut = false
  #isPaused = false
  #server

  /** @param {() => number} port where the server is */
  static async start(port) {
    const proxy = new Proxy()
    proxy.#server = createServer((socket) => proxy.#pass(socket, port()))
    await new Promise((resolve) => proxy.#server.listen(0, "127.0.0.1", resolve))
    proxy.port = proxy.#server.address().port
    return proxy
  }

  get url() {
    return `http://127.0.0.1:${this.port}`
  }

  #pass(socket, port) {
    // A connection that is closed in order before it was used makes the fetch of Node 20 wait for ever.
    if (this.#isCut) return socket.resetAndDestroy()
    const other = connect(port, "127.0.0.1")
    const answers = cuttingAfter(this.bytesMax(), socket)
    socket.pipe(other)
    answers.pipe(socket)
    if (!this.#isPaused) other.pipe(answers)
    this.#answers.set(other, answers)
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

  /** Resets all connections, and takes new ones. */
  reset() {
    for (const socket of this.#sockets) socket.resetAndDestroy()
  }

  mend() {
    this.#isCut = false
  }

  /** Passes no answers on, until `resume`. */
  pause() {
    this.#isPaused = true
    for (const [server, answers] of this.#answers) server.unpipe(answers)
  }

  resume() {
    this.#isPaused = false
    for (const [server, answers] of this.#answers) server.pipe(answers)
  }

  async close() {
    this.cut()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}

/** Carries so many bytes, and then resets the connection that they go to: in the middle of an answer, if it comes to that. */
function cuttingAfter(bytes, socket) {
  let left = bytes
  return new Transform({
    transform(chunk, _, done) {
      left -= chunk.length
      if (left >= 0) return done(null, chunk)
      this.push(chunk.subarray(0, chunk.length + left))
      setImmediate(() => socket.resetAndDestroy())
    },
  })
}
