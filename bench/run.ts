// `npm run bench [-- --quick] [--json] [--only NAME]`: all figures, written to bench/results, and the table of bench/README.md from them.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { realPorts, staysAlive } from '../src/ports.ts'
import { decideBench } from './decide.ts'
import { machine } from './figures.ts'
import { intakeBench } from './intake.ts'
import { latencyBench } from './latency.ts'
import { memoryBench } from './memory.ts'
import { table } from './readme.ts'

const here = fileURLToPath(new URL('.', import.meta.url))
const { values } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, json: { type: 'boolean', default: false }, only: { type: 'string' }, help: { type: 'boolean', default: false } },
})

const BENCHES: Readonly<Record<string, (quick: boolean) => Promise<Record<string, unknown>>>> = {
  decide: decideBench,
  latency: latencyBench,
  intake: intakeBench,
  memory: memoryBench,
}

async function run(): Promise<void> {
  if (values.help) {
    process.stdout.write('npm run bench -- [--quick] [--json] [--only decide|latency|intake|memory]\n')
    return
  }
  const wanted = Object.entries(BENCHES).filter(([name]) => values.only === undefined || values.only === name)
  if (wanted.length === 0) throw new Error(`--only takes one of ${Object.keys(BENCHES).join(', ')}`)
  const results: Record<string, unknown> = { at: new Date(realPorts.clock.now()).toISOString(), quick: values.quick, ...machine() }
  for (const [name, bench] of wanted) {
    process.stderr.write(`bench: ${name}\n`)
    Object.assign(results, await bench(values.quick))
  }
  if (values.only === undefined) {
    mkdirSync(join(here, 'results'), { recursive: true })
    writeFileSync(join(here, 'results', values.quick ? 'quick.json' : 'full.json'), `${JSON.stringify(results, null, 2)}\n`)
    const readme = join(here, 'README.md')
    writeFileSync(readme, table(readFileSync(readme, 'utf8'), results))
  }
  process.stdout.write(values.json ? `${JSON.stringify(results)}\n` : `${JSON.stringify(results, null, 2)}\n`)
}

await staysAlive(run())
