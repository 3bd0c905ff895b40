// `npm run lab -- up | status | down | build`: the real world on this machine's loopback, for people and for the suites.
import { spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { signalled } from '../../src/cli/signalled.ts'
import { staysAlive } from '../../src/ports.ts'
import { until } from '../waiting.ts'
import { type LabState, lives, readState, writeState } from './addresses.ts'
import { build } from './build.ts'
import { binariesOf, isPart, PART_NAMES, type PartName, partOf } from './parts/catalogue.ts'
import { type RunningLab, startLab } from './running-lab.ts'

const USAGE = `usage: npm run lab -- up [part…]      builds what is missing, brings the parts and all below them up, and leaves them running
       npm run lab -- status         what runs, and where it answers
       npm run lab -- down [part…]   ends the parts, or the whole lab
       npm run lab -- build [part…]  only builds
parts: ${PART_NAMES.map((name) => `\n  ${name.padEnd(20)} ${isPart(name) ? partOf(name).what : ''}`).join('')}`

const say = (line: string): void => void process.stdout.write(`${line}\n`)
// Whoever reads only the first lines, as `| head` does, has seen enough.
process.stdout.on('error', () => process.exit(0))

/** Where the lab that `up` leaves running keeps its files; one at a time. */
const folder = join(process.env['XDG_STATE_HOME'] ?? join(homedir(), '.local', 'state'), 'prometheus-alerts-slm', 'lab')
const lockFile = `${folder}.lock`

function chosen(names: readonly string[]): readonly PartName[] {
  const unknown = names.filter((name) => !isPart(name))
  if (unknown.length > 0) throw new Error(`no part is called ${unknown.join(', ')}; there are ${PART_NAMES.join(', ')}`)
  const found = (names.length > 0 ? names : PART_NAMES).filter(isPart)
  return found
}

/** One lab at a time keeps its state in the folder: the lock holds its process id, and one of a process that is gone counts for nothing. */
function lock(): void {
  mkdirSync(join(folder, '..'), { recursive: true })
  try {
    writeFileSync(lockFile, String(process.pid), { flag: 'wx' })
  } catch {
    const holder = Number(readFileSync(lockFile, 'utf8'))
    if (lives(holder)) throw new Error(`a lab is running (process ${holder}): npm run lab -- status`)
    rmSync(lockFile)
    lock()
  }
}

async function up(names: readonly string[]): Promise<void> {
  const parts = chosen(names)
  await build(binariesOf(parts), say)
  if (readState(folder)) throw new Error('a lab is running already: npm run lab -- status')
  mkdirSync(join(folder, '..'), { recursive: true })
  const log = `${folder}.log`
  const to = openSync(log, 'w')
  const keeper = spawn(process.execPath, [fileURLToPath(import.meta.url), 'keep', ...parts], { detached: true, stdio: ['ignore', to, to] })
  closeSync(to)
  const stop = (): void => void keeper.kill('SIGTERM')
  process.once('SIGINT', stop).once('SIGTERM', stop)
  let shown = 0
  const show = (): string => {
    const text = readFileSync(log, 'utf8')
    process.stdout.write(text.slice(shown))
    shown = text.length
    return text
  }
  const came = async () => {
    const text = show()
    return text.includes(IS_UP) ? 'up' : keeper.exitCode !== null || keeper.signalCode !== null ? 'ended' : undefined
  }
  const found = await staysAlive(until('the lab is up', came, { withinMs: 180_000, everyMs: 100 }))
  show()
  if (found === 'ended') throw new Error('the lab did not come up: see above')
  keeper.unref()
  await status()
}

const IS_UP = 'the lab is up'

/** The process that `up` leaves behind: parent of everything that runs. When it ends, however it ends, all of them do. */
async function keep(names: readonly string[]): Promise<void> {
  const ending = signalled()
  lock()
  let lab: RunningLab | undefined
  try {
    rmSync(folder, { recursive: true, force: true })
    lab = await startLab(chosen(names), folder, say)
    say(IS_UP)
    // `down` of single parts ends their processes; what is left is written down, and nothing is left without any.
    const over = until('the lab is taken down', () => (lab && writeEnded(lab)) === 0, { withinMs: Number.POSITIVE_INFINITY, everyMs: 500 })
    await staysAlive(Promise.race([ending, over]))
  } finally {
    await lab?.stop()
    rmSync(lockFile, { force: true })
    rmSync(join(folder, 'state.json'), { force: true })
  }
  process.exit(0)
}

function writeEnded(lab: RunningLab): number {
  const state = lab.state()
  writeState(state)
  return state.parts.flatMap(({ processes }) => processes).length
}

async function status(): Promise<void> {
  const state = readState(folder)
  if (!state) return say('no lab is running: npm run lab -- up')
  for (const { name, state: is, processes } of state.parts) say(`${name.padEnd(20)} ${is.padEnd(9)} ${processes.map((one) => `${one.name}=${one.pid}`).join(' ')}`)
  const { adminToken: _, ...shown } = state.addresses
  for (const [name, address] of Object.entries(shown)) say(`${name.padEnd(20)} ${address}`)
  say(`logs                 ${join(state.folder, 'logs')}`)
  if (shown.kubeconfig) say(`\nexport KUBECONFIG=${shown.kubeconfig} PATH=${join(shown.kubectl ?? '', '..')}:$PATH`)
}

async function down(names: readonly string[]): Promise<void> {
  const state = readState(folder)
  if (!state) return say('no lab is running')
  // Who talks to another ends before it; who does not end is killed.
  const pids = names.length === 0 ? [state.pid] : processesOf(state, chosen(names)).toReversed()
  for (const pid of pids) await staysAlive(end(pid, names.length === 0 ? 60_000 : 5_000))
  say(names.length === 0 ? 'the lab is down' : `${names.join(', ')} ended`)
}

async function end(pid: number, patienceMs: number): Promise<void> {
  const gone = () => !lives(pid)
  if (gone()) return
  process.kill(pid, 'SIGTERM')
  await until('it ends', gone, { withinMs: patienceMs, everyMs: 100 }).catch(() => process.kill(pid, 'SIGKILL'))
  await until('it is gone', gone, { withinMs: 5_000, everyMs: 100 })
}

const processesOf = (state: LabState, names: readonly PartName[]): readonly number[] =>
  state.parts.filter(({ name }) => isPart(name) && names.includes(name)).flatMap(({ processes }) => processes.map(({ pid }) => pid))

const COMMANDS: Readonly<Record<string, (names: readonly string[]) => Promise<void>>> = {
  up,
  keep,
  status,
  down,
  build: (names) => build(binariesOf(chosen(names)), say),
}
const [command = '', ...names] = process.argv.slice(2)
const run = COMMANDS[command]
if (!run) {
  say(USAGE)
  process.exit(command === '' ? 0 : 2)
}
try {
  await run(names)
} catch (error) {
  process.stderr.write(`lab: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exit(1)
}
