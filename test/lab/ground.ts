// What every part of the lab stands on: a folder of its own, free ports, and processes that end when we do, however we end.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { realPorts } from '../../src/ports.ts'
import { until } from '../waiting.ts'
import type { Addresses } from './addresses.ts'
import { pathOf } from './binaries.ts'

export interface Program {
  /** Names the process and its log. */
  readonly name: string
  readonly program: string
  readonly args: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  /** Looked at again and again until it holds; a program that ends before fails the start. */
  readonly ready: () => Promise<boolean>
}

export interface Ground {
  /** What the parts before have told. */
  readonly addresses: Addresses
  /** A path in the lab's folder. */
  file(...names: string[]): string
  port(): Promise<number>
  run(program: Program): Promise<void>
}

export interface Processes {
  readonly run: (program: Program) => Promise<void>
  readonly running: () => readonly { readonly name: string; readonly pid: number }[]
  /** As a crash would: the signal, and nothing else. Resolves when it is gone. */
  readonly kill: (name: string, signal: NodeJS.Signals) => Promise<void>
  /** The same program with the same arguments; resolves when it is ready. */
  readonly start: (name: string) => Promise<void>
  readonly endAll: () => Promise<void>
}

interface Life {
  readonly program: Program
  readonly child: ChildProcess
  readonly pid: number
  readonly gone: Promise<unknown>
}

const GRACE_MS = 5_000
const READY_MS = 90_000

export function makeProcesses(folder: string): Processes {
  const lives = new Map<string, Life>()
  const logs = join(folder, 'logs')
  mkdirSync(logs, { recursive: true })
  const runs = ({ child }: Life): boolean => child.exitCode === null && child.signalCode === null

  const run = async (program: Program): Promise<void> => {
    const log = join(logs, `${program.name}.log`)
    const life = begin(program, log, folder)
    lives.set(program.name, life)
    const said = () => readFileSync(log, 'utf8').split('\n').slice(-15).join('\n')
    const found = await until(`${program.name} answers`, async () => (runs(life) ? await program.ready().catch(() => false) : 'ended'), {
      withinMs: READY_MS,
      everyMs: 100,
      explain: said,
    })
    if (found === 'ended') throw new Error(`${program.name} ended before it was ready:\n${said()}\n(all of it: ${log})`)
  }
  const end = async (life: Life, signal: NodeJS.Signals): Promise<void> => {
    if (!runs(life)) return
    life.child.kill(signal)
    const cancel = realPorts.timers.after(GRACE_MS, () => life.child.kill('SIGKILL'))
    await life.gone
    cancel()
  }
  const known = (name: string): Life => {
    const life = lives.get(name)
    if (!life) throw new Error(`no program of the lab is called ${name}; there are ${[...lives.keys()].join(', ')}`)
    return life
  }
  return {
    run,
    running: () => [...lives.values()].filter(runs).map(({ program, pid }) => ({ name: program.name, pid })),
    kill: (name, signal) => end(known(name), signal),
    start: (name) => run(known(name).program),
    /** The last that began ends first, so that nobody loses what it talks to. */
    async endAll() {
      for (const life of [...lives.values()].reverse()) await end(life, 'SIGTERM')
    },
  }
}

/** The kernel sends SIGKILL to it when this process dies, whatever kills it: no lab is left behind. */
function begin(program: Program, log: string, cwd: string): Life {
  const to = openSync(log, 'a')
  try {
    const child = spawn(pathOf('setpriv'), ['--pdeathsig', 'KILL', '--', program.program, ...program.args], {
      cwd,
      stdio: ['ignore', to, to],
      env: { PATH: process.env['PATH'], HOME: cwd, ...program.environment },
    })
    if (child.pid === undefined) throw new Error(`${program.program} could not be started`)
    return { program, child, pid: child.pid, gone: once(child, 'exit') }
  } finally {
    closeSync(to)
  }
}

const given = new Set<number>()

/** A port of loopback that is free now, and that nobody here was given before. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('no port of loopback is free')
  if (given.has(address.port)) return freePort()
  given.add(address.port)
  return address.port
}

const http = realPorts.http({ skipVerify: true })
/** True once the address answers with 200. For health only: it trusts whatever certificate. */
export const answers = async (url: string): Promise<boolean> => (await http({ method: 'GET', url })).status === 200
