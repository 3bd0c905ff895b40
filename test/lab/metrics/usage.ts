// What the lab's pods use, for no container of theirs runs: told by annotations of the pod template, as the practice world's Behaviour tells it.
import { isRecord } from '../../../src/kube/getter.ts'
import type { Kinds, PodMetrics } from '../../../src/kube/wire.ts'
import { FATE } from '../parts/stages.ts'

export const USAGE = { cpu: 'lab.alerts-slm.io/usage-cpu', memory: 'lab.alerts-slm.io/usage-memory' } as const

const WINDOW = '15s'

/** undefined: nothing is measured, as of a pod that does not run or that says nothing. Containers that it says nothing of are idle. */
export function metricsOf(pod: Kinds['Pod'], now: number): PodMetrics | undefined {
  const { name, namespace, labels, annotations = {} } = pod.metadata ?? {}
  const [cpu, memory] = [annotations[USAGE.cpu], annotations[USAGE.memory]]
  if (pod.status?.phase !== 'Running' || name === undefined || namespace === undefined || (cpu === undefined && memory === undefined)) return undefined
  const containers = pod.spec?.containers ?? []
  const busy = annotations[FATE.container] ?? containers[0]?.name
  return {
    metadata: { name, namespace, ...(isRecord(labels) && { labels }) },
    timestamp: new Date(now).toISOString(),
    window: WINDOW,
    containers: containers.map((container) => ({
      name: container.name,
      usage: container.name === busy ? { cpu: cpu ?? '0', memory: memory ?? '0' } : { cpu: '0', memory: '0' },
    })),
  }
}
