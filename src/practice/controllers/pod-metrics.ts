// PodMetrics (metrics.k8s.io) of pods that run: what their Behaviour says they use, or a modest share of what they request.
import { parseQuantity } from '../../domain/quantity.ts'
import type { Fate } from '../behaviour.ts'
import type { Store, Stored } from '../store.ts'
import { namespaceOf, stamp } from './cluster.ts'
import type { ContainerNow } from './container.ts'
import type { Ground } from './ground.ts'
import type { Pod } from './pods.ts'

/** `container=share` of throttled CPU periods, which only a Prometheus would know. */
export const THROTTLED = 'practice.alerts-slm.io/throttled'

type Container = NonNullable<Pod['spec']>['containers'][number]

const nano = (cores: number): string => `${Math.round(cores * 1e9)}n`
const kibi = (bytes: number): string => `${Math.round(bytes / 1024)}Ki`

function usageOf({ resources }: Container, fate: Fate | undefined): { cpu: string; memory: string } {
  const limit = parseQuantity(resources?.limits?.['memory'])
  // A container that is killed for its memory was seen near its limit.
  const memory =
    fate?.usage?.memory ?? (fate?.fail === 'oom' && limit !== undefined ? kibi(limit * 0.97) : kibi((parseQuantity(resources?.requests?.['memory']) ?? 64 * 2 ** 20) * 0.6))
  return { cpu: fate?.usage?.cpu ?? nano((parseQuantity(resources?.requests?.['cpu']) ?? 0.025) * 0.2), memory }
}

export function measure({ store, clock }: Pick<Ground, 'store' | 'clock'>, pod: Pod, containers: readonly ContainerNow[], fate: Fate | undefined): void {
  const running = new Set(containers.filter(({ state }) => 'running' in state).map(({ name }) => name))
  const measured = (pod.spec?.containers ?? []).filter(({ name }) => running.has(name))
  if (measured.length === 0) {
    store.remove('PodMetrics', namespaceOf(pod), pod.metadata.name)
    return
  }
  const metrics = {
    apiVersion: 'metrics.k8s.io/v1beta1',
    kind: 'PodMetrics',
    metadata: {
      name: pod.metadata.name,
      namespace: namespaceOf(pod),
      labels: pod.metadata.labels ?? {},
      ...(fate?.throttled !== undefined && { annotations: { [THROTTLED]: `${fate.container}=${fate.throttled}` } }),
    },
    timestamp: stamp(clock.now()),
    window: '15s',
    containers: measured.map((container) => ({ name: container.name, usage: usageOf(container, fate?.container === container.name ? fate : undefined) })),
  }
  put(store, metrics)
}

const put = (store: Store, object: Stored): void => {
  const present = store.get(object.kind, namespaceOf(object), object.metadata.name)
  if (present) store.update({ ...object, metadata: { ...present.metadata, ...object.metadata } })
  else store.create(object)
}

/** A metrics server's measurements are never old: what runs is measured again from time to time. */
export function measureAgain({ store, clock }: Pick<Ground, 'store' | 'clock'>): void {
  for (const metrics of store.peekAll('PodMetrics')) {
    const again = { ...metrics, timestamp: stamp(clock.now()) }
    store.update(again)
  }
}
