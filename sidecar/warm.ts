// Makes the code cache: the bundle repairs one incident of the practice cluster and stops, so that the cache holds what a start and a
// repair compile. No cluster, no fixed port, nothing left behind.
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pause } from '../src/domain/ports.ts'
import { realPorts, staysAlive } from '../src/ports.ts'
import { readIncidents } from '../src/practice/incidents.ts'
import { listen } from '../src/practice/listen.ts'
import { makePractice } from '../src/practice/server.ts'
import { startWorld, type World } from '../src/practice/world.ts'
import { FLAGS } from './flags.mjs'

const NAMESPACE = 'practice'
const LIMIT_MS = 60_000

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })

/** Resolves when `sidecar.cjs.v8` lies beside the bundle in `out`. */
export const warm = (out: string): Promise<void> => staysAlive(run(out))

async function run(out: string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'alerts-slm-warm-'))
  const practice = makePractice({ ports: realPorts })
  practice.load([{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } }])
  const api = await listen(practice.fetch)
  const [webhook, operations] = [await freePort(), await freePort()]
  const config = {
    namespace: NAMESPACE,
    kubernetes: { server: api.url, token: practice.adminToken, requests_per_second: 500, burst: 500 },
    actions: { mode: 'enforce' },
    settle: { time: '500ms', check_every: '100ms' },
    webhook: { host: '127.0.0.1', port: webhook },
    operations: { host: '127.0.0.1', port: operations },
    store: { path: join(folder, 'history.db') },
    logging: { level: 'error' },
  }
  writeFileSync(join(folder, 'config.yaml'), JSON.stringify(config))
  const env = { PATH: process.env['PATH'] ?? '', ALERTS_SLM_CONFIG: join(folder, 'config.yaml'), ALERTS_SLM_MAKE_CODE_CACHE: '1' }
  const child = spawn(process.execPath, [...FLAGS, join(out, 'load.cjs')], { env, stdio: ['ignore', 'inherit', 'inherit'] })
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve))
  const http = realPorts.http()
  const until = realPorts.clock.elapsed() + LIMIT_MS
  const waitFor = async (what: string, holds: () => boolean | Promise<boolean>): Promise<void> => {
    while (!(await holds())) {
      if (child.exitCode !== null || realPorts.clock.elapsed() > until) throw new Error(`the bundle did not get as far as this: ${what} (exit code ${child.exitCode})`)
      await pause(realPorts.timers, 50)
    }
  }
  const ready = async (): Promise<boolean> => {
    try {
      const answer = await http({ method: 'GET', url: `http://127.0.0.1:${operations}/ready` })
      await answer.text()
      return answer.status === 200
    } catch {
      return false
    }
  }
  const repaired = () => practice.requests.some(({ method, path, dryRun }) => method === 'PATCH' && path.includes('/deployments/') && !dryRun)
  let world: World | undefined
  try {
    await waitFor('ready', ready)
    world = startWorld({ practice, ports: realPorts, incidents: await readIncidents(['checkout']), namespace: NAMESPACE, webhook: { url: `http://127.0.0.1:${webhook}/alerts` } })
    await waitFor('a repaired incident', repaired)
    for (const path of ['health', 'ready', 'metrics']) await (await http({ method: 'GET', url: `http://127.0.0.1:${operations}/${path}` })).text()
    await pause(realPorts.timers, 2_000)
    child.kill('SIGTERM')
    const code = await ended
    if (code !== 0) throw new Error(`the bundle ended with exit code ${code}`)
  } finally {
    child.kill('SIGKILL')
    world?.stop()
    await api.close()
    rmSync(folder, { recursive: true, force: true })
  }
}
