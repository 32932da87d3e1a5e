// A program that waits for one message of a channel, and ends.
import { LongPollingClient } from "../../src/client.js"

const [server, channel] = globalThis.Deno?.args ?? process.argv.slice(2)
for await (const message of new LongPollingClient(channel, { server, cursor: "earliest" })) {
  console.log(`data ${message.data}`)
  break
}
