// A program that says what comes of a channel, and publishes there what it reads, a line each. The server's name stands for
// this machine.
import dns from "node:dns"
import { createInterface } from "node:readline"
import { LongPollingClient } from "../../src/client.js"

const [server, channel] = process.argv.slice(2)
const { lookup } = dns
dns.lookup = (name, ...rest) => lookup(name == new URL(server).hostname ? "127.0.0.1" : name, ...rest)

const client = new LongPollingClient(channel, { server, pollTimeout: 2000, retryDelayMin: 10, retryDelayMax: 100 })
  .on("message", ({ data }) => console.log(`${data}`))
  .on("gap", ({ reason }) => console.log(`gap ${reason}`))
  .on("error", ({ code }) => console.log(code))
  .on("disconnected", ({ code, retrying }) => retrying || console.log(code))
  .start()
createInterface(process.stdin).on("line", (line) => client.publish(channel, JSON.parse(line)))
