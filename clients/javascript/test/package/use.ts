// How the client is used from TypeScript. It is compiled and not run; each line that must not compile says so.
import { LongPollingClient, Message } from "../../client"

const client = new LongPollingClient(["news", "sport"], {
  server: "https://example.org", cursor: "earliest", store: localStorage, shared: true, maxRetries: 3,
  token: async (refresh) => (refresh ? "fresh" : "first"),
})
new LongPollingClient("news", { store: new Map<string, string>() })

client
  .on("message", ({ id, channel, timestamp, data }) => [id.length, channel.length, timestamp.toFixed(), data])
  .once("gap", ({ reason, missed }) => reason == "expired" && missed !== null && missed > 0)
  .on("disconnected", ({ code, retrying, status, error }) => [code.length, retrying, status, error.detail])
  .off("state", ({ state, previous }) => state == "connected" && previous == "waiting")
  .start()
client.addEventListener("message", (message) => void message.data, { once: true })

async function follow(): Promise<Message | undefined> {
  for await (const message of client) return message
  const { id } = await client.publish("news", { a: 1 }, { key: "k", ttl: 60 })
  return id.length > 0 ? undefined : undefined
}
follow()

// @ts-expect-error a misspelt event
client.on("mesage", () => {})
// @ts-expect-error a member that a gap does not have
client.on("gap", ({ id }) => id)
// @ts-expect-error an option that there is not
new LongPollingClient("news", { retries: 3 })
// @ts-expect-error the state cannot be set
client.state = "connected"
