import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { connect } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Program, eventually } from "../support/program.js"

/** What of a file in `deploy/` is other here: no TLS, no other user, and one process, so that a kill ends all of it. */
const kinds = {
  nginx: {
    command: ["/usr/sbin/nginx", "-g", "daemon off; master_process off;", "-c"],
    changes: (port, folder) => [
      [/  server \{\n    listen 0\.0\.0\.0:80;[^]*?\n  \}\n/, ""],
      ["listen 0.0.0.0:443 ssl http2 backlog=4096;", `listen 127.0.0.1:${port} backlog=4096;`],
      ["listen [::]:443 ssl http2 backlog=4096;", ""],
      [/^ *ssl_.*\n/gm, ""],
      ["/run/nginx.pid", join(folder, "pid")],
      ["/var/log/nginx/error.log", "stderr"],
    ],
  },
  haproxy: {
    command: ["/usr/sbin/haproxy", "-db", "-f"],
    changes: (port) => [
      [/frontend plain[^]*?(?=frontend tls)/, ""],
      [/bind 0\.0\.0\.0:443 ssl.*/, `bind 127.0.0.1:${port}`],
      [/bind \[::\]:443 v6only ssl.*\n/, ""],
      [/  user haproxy\n  group haproxy\n/, ""],
    ],
  },
}

export const proxyKinds = Object.keys(kinds)

/** nginx or HAProxy, by their file in `deploy/`, but in clear. */
export class RealProxy {
  #folder = mkdtempSync(join(tmpdir(), "holdfast-soak-"))
  #config
  #command
  #program

  /** @param {number} node the port that requests go on to; there is no second node */
  static async start(kind, port, node) {
    const proxy = new RealProxy()
    const { command, changes } = kinds[kind]
    proxy.port = port
    proxy.#command = command
    proxy.#config = join(proxy.#folder, kind)
    const nodes = [["127.0.0.1:8080", `127.0.0.1:${node}`], ["127.0.0.1:8081", "127.0.0.1:1"]]
    const name = kind == "nginx" ? "nginx/nginx.conf" : "haproxy/haproxy.cfg"
    let text = readFileSync(new URL(`../../../../deploy/${name}`, import.meta.url), "utf8")
    for (const [part, replacement] of [...nodes, ...changes(port, proxy.#folder)]) {
      const changed = text.replace(part, replacement)
      if (changed == text) throw new Error(`deploy/${name} has no ${part}`)
      text = changed
    }
    writeFileSync(proxy.#config, text)
    await proxy.restart()
    return proxy
  }

  async restart() {
    const [command, ...options] = this.#command
    const program = (this.#program = new Program(command, [...options, this.#config]))
    let hasEnded = false
    program.ended.then(() => (hasEnded = true))
    await eventually("the proxy to listen", async () => {
      if (hasEnded) await program.said(/^\b$/)
      return isOpen(this.port)
    })
  }

  async kill() {
    await this.#program.end("SIGKILL")
  }

  pause() {
    this.#program.kill("SIGSTOP")
  }

  resume() {
    this.#program.kill("SIGCONT")
  }

  async stop() {
    await this.kill()
    rmSync(this.#folder, { recursive: true })
  }
}

const isOpen = (port) =>
  new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1")
    socket.on("connect", () => resolve(true)).on("error", () => resolve(false))
    socket.on("connect", () => socket.destroy())
  })

/** A port that is free, and that the kernel gives to nobody who does not ask for it by its number. */
export async function freePort() {
  for (;;) {
    const port = 10_000 + Math.floor(Math.random() * 20_000)
    if (!(await isOpen(port))) return port
  }
}
