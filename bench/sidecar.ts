// The sidecar as a process of its own, for benches: the bundle when it was built, else the sources.
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { FLAGS } from '../sidecar/flags.mjs'
import { pause } from '../src/domain/ports.ts'
import { realPorts } from '../src/ports.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const BUNDLE = join(root, 'dist/sidecar/load.cjs')

export interface BenchSidecar {
  readonly webhook: string
  readonly operations: string
  readonly bundled: boolean
  readonly startToReadyMs: number
  /** Resident and anonymous memory, MiB. */
  memory(): { readonly rss: number; readonly anonymous: number }
  stop(): Promise<void>
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  return typeof address === 'object' && address ? address.port : 0
}

/** A folder on a real disk: results of a memory file system would say nothing. */
export const benchFolder = (): string => mkdtempSync(join(root, '.cache-bench-'))

export async function startSidecar(config: Record<string, unknown>, useBundle = true): Promise<BenchSidecar> {
  const folder = benchFolder()
  const [webhook, operations] = [await freePort(), await freePort()]
  const file = join(folder, 'config.yaml')
  writeFileSync(
    file,
    JSON.stringify({
      ...config,
      webhook: { host: '127.0.0.1', port: webhook, rate: { per_second: 1_000_000, burst: 1_000_000 }, max_queued: 1_000_000 },
      operations: { host: '127.0.0.1', port: operations },
      store: { path: join(folder, 'history.db'), max_bytes: '2Gi' },
      logging: { level: 'error' },
    }),
  )
  const bundled = useBundle && existsSync(BUNDLE)
  const args = bundled ? [BUNDLE] : [join(root, 'sidecar/main.ts')]
  const began = realPorts.clock.elapsed()
  const child: ChildProcess = spawn(process.execPath, [...FLAGS, ...args], {
    env: { PATH: process.env['PATH'] ?? '', ALERTS_SLM_CONFIG: file, MALLOC_ARENA_MAX: '1' },
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  const http = realPorts.http()
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const ready = async (): Promise<boolean> => {
    try {
      const answer = await http({ method: 'GET', url: `http://127.0.0.1:${operations}/ready` })
      await answer.text()
      return answer.status === 200
    } catch {
      return false
    }
  }
  while (!(await ready())) {
    if (child.exitCode !== null) throw new Error(`the sidecar ended with exit code ${child.exitCode}`)
    if (realPorts.clock.elapsed() - began > 20_000) throw new Error('the sidecar was not ready within 20 s')
    await pause(realPorts.timers, 5)
  }
  return {
    webhook: `http://127.0.0.1:${webhook}/alerts`,
    operations: `http://127.0.0.1:${operations}`,
    bundled,
    startToReadyMs: realPorts.clock.elapsed() - began,
    memory() {
      const status = readFileSync(`/proc/${child.pid}/status`, 'utf8')
      const kib = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? Number.NaN)
      return { rss: kib('VmRSS') / 1024, anonymous: kib('RssAnon') / 1024 }
    },
    async stop() {
      child.kill('SIGTERM')
      await ended
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
