// Role of a kubelet that resizes containers in place: what runs follows what the pod's spec asks for, where the node has the room.
// https://kubernetes.io/docs/tasks/configure-pod-container/resize-container-resources/
import { parseQuantity } from '../../../src/domain/quantity.ts'
import type { Kinds } from '../../../src/kube/wire.ts'
import { type ContainerStatus, forEach, type Named, named, nowText, patchStatus, type Role, type Stage, sameConditions, statusesOf, withConditions } from './role.ts'

/** On a pod: `infeasible`, `deferred` or `error`, whatever the node has room for. */
export const POD_RESIZE = 'lab.alerts-slm.io/pod-resize'

type Pod = Kinds['Pod']
type Container = NonNullable<Pod['spec']>['containers'][number]
interface Hindrance {
  readonly type: 'PodResizePending' | 'PodResizeInProgress'
  readonly reason: 'Infeasible' | 'Deferred' | 'Error'
  readonly message: string
}
const CONDITIONS = ['PodResizePending', 'PodResizeInProgress']

export const resize =
  (stage: Stage): Role =>
  () =>
    forEach(stage.pods.held(), async (pod) => {
      const object = named(pod)
      if (!object.ending && pod.status?.phase === 'Running' && statusesOf(pod).length > 0) await settle(stage, pod, object)
    })

async function settle(stage: Stage, pod: Pod, object: Named): Promise<void> {
  const statuses = statusesOf(pod)
  const changed = pod.spec?.containers.filter((container) => !runsWith(statusOf(statuses, container), container)) ?? []
  // The first time there is nothing to make room for: the scheduler has done so.
  const resized = changed.filter((container) => statusOf(statuses, container)?.resources !== undefined)
  const hindrance = resized.length > 0 ? hindranceOf(stage, pod, object) : undefined
  const before = pod.status?.conditions ?? []
  const conditions = withConditions(before, CONDITIONS, hindrance ? [{ ...hindrance, status: 'True' }] : [], nowText(stage.transport))
  const taken = hindrance ? [] : changed
  if (taken.length === 0 && sameConditions(before, conditions)) return
  const containerStatuses = statuses.map((status) => {
    const container = taken.find(({ name }) => name === status.name)
    return container ? actuated(status, container, resized.includes(container), nowText(stage.transport)) : status
  })
  await patchStatus(stage.transport, 'pods', object, { conditions, containerStatuses })
}
const statusOf = (statuses: readonly ContainerStatus[], { name }: Container): ContainerStatus | undefined => statuses.find((status) => status.name === name)

/** The condition of a resize that cannot be done, or not now. */
function hindranceOf({ nodes, pods }: Stage, pod: Pod, { annotations }: Named): Hindrance | undefined {
  const mode = annotations[POD_RESIZE]
  if (mode === 'error') return { type: 'PodResizeInProgress', reason: 'Error', message: 'failed to actuate the resize: the runtime refused it' }
  const pending = (reason: 'Infeasible' | 'Deferred', message: string): Hindrance => ({ type: 'PodResizePending', reason, message })
  if (mode === 'infeasible') return pending('Infeasible', "Node didn't have enough capacity")
  if (mode === 'deferred') return pending('Deferred', "Node didn't have enough resource")
  const node = nodes.held()?.find(({ metadata }) => metadata?.name === pod.spec?.nodeName)
  for (const resource of ['cpu', 'memory'] as const) {
    const capacity = parseQuantity(node?.status?.allocatable?.[resource])
    if (capacity === undefined) continue
    const wanted = requestsOf(pod, resource)
    if (wanted > capacity) return pending('Infeasible', `Node didn't have enough capacity: ${resource}, requested: ${wanted}, capacity: ${capacity}`)
    const others = (pods.held() ?? []).filter(
      ({ metadata, spec, status }) => spec?.nodeName === pod.spec?.nodeName && metadata?.uid !== pod.metadata?.uid && !isOver(status?.phase),
    )
    const used = others.reduce((sum, other) => sum + requestsOf(other, resource), 0)
    if (wanted + used > capacity) return pending('Deferred', `Node didn't have enough resource: ${resource}, requested: ${wanted}, used: ${used}, capacity: ${capacity}`)
  }
  return undefined
}
const isOver = (phase: string | undefined): boolean => phase === 'Succeeded' || phase === 'Failed'
const requestsOf = (pod: Pod, resource: 'cpu' | 'memory'): number =>
  (pod.spec?.containers ?? []).reduce((sum, { resources }) => sum + (parseQuantity(resources?.requests?.[resource]) ?? 0), 0)

const RESOURCES = ['cpu', 'memory'] as const
const sameAmounts = (a: Readonly<Record<string, string>> = {}, b: Readonly<Record<string, string>> = {}): boolean =>
  RESOURCES.every((name) => parseQuantity(a[name]) === parseQuantity(b[name]))
const runsWith = (status: ContainerStatus | undefined, { resources }: Container): boolean =>
  status === undefined || (status.resources !== undefined && sameAmounts(status.resources.limits, resources?.limits) && sameAmounts(status.resources.requests, resources?.requests))

function actuated(status: ContainerStatus, container: Container, resized: boolean, at: string): ContainerStatus {
  const { requests, limits } = container.resources ?? {}
  const now = { ...status, resources: { ...(requests && { requests }), ...(limits && { limits }) }, ...(requests && { allocatedResources: requests }) }
  return resized && restarts(status, container) ? restarted(now, at) : now
}

/** A container may ask to be begun anew where this resource changes. */
const restarts = (status: ContainerStatus, container: Container): boolean =>
  (container.resizePolicy ?? []).some(
    ({ resourceName, restartPolicy }) =>
      restartPolicy === 'RestartContainer' &&
      (['limits', 'requests'] as const).some((list) => parseQuantity(status.resources?.[list]?.[resourceName]) !== parseQuantity(container.resources?.[list]?.[resourceName])),
  )
const restarted = (status: ContainerStatus, at: string): ContainerStatus => ({
  ...status,
  restartCount: status.restartCount + 1,
  lastState: { terminated: { exitCode: 0, reason: 'Completed', finishedAt: at, ...(status.state?.running?.startedAt && { startedAt: status.state.running.startedAt }) } },
  state: { running: { startedAt: at } },
})
