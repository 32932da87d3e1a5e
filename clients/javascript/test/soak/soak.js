/**
 * Both clients, against a real server behind a real proxy, of which one or the other is killed, stopped or cut off again and
 * again; scripts/soak-clients runs it. Each minute, and at the end, all mend, and then everybody must have everything.
 *
 * A seed decides what happens, and for how long; not what it meets.
 */
import { parseArgs } from "node:util"
import { Judge } from "./judge.js"
import { Randoms } from "./randoms.js"
import { proxyKinds } from "./real-proxy.js"
import { Scene, logMessagesMax } from "./scene.js"

const usage = `usage: scripts/soak-clients [--seconds 600] [--seed <number>] [--proxy ${proxyKinds.join("|")}]`

function settings() {
  const options = { seconds: { type: "string" }, seed: { type: "string" }, proxy: { type: "string" } }
  const { values } = parseArgs({ options })
  const seconds = Number(values.seconds ?? 600)
  const seed = Number(values.seed ?? Date.now() % 1_000_000)
  const kind = values.proxy ?? proxyKinds[seed % proxyKinds.length]
  if (!(seconds > 0 && Number.isInteger(seed) && proxyKinds.includes(kind))) throw new Error("not a number, or no such proxy")
  return { seconds, seed, kind }
}

function report({ seconds, seed, kind }, judge, counts) {
  const wrong = judge.verdict()
  console.log(`${seconds} s behind ${kind}, seed ${seed}`)
  for (const [name, count] of Object.entries(counts)) console.log(`  ${count} times ${name}`)
  console.log(`${judge.published} messages published, ${judge.acknowledged} acknowledged, in ${judge.epochs} epochs`)
  for (const [name, { received, expired, reset }] of judge.sums()) {
    console.log(`  ${name}: ${received} received, gaps: ${expired} expired, ${reset} reset`)
  }
  for (const text of wrong.slice(0, 20)) console.log(`WRONG: ${text}`)
  const again = `scripts/soak-clients --seconds ${seconds} --seed ${seed} --proxy ${kind}`
  if (wrong.length) console.log(`${wrong.length} things are wrong; again: ${again}`)
  console.log(wrong.length ? "0 passed, 1 failed, 0 skipped" : "1 passed, 0 failed, 0 skipped")
  return wrong.length ? 1 : 0
}

let wanted
try {
  wanted = settings()
} catch (error) {
  console.error(`${error.message}\n${usage}`)
  process.exit(64)
}
const judge = new Judge(logMessagesMax)
const scene = new Scene(judge, new Randoms(wanted.seed))
// Or the server and the others would outlive it.
process.on("uncaughtException", (error) => judge.complain(error.stack))
try {
  await scene.start(wanted.kind)
  await scene.play(wanted.seconds)
} catch (error) {
  judge.complain(error.stack)
} finally {
  await scene.end()
}
process.exit(report(wanted, judge, scene.counts))
