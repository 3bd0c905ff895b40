// Real processes for tests: ended with the test, and ended too when the test runner dies before it can end them.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { onTestFinished } from 'vitest'
import { until } from './waiting.ts'

export interface Started {
  readonly pid: number
  /** Everything that it has written so far. */
  readonly output: () => string
  readonly running: () => boolean
  /** Resolves when it is gone. */
  readonly end: (signal: NodeJS.Signals) => Promise<void>
  /** The first match in its output; fails when the program ends without one. */
  readonly says: (pattern: RegExp) => Promise<RegExpExecArray>
}
/** Registers what is to be done when the test is over; tests that run side by side give the one of their own context. */
export type Ends = (undo: () => void | Promise<void>) => void
export interface StartOptions {
  /** All that it gets besides PATH. */
  readonly environment?: Readonly<Record<string, string>>
  readonly ends?: Ends
}

/** A shell that outlives a killed test runner: when its input ends, whatever it still guards is killed. */
const WARDEN = `
while read -r does pid; do
  case $does in
    guard) pids="$pids $pid" ;;
    release) rest=; for one in $pids; do [ "$one" = "$pid" ] || rest="$rest $one"; done; pids=$rest ;;
  esac
done
[ -z "$pids" ] || kill -9 $pids`
let warden: ChildProcess | undefined
function tellWarden(line: string): void {
  warden ??= spawn('sh', ['-c', WARDEN], { stdio: ['pipe', 'ignore', 'ignore'], detached: true })
  warden.stdin?.write(`${line}\n`)
}
/** A process that is no child of ours, such as one that a tracer started: killed with the test. */
export function guard(pid: number, ends: Ends = onTestFinished): void {
  tellWarden(`guard ${pid}`)
  ends(() => {
    tellWarden(`release ${pid}`)
    if (lives(pid)) process.kill(pid, 'SIGKILL')
  })
}
function lives(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

export function start(program: string, args: readonly string[], { environment = {}, ends = onTestFinished }: StartOptions = {}): Started {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { PATH: process.env['PATH'], ...environment } })
  const { pid } = child
  if (pid === undefined) throw new Error(`${program} could not be started`)
  tellWarden(`guard ${pid}`)
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (output += text))
  const running = () => child.exitCode === null && child.signalCode === null
  const exited = once(child, 'close').then(() => tellWarden(`release ${pid}`))
  const started: Started = {
    pid,
    output: () => output,
    running,
    async end(signal) {
      if (running()) child.kill(signal)
      await exited
    },
    async says(pattern) {
      const found = await until(`${program} says ${pattern}`, () => pattern.exec(output) ?? (running() ? undefined : 'ended'), { explain: () => output })
      if (found === 'ended') throw new Error(`${program} ended before it said ${pattern}:\n${output}`)
      return found
    },
  }
  ends(() => started.end('SIGKILL'))
  return started
}
