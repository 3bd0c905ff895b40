// `npm run test:lab -- [--parts a,b] [suite…]`: brings the lab up, runs the *.lab.test.ts against it, takes it down, and prints what ran
// and what did not.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import * as z from 'zod'
import { signalled } from '../../src/cli/signalled.ts'
import { realPorts, staysAlive } from '../../src/ports.ts'
import { build } from './build.ts'
import { binariesOf, isPart, PART_NAMES } from './parts/catalogue.ts'
import { startLab } from './running-lab.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const say = (line: string): void => void process.stdout.write(`lab: ${line}\n`)
const seconds = (since: number): string => `${((realPorts.clock.elapsed() - since) / 1000).toFixed(0)} s`

const { values, positionals } = parseArgs({ options: { parts: { type: 'string' } }, allowPositionals: true })
const parts = (values.parts?.split(',') ?? PART_NAMES).filter(isPart)
/** Beginnings of names of suites; by default all. */
const filters = positionals.map((name) => `test/lab/${name}`)

const RESULTS = z.object({
  testResults: z.array(
    z.object({ name: z.string(), startTime: z.number(), endTime: z.number(), assertionResults: z.array(z.object({ status: z.string(), fullName: z.string() })) }),
  ),
})

/** One line for each suite: what passed, failed and was left out, and how long it took. */
function account(file: string): void {
  if (!existsSync(file)) return void say('the suites ended before they could be counted')
  const { testResults } = RESULTS.parse(JSON.parse(readFileSync(file, 'utf8')))
  for (const { name, startTime, endTime, assertionResults } of testResults) {
    const counts = Map.groupBy(assertionResults, ({ status }) => status)
    const told = [...counts].map(([status, found]) => `${found.length} ${status}`).join(', ')
    say(`${relative(root, name)}: ${told || 'nothing ran'} in ${((endTime - startTime) / 1000).toFixed(0)} s`)
  }
  if (testResults.length === 0) say('no suite ran')
}

async function main(): Promise<number> {
  const ending = signalled().then((signal) => {
    throw new Error(`ended by ${signal}`)
  })
  ending.catch(() => {})
  const began = realPorts.clock.elapsed()
  await build(binariesOf(parts), say)
  const folder = mkdtempSync(join(tmpdir(), 'alerts-slm-lab-'))
  const results = join(folder, 'results.json')
  try {
    const lab = await Promise.race([startLab(parts, folder, say), ending])
    say(`up after ${seconds(began)}`)
    try {
      const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs')
      // One file at a time: the suites share two cores with everything that they start.
      const args = [
        vitest,
        'run',
        '--no-file-parallelism',
        '--reporter=default',
        '--reporter=json',
        `--outputFile.json=${results}`,
        ...(filters.length > 0 ? filters : ['.lab.test.ts']),
      ]
      const child = spawn(process.execPath, args, { cwd: root, stdio: 'inherit', env: { ...process.env, ALERTS_SLM_LAB: folder, REQUIRE_SUITES: 'lab' } })
      const exited = once(child, 'exit')
      const [code]: unknown[] = await Promise.race([
        exited,
        ending.catch(async (error: unknown) => {
          child.kill('SIGTERM')
          await exited
          throw error
        }),
      ])
      account(results)
      return code === 0 ? 0 : 1
    } finally {
      await lab.stop()
      say(`down; ${seconds(began)} in all`)
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

try {
  process.exit(await staysAlive(main()))
} catch (error) {
  process.stderr.write(`lab: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exit(1)
}
