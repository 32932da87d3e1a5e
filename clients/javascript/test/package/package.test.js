import assert from "node:assert/strict"
import { execFileSync } from "node:child_process"
import { mkdtempSync, readFileSync, readdirSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { test } from "node:test"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("../../", import.meta.url))

test("npm pack makes a package that an empty project can install, import and compile against", () => {
  const project = mkdtempSync(join(tmpdir(), "holdfast-package-"))
  const run = (command, ...options) => execFileSync(command, options, { cwd: project, encoding: "utf8", stdio: "pipe" })
  const [{ filename, files }] = JSON.parse(run("npm", "pack", root, "--json"))
  const modules = readdirSync(join(root, "src")).map((name) => `src/${name}`)
  assert.deepEqual(
    files.map(({ path }) => path).sort(), ["LICENSE", "README.md", "client.d.ts", "package.json", ...modules].sort())

  writeFileSync(join(project, "package.json"), '{ "private": true, "type": "module" }')
  run("npm", "install", "--offline", "--no-audit", "--no-fund", `./${filename}`)
  assert.deepEqual(readdirSync(join(project, "node_modules")).filter((name) => !name.startsWith(".")), ["holdfast-client"])

  writeFileSync(join(project, "use.js"), `
    import { LongPollingClient } from "holdfast-client"
    const client = new LongPollingClient("news", { server: "http://127.0.0.1:8080" })
    console.log(client.state, client.cursor)`)
  assert.equal(run("node", "use.js"), "stopped now\n")

  writeFileSync(join(project, "use.ts"), `
    import { LongPollingClient } from "holdfast-client"
    const state: "stopped" | "connecting" | "connected" | "waiting" = new LongPollingClient("news").state`)
  run("tsc", "--noEmit", "--strict", "--target", "es2022", "--moduleResolution", "node", "use.ts")
})

test("The package needs nothing, and every module of it is one of its own", () => {
  const { dependencies, peerDependencies, scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"))
  assert.deepEqual([dependencies, peerDependencies, scripts], [undefined, undefined, undefined])
  for (const name of readdirSync(join(root, "src"))) {
    const text = readFileSync(join(root, "src", name), "utf8")
    for (const [, from] of text.matchAll(/^import .* from "(.*)"/gm)) assert.match(from, /^\.\/[a-z]+\.js$/)
  }
})
