import assert from "node:assert/strict"
import { LongPollingClient } from "../../src/client.js"
import { settled } from "./virtual-clock.js"
import { VirtualWorld } from "./virtual-world.js"

const caseMembers = ["name", "needs", "client", "random", "tokens", "store", "handlers", "states", "steps"]
const steps = ["start", "stop", "call", "advance", "answer", "fail", "publish", "sleep", "wake", "offline"]
const options = ["channels", "cursor", "limit", "maxRetries", "publishQueueMax"]
const durations = ["pollTimeout", "retryDelayMin", "retryDelayMax"]

/** Runs one case of `conformance/client`; its README has the format. */
export async function runCase(script) {
  known(script, caseMembers, "the case")
  const run = new CaseRun(script)
  for (const [i, step] of script.steps.entries()) {
    const [name] = Object.keys(step)
    known(step, [name, "to", "then"], `step ${i + 1}`)
    known({ [name]: true }, steps, `step ${i + 1}`)
    await run.perform(name, step[name], step.to ?? "poll")
    await settled()
    run.compare(step.then ?? [], `step ${i + 1}, ${JSON.stringify({ ...step, then: undefined })}`)
  }
}

class CaseRun {
  #did = []
  #world
  #client

  constructor(script) {
    this.#world = new VirtualWorld((what, request) => this.#note(what, request))
    if (script.random) this.#world.randoms = [...script.random]
    this.#client = new LongPollingClient(script.client?.channels ?? "news", this.#options(script), this.#world.parts)
    this.#listen(script)
  }

  #options({ client = {}, tokens, store }) {
    known(client, [...options, ...durations], "client")
    const chosen = { server: "http://test", clientId: "test", ...client }
    for (const name of durations) if (name in client) chosen[name] = client[name] * 1000
    if (tokens) {
      const left = [...tokens]
      chosen.token = (fresh) => {
        this.#did.push({ token: fresh })
        const token = left.shift()
        if (token === false) return new Promise(() => {})
        if (token == null) throw new Error("no token to be had")
        return token
      }
    }
    if (store == "broken") {
      const fail = () => {
        throw new Error("the store is broken")
      }
      chosen.store = { get: fail, set: fail }
    } else if (store) {
      known(store, ["cursor"], "store")
      const set = (_, cursor) => this.#did.push({ stored: cursor })
      chosen.store = { get: async () => store.cursor, set }
    }
    return chosen
  }

  #listen({ handlers = {}, states }) {
    const client = this.#client
    const behave = (name) => {
      const { throws, stops, takes, ...others } = handlers[name] ?? {}
      known(others, [], "handlers")
      if (stops) client.stop()
      const fail = () => {
        if (throws) throw new Error("a handler that throws")
      }
      return takes
        ? new Promise((resolve) => this.#world.clock.setTimeout(resolve, takes * 1000)).then(fail)
        : fail()
    }
    client.on("message", ({ type, ...message }) => {
      const name = `${message.channel}:${message.timestamp}`
      assert.deepEqual(message, parsedMessage(name))
      this.#did.push({ message: name })
      return behave(name)
    })
    client.on("gap", (gap) => {
      this.#did.push({ gap })
      return behave("gap")
    })
    client.on("connected", () => {
      this.#did.push({ connected: true })
      return behave("connected")
    })
    client.on("disconnected", (disconnected) => this.#did.push({ disconnected }))
    client.on("error", ({ code }) => this.#did.push({ error: code }))
    if (states) client.on("state", ({ state }) => this.#did.push({ state }))
  }

  #note(what, { kind, query, channels, headers, body }) {
    if (what == "aborted") return this.#did.push({ aborted: kind })
    const token = headers.Authorization?.replace(/^Bearer /, "")
    if (kind == "publish") {
      const key = headers["Idempotency-Key"]
      return this.#did.push({ publish: { channel: channels[0], data: JSON.parse(body), key, token } })
    }
    const number = (name) => (query.has(name) ? Number(query.get(name)) : undefined)
    const poll = { channels, cursor: query.get("cursor"), timeout: number("timeout"), limit: number("limit"), token }
    this.#did.push({ poll })
  }

  async perform(name, value, to) {
    const world = this.#world
    switch (name) {
      case "start":
      case "stop":
        return void this.#client[name]()
      case "call":
        return value.forEach((name) => this.#client[name]())
      case "advance":
        return world.clock.advance(value * 1000)
      case "sleep":
      case "wake":
        return world.sign(name)
      case "offline":
        return void (world.offline = value)
      case "publish":
        return void this.#client.publish(value.channel, value.data).then(
          ({ id }) => this.#did.push({ published: id }),
          ({ code }) => this.#did.push({ rejected: code }),
        )
      case "fail":
        return world.fail(world.open(to))
      case "answer":
        if (value.stalls) return world.stall(world.open(to))
        return world.answer(world.open(to), answered(value, world.open(to)))
    }
  }

  /** Compares with what was done since, and forgets that. */
  compare(expected, where) {
    const did = this.#did.splice(0)
    const isAbort = (item) => "aborted" in item
    assert.deepEqual(did.filter(isAbort), expected.filter(isAbort), `aborted in ${where}`)
    const rest = did.filter((item) => !isAbort(item))
    const wanted = expected.filter((item) => !isAbort(item))
    const seen = rest.map((item, i) => reduced(item, wanted[i]))
    assert.deepEqual(seen, wanted, `${where}: the client did ${JSON.stringify(rest)}`)
  }
}

/** Of what was done, the members that the script names. */
function reduced(item, wanted) {
  const [name] = Object.keys(item)
  if (typeof item[name] != "object" || typeof wanted?.[name] != "object") return item
  return { [name]: Object.fromEntries(Object.keys(wanted[name]).map((key) => [key, item[name][key]])) }
}

function parsedMessage(text) {
  const [channel, number] = text.split(":")
  return { id: `${channel}-${number}-0`, channel, timestamp: Number(number), data: Number(number) }
}

function answered(answer, request) {
  known(answer, ["messages", "cursor", "gap", "more", "status", "headers", "problem", "body", "published"], "answer")
  const { status, headers, problem, body, published } = answer
  if (published) {
    const { id, channel, timestamp } = parsedMessage(published)
    return { body: JSON.stringify({ status: "published", message_id: id, channel, timestamp, subscribers: 1 }) }
  }
  if (status) return { status, headers, body: problem ? JSON.stringify({ status, error: "Refused", ...problem }) : body }
  if (body) return { body }
  const messages = (answer.messages ?? []).map(parsedMessage)
  const { cursor = messages.at(-1)?.id ?? request.query.get("cursor"), gap, more = false } = answer
  const kind = messages.length || gap ? { status: "messages" } : { status: "timeout" }
  return { body: JSON.stringify({ ...kind, gap, messages, count: messages.length, cursor, more }) }
}

/** A member that is misspelt would check nothing. */
function known(object, names, where) {
  for (const name of Object.keys(object)) assert(names.includes(name), `${where}: unknown member '${name}'`)
}
