import { readFileSync, readdirSync } from "node:fs"
import { test } from "node:test"
import { runCase } from "./support/case-runner.js"

const folder = new URL("../../../conformance/client/", import.meta.url)
for (const file of readdirSync(folder).filter((name) => name.endsWith(".json"))) {
  const { cases } = JSON.parse(readFileSync(new URL(file, folder), "utf8"))
  for (const script of cases) test(`${file}: ${script.name}`, () => runCase(script))
}
