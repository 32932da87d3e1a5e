import assert from "node:assert/strict"
import { execFileSync } from "node:child_process"
import { test } from "node:test"
import { fileURLToPath } from "node:url"
import { gzipSync } from "node:zlib"

const bytesMax = 5000

test("The client is at most 5 KB, minified and gzipped", () => {
  const module = fileURLToPath(new URL("../../src/client.js", import.meta.url))
  const bundle = execFileSync("esbuild", [module, "--bundle", "--minify", "--format=esm"])
  const { length } = gzipSync(bundle, { level: 9 })
  console.log(`client.js: ${bundle.length} bytes minified, ${length} gzipped, of ${bytesMax}`)
  assert.ok(length <= bytesMax, `${length} bytes are more than ${bytesMax}`)
})
