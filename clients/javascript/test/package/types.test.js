import assert from "node:assert/strict"
import { execFileSync } from "node:child_process"
import { mkdtempSync, readFileSync } from "node:fs"
import { tmpdir } from "node:os"
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

test("The modules' types hold, and client.d.ts is what tsc makes of them; scripts/generate renews it", () => {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-types-"))
  tsc("--project", ".", "--outDir", folder)
  assert.equal(readFileSync(join(root, "client.d.ts"), "utf8"), readFileSync(join(folder, "client.d.ts"), "utf8"))
})

test("client.d.ts stands alone, and says of right and wrong use what it should", () => {
  assert.doesNotMatch(readFileSync(join(root, "client.d.ts"), "utf8"), /import/)
  tsc("--noEmit", "--strict", "--target", "es2022", "--moduleResolution", "node", "test/package/use.ts")
})
