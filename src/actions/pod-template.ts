// Arithmetic over a pod template: what one pod requests, what a rolling update stops at once, where a container stands.
import { parseQuantity } from '../domain/quantity.ts'
import type { ObjectRef } from '../domain/target.ts'
import type { Kinds, Reader } from '../kube/wire.ts'

type PodSpec = NonNullable<Kinds['Pod']['spec']>
export type Container = PodSpec['containers'][number]
/** The kinds that replace their pods when the template changes. */
export type Templated = Kinds['Deployment'] | Kinds['StatefulSet'] | Kinds['DaemonSet']
export const TEMPLATED = ['Deployment', 'StatefulSet', 'DaemonSet'] as const

/** The object itself, and undefined when it is gone or another took its name. */
export async function templated(read: Reader, ref: ObjectRef): Promise<Templated | undefined> {
  const kind = TEMPLATED.find((one) => one === ref.kind)
  const found = kind && (await read.get(kind, ref.name))
  return found?.metadata?.uid === ref.uid ? found : undefined
}

/** Why a changed template would reach no pod; undefined when it would. */
export function rolloutHindered(workload: Templated): string | undefined {
  const spec = workload.spec
  if (spec && 'paused' in spec && spec.paused === true) return 'its rollout is paused'
  return spec && 'updateStrategy' in spec && spec.updateStrategy?.type === 'OnDelete' ? 'its updateStrategy is OnDelete: no pod follows the template by itself' : undefined
}

export const replicasOf = (workload: Templated): number =>
  workload.status && 'desiredNumberScheduled' in workload.status
    ? workload.status.desiredNumberScheduled
    : workload.spec && 'replicas' in workload.spec
      ? (workload.spec.replicas ?? 1)
      : 1

export const RESTARTED_AT = 'kubectl.kubernetes.io/restartedAt'

/** Whether a pod has what our changes put into a template: the time of the restart, images and resources. */
export function followsTemplate(pod: Kinds['Pod'], { metadata, spec }: NonNullable<Templated['spec']>['template']): boolean {
  const found = new Map((pod.spec?.containers ?? []).map((container) => [container.name, container]))
  const declared = (container: Container) => Object.entries({ ...container.resources?.limits, ...prefixed(container.resources?.requests) })
  return (
    pod.metadata?.annotations?.[RESTARTED_AT] === metadata?.annotations?.[RESTARTED_AT] &&
    (spec?.containers ?? []).every((wanted) => {
      const has = found.get(wanted.name)
      const given = new Map(has ? declared(has) : [])
      return has?.image === wanted.image && declared(wanted).every(([name, quantity]) => given.get(name) === quantity)
    })
  )
}
const prefixed = (requests: Readonly<Record<string, string>> | undefined) =>
  Object.fromEntries(Object.entries(requests ?? {}).map(([name, quantity]) => [`requests.${name}`, quantity]))

/** A container that starts before the others and stays, a native sidecar, or one of the containers proper. */
const stays = (spec: PodSpec): readonly Container[] => [...spec.containers, ...(spec.initContainers ?? []).filter((one) => one.restartPolicy === 'Always')]

/** A missing request is the limit: the API server fills it in when it makes the pod. */
const requestOf = (container: Container, resource: 'memory' | 'cpu'): number | undefined =>
  parseQuantity(container.resources?.requests?.[resource]) ?? parseQuantity(container.resources?.limits?.[resource])

/** What the scheduler and a quota count for one pod: the larger of what stays and each step of the start. */
export function podRequests(spec: PodSpec | undefined, resource: 'memory' | 'cpu'): number {
  if (!spec) return 0
  const together = stays(spec).reduce((sum, container) => sum + (requestOf(container, resource) ?? 0), 0)
  return Math.max(together, ...(spec.initContainers ?? []).map((container) => requestOf(container, resource) ?? 0))
}

/** The highest memory request or limit of one container; undefined when none has any. */
export function highestMemory(spec: PodSpec | undefined): number | undefined {
  const all = [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])].flatMap(({ resources }) =>
    [resources?.requests?.['memory'], resources?.limits?.['memory']].flatMap((text) => parseQuantity(text) ?? []),
  )
  return all.length > 0 ? Math.max(...all) : undefined
}

/** A count or a percentage of the replicas, as strategies write them. */
function share(value: number | string | undefined, of: number, fallback: number | string, round: (n: number) => number): number {
  const written = value ?? fallback
  return typeof written === 'number' ? written : round((Number.parseFloat(written) / 100) * of)
}

/** Pods that a rollout of this workload may stop at one time. */
export function podsLostByRollout(workload: Templated): number {
  const replicas = replicasOf(workload)
  const spec = workload.spec
  if (spec && 'strategy' in spec) {
    if (spec.strategy?.type === 'Recreate') return replicas
    const surge = share(spec.strategy?.rollingUpdate?.maxSurge, replicas, '25%', Math.ceil)
    const lost = share(spec.strategy?.rollingUpdate?.maxUnavailable, replicas, '25%', Math.floor)
    // The controller does the same: with both at zero nothing could move.
    return Math.min(replicas, surge === 0 && lost === 0 ? 1 : lost)
  }
  const rolling = spec && 'updateStrategy' in spec ? spec.updateStrategy?.rollingUpdate : undefined
  return Math.min(replicas, share(rolling && 'maxUnavailable' in rolling ? rolling.maxUnavailable : undefined, replicas, 1, Math.ceil))
}
