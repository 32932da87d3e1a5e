/**
 * WebDriver BiDi, the W3C's protocol to drive a browser, over a WebSocket. Firefox speaks it by itself, Chromium through its
 * driver; no library is needed for the few commands that these tests use.
 */
export class Bidi {
  #socket
  #last = 0
  #waiting = new Map()
  /** Why there is no browser any more. */
  #end

  static async connect(url) {
    const bidi = new Bidi()
    bidi.#socket = new WebSocket(url)
    bidi.#socket.onmessage = ({ data }) => bidi.#receive(JSON.parse(data))
    await new Promise((resolve, reject) => {
      bidi.#socket.onopen = resolve
      bidi.#socket.onerror = () => reject(new Error(`no connection to ${url}`))
    })
    bidi.#socket.onclose = () => bidi.#fail(new Error("the browser is gone"))
    return bidi
  }

  /** Sends a command, and gives its result; a browser that hangs is not waited for for ever. */
  async send(method, params = {}) {
    if (this.#end) throw this.#end
    const id = ++this.#last
    this.#socket.send(JSON.stringify({ id, method, params }))
    let timer
    const result = new Promise((resolve, reject) => {
      this.#waiting.set(id, { method, resolve, reject })
      timer = setTimeout(() => reject(new Error(`${method}: no answer within 60 s`)), 60_000)
    })
    return result.finally(() => clearTimeout(timer))
  }

  close() {
    this.#socket.close()
  }

  #receive({ id, type, result, error, message }) {
    const waiting = this.#waiting.get(id)
    this.#waiting.delete(id)
    if (type == "error") waiting?.reject(new Error(`${waiting.method}: ${error}: ${message}`))
    else waiting?.resolve(result)
  }

  #fail(error) {
    this.#end = error
    for (const { reject } of this.#waiting.values()) reject(error)
    this.#waiting.clear()
  }
}
