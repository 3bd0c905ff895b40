// Memory and start of the sidecar as it is shipped: the bundle with its code cache, beside a practice API server in this process.
import { pause } from '../src/domain/ports.ts'
import { realPorts } from '../src/ports.ts'
import { listen } from '../src/practice/listen.ts'
import { makePractice } from '../src/practice/server.ts'
import { percentile, round } from './figures.ts'
import { push } from './intake.ts'
import { startSidecar } from './sidecar.ts'

const NAMESPACE = 'team-a'
const ALERTS = 100_000
const STARTS = 5

export async function memoryBench() {
  const practice = makePractice({ ports: realPorts })
  practice.load([{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } }])
  const api = await listen(practice.fetch)
  const config = { namespace: NAMESPACE, kubernetes: { server: api.url, token: practice.adminToken, requests_per_second: 1_000, burst: 1_000 } }
  try {
    const starts: { readonly ms: number; readonly rss: number; readonly anonymous: number }[] = []
    for (let turn = 0; turn < STARTS; turn++) {
      const sidecar = await startSidecar(config)
      await pause(realPorts.timers, 300)
      starts.push({ ms: sidecar.startToReadyMs, ...sidecar.memory() })
      await sidecar.stop()
    }
    const sidecar = await startSidecar(config)
    const { bundled } = sidecar
    // Two thousand different alerts, each delivered fifty times: a case for each, and everything after it a repeat.
    const { perSecond } = await push(sidecar.webhook, ALERTS / 10)
    await pause(realPorts.timers, 3_000)
    const after = sidecar.memory()
    await sidecar.stop()
    const median = (values: readonly number[]) => percentile(values, 0.5)
    return {
      rssStartMB: round(median(starts.map(({ rss }) => rss)), 1),
      anonymousStartMB: round(median(starts.map(({ anonymous }) => anonymous)), 1),
      rssAfterLoadMB: round(after.rss, 1),
      anonymousAfterLoadMB: round(after.anonymous, 1),
      startToReadyMs: Math.round(median(starts.map(({ ms }) => ms))),
      wholeSidecarAlertsPerSecond: Math.round(perSecond),
      memoryOfBundle: bundled,
    }
  } finally {
    await api.close()
  }
}
