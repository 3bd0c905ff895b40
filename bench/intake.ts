// Durable intake: alerts a second in groups of ten, each group committed with synchronous=FULL before its 2xx, and the same server
// without a store beside it in the same run.
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, fsyncSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { realPorts } from '../src/ports.ts'
import { percentile, round } from './figures.ts'
import { benchFolder } from './sidecar.ts'

const MEMORY_FILE_SYSTEMS: Readonly<Record<number, string>> = { 16914836: 'tmpfs', 2240043254: 'ramfs' }
const FILE_SYSTEMS: Readonly<Record<number, string>> = { 61267: 'ext4', 1481003842: 'xfs', 2435016766: 'btrfs', 2035054128: 'overlay', ...MEMORY_FILE_SYSTEMS }
const GROUP = 10
const CONNECTIONS = 16

/** Throws on a memory file system, where a sync costs nothing and means nothing. */
function disk(folder: string) {
  const { type } = statfsSync(folder)
  const memory = MEMORY_FILE_SYSTEMS[type]
  if (memory !== undefined) throw new Error(`${folder} lies on ${memory}: durable intake can only be measured on a disk`)
  const file = openSync(join(folder, 'sync'), 'w')
  const block = Buffer.alloc(4_096)
  const taken: number[] = []
  for (let index = 0; index < 200; index++) {
    writeSync(file, block)
    const began = realPorts.clock.elapsed()
    fsyncSync(file)
    taken.push(realPorts.clock.elapsed() - began)
  }
  closeSync(file)
  return { fileSystem: FILE_SYSTEMS[type] ?? `0x${type.toString(16)}`, syncMs: round(percentile(taken, 0.5), 3) }
}

async function server(argument: string): Promise<{ readonly url: string; readonly child: ChildProcess }> {
  const child = spawn(process.execPath, [fileURLToPath(new URL('./door-server.ts', import.meta.url)), argument], { stdio: ['ignore', 'pipe', 'inherit'] })
  const port = await new Promise<string>((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`the door ended with exit code ${code}`)))
    if (child.stdout) createInterface(child.stdout).once('line', resolve)
  })
  return { url: `http://127.0.0.1:${port}/alerts`, child }
}

const body = (group: number): string =>
  JSON.stringify({
    version: '4',
    groupKey: `{}:{alertname="KubePodCrashLooping"}${group}`,
    truncatedAlerts: 0,
    status: 'firing',
    receiver: 'slm',
    groupLabels: { alertname: 'KubePodCrashLooping' },
    commonLabels: {},
    commonAnnotations: {},
    externalURL: 'http://alertmanager:9093',
    alerts: Array.from({ length: GROUP }, (_, index) => ({
      status: 'firing',
      labels: {
        alertname: 'KubePodCrashLooping',
        container: 'app',
        namespace: 'team-a',
        pod: `web-${group}-${index}`,
        severity: 'warning',
        job: 'kube-state-metrics',
        prometheus: 'monitoring/k8s',
      },
      annotations: {
        summary: 'Pod is crash looping.',
        description: `Pod team-a/web-${group}-${index} is in a waiting state.`,
        runbook_url: 'https://runbooks.prometheus-operator.dev/runbooks/kubernetes/kubepodcrashlooping',
      },
      startsAt: '2026-01-15T12:00:00Z',
      endsAt: '0001-01-01T00:00:00Z',
      generatorURL: 'http://prometheus/graph',
      fingerprint: (group * GROUP + index).toString(16).padStart(16, '0'),
    })),
  })

/** Alerts a second over some connections that each wait for their answer. */
export async function push(url: string, groups: number, token?: string): Promise<{ readonly perSecond: number; readonly p99Ms: number }> {
  const http = realPorts.http()
  const bodies = Array.from({ length: 200 }, (_, index) => body(index))
  const taken: number[] = []
  let next = 0
  const sender = async (): Promise<void> => {
    while (next < groups) {
      const began = realPorts.clock.elapsed()
      const answer = await http({
        method: 'POST',
        url,
        headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
        body: bodies[next++ % bodies.length] ?? '',
      })
      const text = await answer.text()
      if (answer.status !== 200) throw new Error(`the webhook answered ${answer.status}: ${text}`)
      taken.push(realPorts.clock.elapsed() - began)
    }
  }
  const began = realPorts.clock.elapsed()
  await Promise.all(Array.from({ length: CONNECTIONS }, sender))
  return { perSecond: (groups * GROUP) / ((realPorts.clock.elapsed() - began) / 1_000), p99Ms: percentile(taken, 0.99) }
}

export async function intakeBench(quick: boolean) {
  const folder = benchFolder()
  try {
    const about = disk(folder)
    const [stored, storeless] = [await server(join(folder, 'intake.db')), await server('storeless')]
    const groups = quick ? 1_500 : 6_000
    const rates = { stored: [0], storeless: [0] }
    let p99Ms = 0
    await push(stored.url, 500, 'bench')
    await push(storeless.url, 500, 'bench')
    // Rounds take turns, so that a slow second of the machine falls on both.
    for (let turn = 0; turn < 3; turn++) {
      const with_ = await push(stored.url, groups, 'bench')
      rates.stored.push(with_.perSecond)
      p99Ms = Math.max(p99Ms, with_.p99Ms)
      rates.storeless.push((await push(storeless.url, groups, 'bench')).perSecond)
    }
    for (const { child } of [stored, storeless]) child.kill('SIGTERM')
    const median = (values: readonly number[]) => percentile(values.slice(1), 0.5)
    return {
      durableAlertsPerSecond: Math.round(median(rates.stored)),
      storelessAlertsPerSecond: Math.round(median(rates.storeless)),
      storelessRatio: round(median(rates.storeless) / median(rates.stored), 2),
      durableAnswerP99Ms: round(p99Ms, 1),
      ...about,
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
