import assert from "node:assert/strict"
import { execFileSync, spawnSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { test } from "node:test"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("../../", import.meta.url))

function tsc(...options) {
  try {
    execFileSync("tsc", options, { cwd: root, encoding: "utf8" })
  } catch (error) {
    assert.fail(error.stdout || String(error))
  }
}

test("The modules' types hold, and what is made of them and checked in is current", () => {
  const generate = fileURLToPath(new URL("../../../../scripts/generate-pages", import.meta.url))
  const { status, stderr } = spawnSync("node", [generate, "--check"], { encoding: "utf8" })
  assert.equal(status, 0, stderr)
})

test("client.d.ts stands alone, and says of right and wrong use what it should", () => {
  assert.doesNotMatch(readFileSync(join(root, "client.d.ts"), "utf8"), /import/)
  tsc("--noEmit", "--strict", "--target", "es2022", "--moduleResolution", "node", "test/package/use.ts")
})
