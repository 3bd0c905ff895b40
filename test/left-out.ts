// Says at the end of a run which suites were left out, and what it takes to run them: a skip that nobody sees looks like a pass.
import type { Reporter } from 'vitest/node'

/** Suites that need more than Node say so in their title: `name (needs …: how to get it)`. */
const NEEDING = / \(needs .+\)$/

export const leftOut: Reporter = {
  onTestRunEnd(modules) {
    const skipped = modules.flatMap((module) => [...module.children.allSuites()]).filter((suite) => suite.state() === 'skipped' && NEEDING.test(suite.name))
    if (skipped.length === 0) return
    process.stdout.write(`Left out:\n${skipped.map(({ name, module }) => `  ${name} [${module.relativeModuleId}]\n`).join('')}\n`)
  },
}
