// From the webhook to the first write at the API server: the sidecar is a process of its own, the practice API server listens here on
// loopback, and every alert is about another Deployment whose newest revision crashes, so each ends in one rollback.
import { pause } from '../src/domain/ports.ts'
import { LEDGER_NAME } from '../src/kube/ledger.ts'
import { realPorts } from '../src/ports.ts'
import { startControllers } from '../src/practice/controllers.ts'
import { listen } from '../src/practice/listen.ts'
import { makePractice } from '../src/practice/server.ts'
import { percentile, round } from './figures.ts'
import { startSidecar } from './sidecar.ts'

const NAMESPACE = 'bench'
const labels = (name: string) => ({ app: name })
const deployment = (name: string, revision: number) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name, namespace: NAMESPACE, labels: labels(name) },
  spec: {
    replicas: 2,
    selector: { matchLabels: labels(name) },
    template: {
      metadata: { labels: labels(name) },
      spec: { containers: [{ name: 'app', image: `registry.example/${name}:${revision}`, resources: { requests: { cpu: '1m', memory: '1Mi' }, limits: { memory: '64Mi' } } }] },
    },
  },
})
const crashes = {
  apiVersion: 'practice.alerts-slm.io/v1',
  kind: 'Behaviour',
  metadata: { name: 'revision-2-crashes', namespace: NAMESPACE },
  spec: { match: { image: '*:2' }, then: { fail: 'crash', logs: 'panic: nil' } },
}
const PACE = { scheduleMs: 2, startMs: 5, readyMs: 5, crashMs: 5, backOffMs: 10, backOffMaxMs: 60_000, stopMs: 5 }

async function until(what: string, holds: () => boolean): Promise<void> {
  const limit = realPorts.clock.elapsed() + 60_000
  while (!holds()) {
    if (realPorts.clock.elapsed() > limit) throw new Error(`not within a minute: ${what}`)
    await pause(realPorts.timers, 20)
  }
}
const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null
const at = (value: unknown, ...path: readonly (string | number)[]): unknown => path.reduce<unknown>((inner, key) => (isRecord(inner) ? inner[key] : undefined), value)

export async function latencyBench(quick: boolean) {
  const count = quick ? 60 : 300
  const names = Array.from({ length: count }, (_, index) => `shop-${index}`)
  const practice = makePractice({ ports: realPorts })
  practice.load([{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } }, crashes, ...names.map((name) => deployment(name, 1))])
  const controllers = startControllers(practice.store, realPorts, { pace: PACE })
  const pods = () => practice.store.list('Pod', NAMESPACE)
  await until('every Deployment available', () => practice.store.list('Deployment', NAMESPACE).every((one) => at(one.status, 'availableReplicas') === 2))
  /** One after the other: workloads that crash in step would flood the watches in waves that no namespace knows. */
  const deployBadly = async (name: string): Promise<string> => {
    practice.store.update({ ...(practice.store.get('Deployment', NAMESPACE, name) ?? deployment(name, 2)), spec: deployment(name, 2).spec })
    let pod: string | undefined
    await until(`${name} in a crash loop`, () => {
      pod = pods().find((one) => one.metadata.labels?.['app'] === name && Number(at(one.status, 'containerStatuses', 0, 'restartCount') ?? 0) >= 3)?.metadata.name
      return pod !== undefined
    })
    return pod ?? ''
  }
  const crashing = new Map<string, string>()
  for (const name of names) crashing.set(name, await deployBadly(name))

  let onWrite: (name: string) => void = () => {}
  const api = await listen(async (request) => {
    const { pathname, search } = new URL(request.url)
    const name = /\/deployments\/([^/]+)$/.exec(pathname)?.[1]
    if (request.method === 'PATCH' && name && !search.includes('dryRun')) onWrite(name)
    return practice.fetch(request)
  })
  const sidecar = await startSidecar({
    namespace: NAMESPACE,
    kubernetes: { server: api.url, token: practice.adminToken, requests_per_second: 100_000, burst: 100_000 },
    settle: { time: '1ms', check_every: '10ms' },
    actions: { mode: 'enforce', max_concurrent: 100_000, budget: { per_target: 100, per_rule: 100_000, per_namespace: 100_000 } },
  })
  const http = realPorts.http()
  const send = async (alert: object): Promise<void> => {
    const body = JSON.stringify({
      version: '4',
      groupKey: 'bench',
      status: 'firing',
      receiver: 'slm',
      groupLabels: {},
      commonLabels: {},
      commonAnnotations: {},
      externalURL: '',
      alerts: [alert],
    })
    const answer = await http({ method: 'POST', url: sidecar.webhook, headers: { 'content-type': 'application/json' }, body })
    const text = await answer.text()
    if (answer.status !== 200) throw new Error(`the webhook answered ${answer.status}: ${text}`)
  }
  const taken: number[] = []
  const requestsBefore = practice.requests.length
  try {
    for (const name of names) {
      const written = new Promise<number>((resolve, reject) => {
        const cancel = realPorts.timers.after(10_000, () => reject(new Error(`no write for ${name} within 10 s`)))
        onWrite = (written_) => {
          if (written_ !== name) return
          cancel()
          resolve(realPorts.clock.elapsed())
        }
      })
      const alert = alertAbout(name, crashing.get(name) ?? '')
      const began = realPorts.clock.elapsed()
      await send(alert)
      taken.push((await written) - began)
      // As in earnest: the workload gets well, the alert ends and the case closes, before the next one begins.
      await until(`${name} well`, () => at(practice.store.get('Deployment', NAMESPACE, name)?.status, 'availableReplicas') === 2)
      await send({ ...alert, status: 'resolved', endsAt: new Date(realPorts.clock.now()).toISOString() })
      await until(`the case of ${name} closed`, () => allClosed(practice.store.get('ConfigMap', NAMESPACE, LEDGER_NAME)))
    }
    // The first few meet code that no alert has compiled yet; they are counted all the same.
    return {
      webhookToWriteP50Ms: round(percentile(taken, 0.5), 2),
      webhookToWriteP99Ms: round(percentile(taken, 0.99), 2),
      webhookToWriteFirstMs: round(taken[0] ?? Number.NaN, 2),
      requestsPerRepair: round((practice.requests.length - requestsBefore) / count, 1),
      latencyOfBundle: sidecar.bundled,
    }
  } finally {
    await sidecar.stop()
    await api.close()
    controllers.stop()
  }
}

const alertAbout = (name: string, pod: string) => ({
  status: 'firing',
  labels: { alertname: 'KubePodCrashLooping', namespace: NAMESPACE, pod, container: 'app', severity: 'warning' },
  annotations: {},
  startsAt: new Date(realPorts.clock.now()).toISOString(),
  endsAt: '0001-01-01T00:00:00Z',
  generatorURL: '',
  fingerprint: Buffer.from(name).toString('hex').padStart(16, '0').slice(-16),
})

/** Nothing that was begun is still open. */
const allClosed = (ledger: unknown): boolean => {
  const data = at(ledger, 'data')
  const entries = isRecord(data) ? Object.values(data).filter((text) => typeof text === 'string') : []
  return entries.every((text) => isRecord(JSON.parse(text)) && 'outcome' in JSON.parse(text))
}
