import assert from "node:assert/strict"
import { test } from "node:test"
import { Judge } from "./soak/judge.js"

/** A log holds three. `a` publishes 1 to 6 in the epoch `e`, and then 7 to 9 in the epoch `f`. */
function prepared() {
  const judge = new Judge(3)
  const log = Array.from({ length: 9 }, (_, i) => {
    const id = i < 6 ? `e-${i + 1}-t` : `f-${i - 5}-t`
    return { id, channel: "news", data: judge.publishes("a", "news") }
  })
  for (const { id, channel, data } of log) judge.acknowledges(id, channel, data)
  return { judge, log, follower: judge.follower("it", ["news"]) }
}

/** Gives a follower what it gets: the number of a message, or a gap. */
function give({ follower, log }, ...events) {
  for (const event of events) {
    if (typeof event == "number") follower.message(log[event - 1])
    else if (event == "stopped" || event == "killed") follower.continues(event == "killed")
    else follower.gap(event)
  }
}

const reset = { channel: "news", reason: "reset", missed: null }
const expired = (missed) => ({ channel: "news", reason: "expired", missed })

const right = {
  "everything, with a reset between epochs": [1, 2, 3, 4, 5, 6, reset, 7, 8, 9],
  "a beginning with what is retained": [4, 5, 6],
  "the loss of an epoch's end": [1, 2, reset, 7, 8, 9],
  "two resets": [1, reset, reset, 7],
  "a gap that says how many": [1, expired(2), 4, 5],
  "two gaps": [1, expired(1), expired(1), 4],
  "a stop": [1, 2, "stopped", 3],
  "a gap that is told again after a stop": [1, expired(2), "stopped", expired(2), 4],
  "one that is not": [1, expired(2), "stopped", 4],
  "a message again after a kill": [1, 2, "killed", 2, 3],
  "none": [1, 2, "killed", 3],
  "the first of an epoch again after a kill": [1, reset, 7, "killed", reset, 7, 8],
}
for (const [name, events] of Object.entries(right)) {
  test(`The soak's judge finds right: ${name}`, () => {
    const all = prepared()
    give(all, ...events)
    assert.deepEqual(all.judge.verdict(), [])
  })
}

const wrong = {
  "a message left out": [[1, 3], "e-3-t instead of e-2"],
  "one again": [[1, 2, 2], "e-2-t instead of e-3"],
  "one again after a stop": [[1, 2, "stopped", 2], "e-2-t instead of e-3"],
  "two again after a kill": [[1, 2, 3, "killed", 2], "e-2-t instead of e-4 or e-4 or e-3"],
  "another order": [[2, 1], "e-1-t instead of e-3"],
  "another epoch without a reset": [[1, 2, 7], "f-1-t instead of e-3"],
  "a reset that was none": [[1, 2, reset, 3], "e-3-t instead of a new epoch-1"],
  "an epoch that was before": [[1, reset, 7, reset, 2], "e-2-t instead of a new epoch-1"],
  "a gap that says too few": [[1, expired(2), 5], "e-5-t instead of e-4"],
  "a gap that says too many": [[1, expired(2), 3], "e-3-t instead of e-4"],
  "a gap of none": [[1, expired(0), 2], "a gap expired of 0"],
  "a gap told again without a stop": [[1, expired(2), expired(2), 4], "e-4-t instead of e-6"],
  "a gap over what the log holds": [[1, 2, 3, expired(1), 5], "what is before e-5-t was left out, though the log could hold it"],
  "a beginning after what the log holds": [[5, 6], "what is before e-5-t was left out, though the log could hold it"],
  "a reset that leaves out what the log holds": [
    [1, reset, 8], "what is before f-2-t was left out, though the log could hold it"],
}
for (const [name, [events, problem]] of Object.entries(wrong)) {
  test(`The soak's judge finds wrong: ${name}`, () => {
    const all = prepared()
    give(all, ...events)
    assert(all.judge.verdict().some((text) => text.includes(problem)), all.judge.verdict().join("\n"))
  })
}

test("The soak's judge finds wrong: what nobody published, in this form or at all", () => {
  const { judge, follower } = prepared()
  follower.message({ id: "e-1-t", channel: "news", data: { by: "b", number: 1, rest: "" } })
  follower.message({ id: "e-2-t", channel: "news", data: { by: "a", number: 2, rest: "y" } })
  follower.message({ id: "e-3-t", channel: "news", data: { by: "a", number: 10, rest: "" } })
  follower.message({ id: "e-4-t", channel: "news", data: null })
  assert.equal(judge.verdict().filter((text) => text.includes("nobody published")).length, 4)
})

test("The soak's judge finds wrong: two places of one message, two messages in one place, two ids, holes", () => {
  const judge = new Judge(3)
  const [first, second, third] = [1, 2, 3].map(() => judge.publishes("a", "news"))
  judge.acknowledges("e-1-t", "news", first)
  judge.acknowledges("e-2-t", "news", first)
  judge.acknowledges("e-1-t", "news", second)
  judge.acknowledges("e-1-u", "news", first)
  judge.acknowledges("e-4-t", "news", third)
  assert.deepEqual(judge.verdict(), [
    "a was told e-2-t of news: a 1 is number 1 already", "a was told e-1-t of news: it is a 1 with e-1-t",
    "a was told e-1-u of news: it is a 1 with e-1-t", "news e: a 3 at 4 comes after 1"])
})
