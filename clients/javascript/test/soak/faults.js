/**
 * What can happen to the server, to the proxy in front of it, and to the connections before and between them.
 *
 * @param {{ server: import("../support/server.js").Server, real: import("./real-proxy.js").RealProxy,
 *   outer: import("../support/proxy.js").Proxy }} pieces
 * @param {import("./randoms.js").Randoms} random
 */
export function faults({ server, real, outer }, random) {
  // Seldom it is longer than the JavaScript client waits for an answer.
  const pause = () => random.sleep(random.next() < 0.05 ? 10_000 : 1000)
  const cutter = () => random.of([outer, server.proxy])

  const kill = async (piece) => {
    await piece.kill()
    await random.sleep(random.next() < 0.1 ? 4000 : 500)
    await piece.restart()
  }
  const stop = async (piece) => {
    piece.pause()
    await pause()
    piece.resume()
  }

  const all = {
    "the server killed": () => kill(server),
    "the server ended by SIGTERM": async () => {
      await server.end()
      await server.restart()
    },
    "the server stopped for a while": () => stop(server),
    "the proxy killed": () => kill(real),
    "the proxy stopped for a while": () => stop(real),
    "connections reset": async () => cutter().reset(),
    "connections cut, and none taken for a while": async () => {
      const proxy = cutter()
      proxy.cut()
      await random.sleep(500)
      proxy.mend()
    },
    "answers held back, and perhaps lost": async () => {
      const proxy = cutter()
      proxy.pause()
      await pause()
      if (random.next() < 0.5) proxy.reset()
      proxy.resume()
    },
    "connections reset amid answers, each": async () => {
      const proxy = cutter()
      const lengths = random.fork()
      proxy.bytesMax = () => 1 + lengths.below(random.next() < 0.5 ? 500 : 20_000)
      proxy.reset()
      await random.sleep(3000)
      proxy.bytesMax = () => Infinity
      proxy.reset()
    },
  }

  return {
    counts: Object.fromEntries(Object.keys(all).map((name) => [name, 0])),

    /** Lets one happen, and returns when it is over. */
    async happen() {
      const name = random.of(Object.keys(all))
      this.counts[name] += 1
      await all[name]()
    },
  }
}
