// Gives each pod a node that has room for what it requests, or says why there is none.
import { parseQuantity } from '../../domain/quantity.ts'
import { revisionOf } from '../behaviour.ts'
import { type Condition, get, type Live, list, namespaceOf, setStatus, stamp, withCondition } from './cluster.ts'
import type { Controller, Ground, Key } from './ground.ts'
import { isOver, type Pod } from './pods.ts'

type Node = Live<'Node'>
const RESOURCES = ['cpu', 'memory'] as const
type Resource = (typeof RESOURCES)[number]

const requests = (pod: Pod, resource: Resource): number =>
  (pod.spec?.containers ?? []).reduce((sum, { resources }) => sum + (parseQuantity(resources?.requests?.[resource] ?? resources?.limits?.[resource]) ?? 0), 0)

export function schedulerController(ground: Ground): Controller {
  const { store } = ground
  const began = ground.clock.elapsed()
  const since = new Map<string, number>()
  const pending = (): readonly Key[] =>
    list(store, 'Pod')
      .filter((pod) => !pod.spec?.nodeName)
      .map((pod) => ({ namespace: namespaceOf(pod), name: pod.metadata.name }))
  return {
    concerns({ type, object }) {
      if (object.kind === 'Node' || object.kind === 'Behaviour') return pending()
      if (object.kind !== 'Pod') return []
      // Room may have come free: everything that waits is tried again.
      return type === 'DELETED' ? pending() : [{ namespace: namespaceOf(object), name: object.metadata.name }]
    },
    sync({ namespace, name }) {
      const pod = get(store, 'Pod', namespace, name)
      if (!pod || pod.spec?.nodeName || pod.metadata.deletionTimestamp || isOver(pod) || (pod.status?.containerStatuses?.length ?? 0) > 0) return undefined
      const uid = pod.metadata.uid ?? ''
      const first = since.get(uid) ?? ground.clock.elapsed()
      since.set(uid, first)
      const left = first + ground.pace.scheduleMs - ground.clock.elapsed()
      if (left > 0) return { againAfterMs: left }
      const fate = ground.fates.of(pod, { createdAfterMs: first - began, revision: revisionOf(store, pod) })
      const found = fate?.fail === 'unschedulable' ? { why: 'node(s) had untolerated taint {dedicated: batch}' } : findNode(ground, pod)
      if ('node' in found) bind(ground, pod, found.node)
      else refuse(ground, pod, found.why)
      return undefined
    },
  }
}

/** The node with the most memory left; names decide ties, so that the same world is placed the same way. */
function findNode({ store }: Ground, pod: Pod): { readonly node: Node } | { readonly why: string } {
  const wants = Object.entries(pod.spec?.nodeSelector ?? {})
  const nodes = list(store, 'Node')
  const placed = list(store, 'Pod').filter((other) => other.spec?.nodeName && !isOver(other))
  const free = (node: Node, resource: Resource): number =>
    (parseQuantity(node.status?.allocatable?.[resource]) ?? Number.POSITIVE_INFINITY) -
    placed.filter((other) => other.spec?.nodeName === node.metadata.name).reduce((sum, other) => sum + requests(other, resource), 0)
  const reasons = new Map<string, number>()
  const because = (why: string): false => {
    reasons.set(why, (reasons.get(why) ?? 0) + 1)
    return false
  }
  const fitting = nodes.filter((node) => {
    if (node.spec?.unschedulable) return because('node(s) were unschedulable')
    if (!wants.every(([key, value]) => node.metadata.labels?.[key] === value)) return because("node(s) didn't match Pod's node affinity/selector")
    const short = RESOURCES.find((resource) => requests(pod, resource) > free(node, resource))
    return short === undefined || because(`Insufficient ${short}`)
  })
  const best = fitting.sort((a, b) => free(b, 'memory') - free(a, 'memory') || (a.metadata.name < b.metadata.name ? -1 : 1))[0]
  return best ? { node: best } : { why: [...reasons].map(([why, count]) => `${count} ${why}`).join(', ') || 'no nodes available to schedule pods' }
}

function bind(ground: Ground, pod: Pod, node: Node): void {
  const placed: Pod = { ...pod, spec: { containers: [], ...pod.spec, nodeName: node.metadata.name } }
  ground.store.update(placed)
  const message = `Successfully assigned ${namespaceOf(pod)}/${pod.metadata.name} to ${node.metadata.name}`
  ground.record(pod, { type: 'Normal', reason: 'Scheduled', message, component: 'default-scheduler' })
}

function refuse(ground: Ground, pod: Pod, why: string): void {
  const nodes = ground.store.peekAll('Node').length
  const message = `0/${nodes} nodes are available: ${why}.`
  const condition: Condition = { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message }
  const conditions = withCondition<Condition>(pod.status?.conditions, condition, stamp(ground.clock.now()))
  setStatus(ground.store, pod, { ...pod.status, phase: 'Pending', conditions })
  ground.record(pod, { type: 'Warning', reason: 'FailedScheduling', message, component: 'default-scheduler' })
}
