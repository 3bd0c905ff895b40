// Builds what the lab's Go modules pin and the cache does not hold yet. A build that was cut short leaves nothing that looks whole.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, cpSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import * as z from 'zod'
import { realPorts, staysAlive } from '../../src/ports.ts'
import { type Binary, type Built, cacheFolder, LAB, NATIVE, type Obtained, type Packaged, unbuilt, uninstalled, versionOf } from './binaries.ts'

export type Report = (line: string) => void

const GO = { major: 1, minor: 26 }
const NO_GO = `Go ${GO.major}.${GO.minor} or newer is not installed: see https://go.dev/doc/install`

/** Everything that these programs need is here afterwards, or it throws a sentence that says what is missing. */
export async function build(binaries: readonly Binary[], report: Report): Promise<void> {
  const missing = [...uninstalled(binaries)]
  const todo = unbuilt(binaries)
  if (todo.some(([, { from }]) => from === 'go') && !(await goFits())) missing.push(NO_GO)
  if (missing.length > 0) throw new Error(missing.join('\n'))
  for (const [place, [binary, built]] of todo.entries()) {
    report(`${built.from === 'go' ? 'building' : 'fetching'} ${binary} ${versionOf(built)} (${place + 1} of ${todo.length}) …`)
    const began = realPorts.clock.elapsed()
    await buildOne(binary, built, report)
    report(`${built.from === 'go' ? 'built' : 'fetched'} ${binary} in ${seconds(began)} s`)
  }
}

const seconds = (began: number): number => Math.round((realPorts.clock.elapsed() - began) / 1000)

async function goFits(): Promise<boolean> {
  const version = await output('go', ['env', 'GOVERSION'], LAB).catch(() => '')
  const [, major = 0, minor = 0] = /^go(\d+)\.(\d+)/.exec(version)?.map(Number) ?? []
  // From 1.21 on, Go fetches the toolchain that the .mod file asks for.
  return major > GO.major || (major === GO.major && minor >= 21)
}

async function buildOne(binary: Binary, built: Obtained, report: Report): Promise<void> {
  const folder = cacheFolder(built)
  mkdirSync(folder, { recursive: true })
  const work = mkdtempSync(join(folder, `.building-${binary}-`))
  try {
    renameSync(built.from === 'go' ? await compiled(built, work, report) : await fetched(built, work, report), join(folder, binary))
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

async function compiled(built: Built, work: string, report: Report): Promise<string> {
  const program = join(work, 'program')
  const at = built.copyWith ? await copied(built, built.copyWith, work) : LAB
  const modules = built.copyWith ? [] : [`-modfile=${join(LAB, built.modFile)}`]
  const args = ['build', ...modules, '-mod=readonly', '-ldflags', built.ldflags(versionOf(built)), '-o', program, built.package]
  await run('go', args, at, report, { ...(built.headers && { CPATH: await linked(built, built.headers, work) }), ...(built.native && NATIVE) })
  return program
}
async function fetched(packaged: Packaged, work: string, report: Report): Promise<string> {
  for (const [program, ...args] of packaged.get(work)) await run(program, args, work, report)
  return join(work, packaged.file)
}

const DOWNLOADED = z.object({ Dir: z.string() })
const sourcesOf = async ({ modFile }: Built, module: string): Promise<string> =>
  DOWNLOADED.parse(JSON.parse(await output('go', ['mod', 'download', `-modfile=${join(LAB, modFile)}`, '-json', module], LAB))).Dir

/** A folder in which each name leads to the sources of the module that carries the headers. */
async function linked(built: Built, headers: Readonly<Record<string, string>>, work: string): Promise<string> {
  const folder = join(work, 'headers')
  mkdirSync(folder)
  for (const [name, module] of Object.entries(headers)) symlinkSync(await sourcesOf(built, module), join(folder, name))
  return folder
}

async function copied(built: Built, files: Readonly<Record<string, string>>, work: string): Promise<string> {
  const copy = join(work, 'source')
  cpSync(await sourcesOf(built, built.module), copy, { recursive: true })
  await run('chmod', ['-R', 'u+w', copy], work, () => {})
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(copy, file)), { recursive: true })
    writeFileSync(join(copy, file), text)
  }
  chmodSync(copy, 0o755)
  return copy
}

async function output(program: string, args: readonly string[], cwd: string): Promise<string> {
  const child = spawn(program, args, { cwd, stdio: ['ignore', 'pipe', 'inherit'] })
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
  const [code]: unknown[] = await once(child, 'close')
  if (code !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${code}`)
  return text
}

/** Compiling takes minutes: what it says, and that it is still at it, is shown. */
async function run(program: string, args: readonly string[], cwd: string, report: Report, environment: Readonly<Record<string, string>> = {}): Promise<void> {
  const child = spawn('nice', ['-n', '19', program, ...args], { cwd, stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, ...environment } })
  const began = realPorts.clock.elapsed()
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (said += chunk))
  const tick = (): void => {
    report(`  … ${seconds(began)} s`)
    cancel = realPorts.timers.after(30_000, tick)
  }
  let cancel = realPorts.timers.after(30_000, tick)
  try {
    const [code]: unknown[] = await staysAlive(once(child, 'close'))
    if (code !== 0) throw new Error(`${program} ${args[0]} ended with ${code}:\n${said.trim()}`)
  } finally {
    cancel()
  }
}
