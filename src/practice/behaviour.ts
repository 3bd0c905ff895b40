// The Behaviour manifest: how pods of the practice world fail, written beside the manifests of the workloads. The first that matches decides.
import picomatch from 'picomatch'
import * as z from 'zod'
import { parseQuantity } from '../domain/quantity.ts'
import { byAge, list } from './controllers/cluster.ts'
import type { Pod } from './controllers/pods.ts'
import type { Store } from './store.ts'

const quantity = z.string().refine((text) => parseQuantity(text) !== undefined, 'must be a quantity such as 512Mi or 250m')
const count = z.int().min(0)

const match = z.strictObject({
  labels: z.record(z.string(), z.string()).exactOptional().describe('labels of the pod, all of them'),
  image: z.string().exactOptional().describe('glob over the image of a container'),
  container: z.string().exactOptional().describe('name of the container; otherwise the first one whose image and environment match'),
  env: z.record(z.string(), z.string()).exactOptional().describe('environment variables with literal values, as globs'),
  memoryLimitBelow: quantity.exactOptional(),
  memoryRequestAbove: quantity.exactOptional(),
  revisionAtLeast: count.exactOptional().describe('revision of the Deployment, StatefulSet or DaemonSet that the pod belongs to'),
  revisionBelow: count.exactOptional(),
  createdBefore: count.exactOptional().describe('milliseconds since the controllers started: only pods that exist by then'),
  podsStuck: count.exactOptional().describe('only the first n pods that ever matched: a pod that replaces one of them is none'),
})

const FAILURES = ['crash', 'oom', 'imageMissing', 'configMissing', 'neverReady', 'unschedulable', 'jobFails', 'hang'] as const

const then = z.strictObject({
  fail: z.enum(FAILURES).exactOptional().describe('absent: the container works'),
  exitCode: z.int().min(0).max(255).exactOptional(),
  afterSeconds: z.number().min(0).exactOptional().describe('seconds from the start of the container, or of its readiness, until it fails'),
  forSeconds: z.number().min(0).exactOptional().describe('seconds after which a container that never gets ready, or hangs, does work'),
  logs: z.string().exactOptional(),
  previousLogs: z.string().exactOptional(),
  usage: z.strictObject({ cpu: quantity.exactOptional(), memory: quantity.exactOptional() }).exactOptional(),
  throttled: z.number().min(0).max(1).exactOptional().describe('share of CPU periods in which the container is throttled'),
})

const behaviourSchema = z.object({
  apiVersion: z.literal('practice.alerts-slm.io/v1'),
  kind: z.literal('Behaviour'),
  metadata: z.looseObject({ name: z.string(), namespace: z.string().exactOptional(), uid: z.string().exactOptional() }),
  spec: z.strictObject({ match, then: then.default({}) }),
})
export type Behaviour = z.output<typeof behaviourSchema>
export type Fate = z.output<typeof then> & { /** The container that it is about. */ readonly container: string }

type Container = NonNullable<Pod['spec']>['containers'][number]

/** What only the running world knows of a pod. */
interface PodPast {
  /** Milliseconds from the start of the controllers to the pod's creation. */
  readonly createdAfterMs: number
  readonly revision: number | undefined
}

const globs = (pattern: string, text: string | undefined): boolean => text !== undefined && picomatch.isMatch(text, pattern, { bash: true })
const below = (text: string | undefined, limit: string): boolean => (parseQuantity(text) ?? Number.POSITIVE_INFINITY) < (parseQuantity(limit) ?? 0)
const above = (text: string | undefined, limit: string): boolean => (parseQuantity(text) ?? 0) > (parseQuantity(limit) ?? 0)

function containerFits({ match: m }: Behaviour['spec'], container: Container): boolean {
  if (m.container !== undefined && m.container !== container.name) return false
  if (m.image !== undefined && !globs(m.image, container.image)) return false
  if (m.memoryLimitBelow !== undefined && !below(container.resources?.limits?.['memory'], m.memoryLimitBelow)) return false
  if (m.memoryRequestAbove !== undefined && !above(container.resources?.requests?.['memory'], m.memoryRequestAbove)) return false
  return Object.entries(m.env ?? {}).every(([name, value]) => globs(value, container.env?.find((variable) => variable.name === name)?.value))
}

function podFits({ match: m }: Behaviour['spec'], pod: Pod, past: PodPast): boolean {
  if (!Object.entries(m.labels ?? {}).every(([key, value]) => pod.metadata.labels?.[key] === value)) return false
  if (m.revisionAtLeast !== undefined && (past.revision ?? 0) < m.revisionAtLeast) return false
  if (m.revisionBelow !== undefined && (past.revision ?? Number.POSITIVE_INFINITY) >= m.revisionBelow) return false
  return m.createdBefore === undefined || past.createdAfterMs < m.createdBefore
}

export interface Fates {
  /** What becomes of this pod now; undefined: it works. */
  of(pod: Pod, past: PodPast): Fate | undefined
}

/** Reads the Behaviours of the pod's namespace each time, so that adding, changing or deleting one takes effect at the next start of a container. */
export function makeFates(store: Store, always: readonly Behaviour[] = []): Fates {
  const seats = new Map<string, Set<string>>()
  /** The first n pods take a seat and keep it for life. */
  const seated = (behaviour: Behaviour, uid: string, places: number): boolean => {
    const key = `${behaviour.metadata.namespace ?? ''}/${behaviour.metadata.name}`
    const taken = seats.get(key) ?? new Set()
    seats.set(key, taken)
    if (!taken.has(uid) && taken.size < places) taken.add(uid)
    return taken.has(uid)
  }
  return {
    of(pod, past) {
      for (const behaviour of [...behavioursIn(store, pod.metadata.namespace ?? ''), ...always]) {
        const { spec } = behaviour
        const container = pod.spec?.containers.find((one) => containerFits(spec, one))
        if (!container || !podFits(spec, pod, past)) continue
        if (spec.match.podsStuck !== undefined && !seated(behaviour, pod.metadata.uid ?? '', spec.match.podsStuck)) continue
        return { ...spec.then, container: container.name }
      }
      return undefined
    },
  }
}

/** Manifests that do not fit the schema count for nothing here: `checkBehaviour` tells their author when they are loaded. */
const behavioursIn = (store: Store, namespace: string): Behaviour[] =>
  [...store.peekAll('Behaviour', namespace)].sort(byAge).flatMap((object) => {
    const parsed = behaviourSchema.safeParse(object)
    return parsed.success ? [parsed.data] : []
  })

/** undefined when it is a Behaviour; otherwise what is wrong with it. */
export function checkBehaviour(manifest: unknown): string | undefined {
  const parsed = behaviourSchema.safeParse(manifest)
  return parsed.success ? undefined : z.prettifyError(parsed.error)
}

/** Of the ReplicaSet's annotation, or of the ControllerRevision that the pod's label names. */
export function revisionOf(store: Store, pod: Pod): number | undefined {
  const owner = pod.metadata.ownerReferences?.find(({ controller }) => controller)
  const namespace = pod.metadata.namespace ?? ''
  if (owner?.kind === 'ReplicaSet') {
    const revision = store.peek('ReplicaSet', namespace, owner.name)?.metadata.annotations?.['deployment.kubernetes.io/revision']
    return revision === undefined ? undefined : Number(revision)
  }
  const hash = pod.metadata.labels?.['controller-revision-hash']
  return hash === undefined
    ? undefined
    : list(store, 'ControllerRevision', namespace).find((r) => r.metadata.name.endsWith(hash) && r.metadata.ownerReferences?.some((o) => o.uid === owner?.uid))?.revision
}
