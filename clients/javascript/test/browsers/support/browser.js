import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Bidi } from "./bidi.js"
import { Program, eventually } from "../../support/program.js"

/** A real browser without a window. Its pages are `Page`s. */
export class Browser {
  #programs = []
  #folder = mkdtempSync(join(tmpdir(), "holdfast-browser-"))

  static async chromium() {
    const browser = new Browser()
    const driver = browser.#start("chromedriver", ["--port=0"])
    const port = await driver.said(/started successfully on port (\d+)/)
    const args = ["--headless=new", "--no-sandbox", "--disable-dev-shm-usage", `--user-data-dir=${browser.#folder}`]
    const options = { binary: "/usr/bin/chromium", args }
    const capabilities = { alwaysMatch: { webSocketUrl: true, "goog:chromeOptions": options } }
    const answer = await fetch(`http://127.0.0.1:${port}/session`, { method: "POST", body: JSON.stringify({ capabilities }) })
    const { value } = await answer.json()
    browser.bidi = await Bidi.connect(value.capabilities.webSocketUrl)
    return browser
  }

  static async firefox() {
    const browser = new Browser()
    const preferences = { "browser.shell.checkDefaultBrowser": false, "datareporting.policy.dataSubmissionEnabled": false }
    const lines = Object.entries(preferences).map(([name, value]) => `user_pref("${name}", ${value});\n`)
    writeFileSync(join(browser.#folder, "user.js"), lines.join(""))
    const firefox = browser.#start("firefox-esr", [
      "--headless", "--no-remote", "--profile", browser.#folder, "--remote-debugging-port", "0"])
    const url = await firefox.said(/WebDriver BiDi listening on (ws:\S+)/)
    browser.bidi = await Bidi.connect(`${url}/session`)
    await browser.bidi.send("session.new", { capabilities: {} })
    return browser
  }

  #start(command, options) {
    const program = new Program(command, options)
    this.#programs.push(program)
    return program
  }

  /** The process that runs the scripts of a page: while they are busy, it is the one that is. */
  async process(page) {
    const before = processorTimes()
    await page.run(() => {
      for (const end = Date.now() + 1000; Date.now() < end; );
    })
    const spent = [...processorTimes()].map(([id, time]) => ({ id, time: time - (before.get(id) ?? 0) }))
    return spent.sort((one, other) => other.time - one.time)[0].id
  }

  /** Has the browser believe that there is no network, or that it is back. */
  async setOffline(isOffline, ...pages) {
    const contexts = pages.map(({ context }) => context)
    const networkConditions = isOffline ? { type: "offline" } : null
    await this.bidi.send("emulation.setNetworkConditions", { networkConditions, contexts })
  }

  /** Opens a tab at an address. */
  async open(url) {
    const { context } = await this.bidi.send("browsingContext.create", { type: "tab" })
    const page = new Page(this.bidi, context)
    await page.go(url)
    return page
  }

  /** Has a function run in each page before its own scripts. */
  async prepare(action) {
    await this.bidi.send("script.addPreloadScript", { functionDeclaration: String(action) })
  }

  /** Closes all tabs but the browser's first. */
  async clear() {
    const { contexts } = await this.bidi.send("browsingContext.getTree")
    const rest = contexts.slice(1)
    for (const { context } of rest) await this.bidi.send("browsingContext.close", { context }).catch(() => {})
  }

  async close() {
    await this.bidi.send("browser.close").catch(() => {})
    this.bidi.close()
    for (const program of this.#programs) await program.end("SIGTERM")
    // The browser's last process writes to it for a moment yet.
    await eventually("the browser's end", () => {
      try {
        rmSync(this.#folder, { recursive: true, force: true })
        return true
      } catch {
        return false
      }
    })
  }
}

/** What each process that runs pages has used of the processor, in ticks. */
function processorTimes() {
  const times = new Map()
  for (const id of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      if (!/--type=renderer|-contentproc/.test(readFileSync(`/proc/${id}/cmdline`, "latin1"))) continue
      const fields = readFileSync(`/proc/${id}/stat`, "latin1").split(") ")[1].split(" ")
      times.set(Number(id), Number(fields[11]) + Number(fields[12]))
    } catch {
      // It has ended meanwhile.
    }
  }
  return times
}

/** A tab. */
export class Page {
  constructor(bidi, context) {
    this.bidi = bidi
    this.context = context
  }

  async go(url) {
    await this.bidi.send("browsingContext.navigate", { context: this.context, url, wait: "complete" })
  }

  async reload() {
    await this.bidi.send("browsingContext.reload", { context: this.context, wait: "complete" })
  }

  /** Goes back to a page whose address begins so. */
  async back(url) {
    await this.bidi.send("browsingContext.traverseHistory", { context: this.context, delta: -1 })
    // That is answered before the page is there, and between two pages there is none to run anything in.
    await eventually(`${url} to be back`, async () => {
      const place = await this.run(() => document.readyState == "complete" && location.href).catch(() => "")
      return place && place.startsWith(url)
    })
  }

  async close() {
    await this.bidi.send("browsingContext.close", { context: this.context })
  }

  /** The value of a function in the page, which may be async; it and its arguments are JSON. */
  async run(action, ...values) {
    const { result, exceptionDetails } = await this.bidi.send("script.callFunction", {
      functionDeclaration: `async (json) => JSON.stringify(await (${action})(...JSON.parse(json)))`,
      arguments: [{ type: "string", value: JSON.stringify(values) }],
      target: { context: this.context },
      awaitPromise: true,
      userActivation: true,
    })
    if (exceptionDetails) throw new Error(`in the page: ${exceptionDetails.text}`)
    return result.value === undefined ? undefined : JSON.parse(result.value)
  }

  /** What only Chromium can do, by its own protocol. */
  async chromium(method, params = {}) {
    const { session } = await this.bidi.send("goog:cdp.getSession", { context: this.context })
    return this.bidi.send("goog:cdp.sendCommand", { method, params, session })
  }
}
