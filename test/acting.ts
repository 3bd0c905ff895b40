// A living practice cluster for actions: controllers run, and each action reads and writes as a user who has exactly the rights it declares.
import { onTestFinished } from 'vitest'
import type { Action, Look } from '../src/actions/define-action.ts'
import { isRefusal, type Refusal, type Seen } from '../src/actions/define-action.ts'
import { caseId } from '../src/domain/case-file.ts'
import type { Json } from '../src/domain/json.ts'
import type { Plan, Right, Step } from '../src/domain/plan.ts'
import type { ObjectRef, Target } from '../src/domain/target.ts'
import { makeReader } from '../src/kube/reader.ts'
import { makeTransport } from '../src/kube/transport.ts'
import type { AnyObject, Kind, Kinds, Reader } from '../src/kube/wire.ts'
import { makeWriter } from '../src/kube/writer.ts'
import { type Controllers, startControllers } from '../src/practice/controllers.ts'
import { httpOf } from '../src/practice/http.ts'
import { makePractice, type Practice } from '../src/practice/server.ts'
import { type ManualPorts, manualPorts } from './manual-ports.ts'

export const NAMESPACE = 'team-a'
export type Manifest = Readonly<Record<string, unknown>>

interface Actor {
  readonly read: Reader
  readonly look: Look
  propose(target: Target, parameters?: Json): Promise<Plan | Refusal>
  /** The plan; fails the test when it is refused. */
  plan(target: Target, parameters?: Json): Promise<Plan>
  /** The refusal; fails the test when there is none. */
  refusal(target: Target, parameters?: Json): Promise<Refusal>
  send(steps: Plan['undo'] | readonly Step[]): Promise<void>
  see(plan: Plan, target: Target): Promise<Seen>
  /** Looks again until the state is reached, or fails. */
  untilSeen(plan: Plan, target: Target, state: Seen['state']): Promise<Seen>
  /** `group/resource verb` of every request it made, and of every right it declares. */
  used(): readonly string[]
  readonly declared: readonly string[]
}

export interface World {
  readonly ports: ManualPorts
  readonly practice: Practice
  /** As an administrator. */
  readonly read: Reader
  as(action: Action): Actor
  target(kind: Kind, name: string, container?: string): Target
  get<K extends Kind>(kind: K, name: string): Promise<Kinds[K]>
  /** JSON Patch by hand, as a person with kubectl would. */
  patch(kind: Kind, name: string, ...ops: readonly object[]): Promise<void>
  podsOf(app: string): Promise<readonly Kinds['Pod'][]>
  /** Until every Deployment, StatefulSet and DaemonSet serves all its pods. */
  calm(): Promise<void>
}

export const withoutControllers = (...manifests: readonly Manifest[]): World => worldOf(manifests, false)

export async function living(...manifests: readonly Manifest[]): Promise<World> {
  const world = worldOf(manifests, true)
  await world.ports.advance(2_000)
  return world
}

function worldOf(manifests: readonly Manifest[], alive: boolean): World {
  const ports = manualPorts()
  const practice = makePractice({ ports })
  practice.load([{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } }, ...manifests])
  if (alive) {
    const writeLog = ({ pod, container, previous }: { pod: string; container: string; previous: boolean }, text: string) => practice.logs.set(pod, container, previous, text)
    const controllers: Controllers = startControllers(practice.store, ports, { writeLog })
    onTestFinished(() => controllers.stop())
  }
  const transportOf = (token: string) =>
    makeTransport({ ...ports, http: httpOf(practice.fetch), server: 'http://practice', headers: async () => ({ authorization: `Bearer ${token}` }), burst: 100_000 })
  const admin = transportOf(practice.adminToken)
  const read = makeReader(admin, NAMESPACE)
  const refOf = (kind: string, name: string): ObjectRef => {
    const found: AnyObject | undefined = practice.store.list(kind, NAMESPACE).find((object) => object.metadata.name === name)
    return { apiVersion: found?.apiVersion ?? 'v1', kind, namespace: NAMESPACE, name, uid: found?.metadata?.uid ?? 'gone' }
  }
  const ownersOf = (ref: ObjectRef): readonly ObjectRef[] => {
    const found = practice.store.list(ref.kind, NAMESPACE).find((object) => object.metadata.name === ref.name)
    const owner = found?.metadata.ownerReferences?.find((one) => one.controller)
    return owner ? [ref, ...ownersOf({ apiVersion: owner.apiVersion, kind: owner.kind, namespace: NAMESPACE, name: owner.name, uid: owner.uid })] : [ref]
  }
  return {
    ports,
    practice,
    read,
    as: (action) => actor(action, { ports, practice, transport: transportOf(enrol(practice, action)) }),
    target(kind, name, container) {
      const chain = ownersOf(refOf(kind, name))
      const [object = refOf(kind, name)] = chain
      return { object, owner: chain.at(-1) ?? object, chain, container }
    },
    async get(kind, name) {
      const found = await read.get(kind, name)
      if (!found) throw new Error(`${kind} ${name} is not there`)
      return found
    },
    async patch(kind, name, ...ops) {
      const writer = makeWriter(admin, { fieldManager: 'kubectl' })
      await writer.send({ kind: 'patch', object: refOf(kind, name), ops: JSON.parse(JSON.stringify(ops)), why: 'by hand' }, 'by hand', 0)
    },
    podsOf: async (app) => (await read.list('Pod', { labels: `app=${app}` })).filter((pod) => pod.metadata?.deletionTimestamp === undefined),
    async calm() {
      await ports.until(async () => {
        const sets = [...(await read.list('Deployment')), ...(await read.list('StatefulSet'))]
        return sets.every(({ spec, status, metadata }) => {
          const wanted = spec?.replicas ?? 1
          return (
            (status?.observedGeneration ?? 0) >= (metadata?.generation ?? 0) && status?.readyReplicas === wanted && status.updatedReplicas === wanted && status.replicas === wanted
          )
        })
      })
    },
  }
}

const keyOf = (group: string, resource: string, verb: string): string => `${group}/${resource} ${verb}`
const keysOf = (needs: readonly Right[]): readonly string[] => needs.flatMap(({ apiGroup, resource, verbs }) => verbs.map((verb) => keyOf(apiGroup, resource, verb))).sort()

/** A user for this action alone. */
function enrol(practice: Practice, action: Action): string {
  const rules = action.needs.map(({ apiGroup, resource, verbs }) => ({ apiGroups: [apiGroup], resources: [resource], verbs }))
  practice.addUser({ token: action.name, name: action.name.replaceAll('_', '-'), roles: [{ namespace: NAMESPACE, rules }] })
  return action.name
}

interface Ground {
  readonly ports: ManualPorts
  readonly practice: Practice
  readonly transport: ReturnType<typeof makeTransport>
}
function actor(action: Action, { ports, practice, transport }: Ground): Actor {
  const read = makeReader(transport, NAMESPACE)
  const writer = makeWriter(transport, { fieldManager: 'alerts-slm' })
  const look = (): Look => ({ read, caseId: caseId('case-1'), now: ports.clock.now() })
  const propose = (target: Target, parameters: Json = {}) => action.propose(target, parameters, look())
  const see = (plan: Plan, target: Target) => action.verify(plan, look(), target)
  return {
    read,
    get look() {
      return look()
    },
    propose,
    async plan(target, parameters) {
      const proposed = await propose(target, parameters)
      if (isRefusal(proposed)) throw new Error(`${proposed.code}: ${proposed.refused}`)
      return proposed
    },
    async refusal(target, parameters) {
      const proposed = await propose(target, parameters)
      if (!isRefusal(proposed)) throw new Error(`not refused: ${proposed.summary}`)
      return proposed
    },
    async send(steps) {
      if ('impossible' in steps) throw new Error(steps.impossible)
      for (const [index, step] of steps.entries()) await writer.send(step, 'case-1', index)
    },
    see,
    async untilSeen(plan, target, state) {
      let seen = await see(plan, target)
      await ports.until(
        async () => {
          seen = await see(plan, target)
          return seen.state === state
        },
        20_000,
        20,
      )
      return seen
    },
    used() {
      const name = action.name.replaceAll('_', '-')
      const asked = practice.requests.filter((request) => request.user === name).flatMap(({ path, verb }) => rightOf(path, verb))
      return [...new Set(asked)].sort()
    },
    declared: keysOf(action.needs),
  }
}

/** Discovery is everybody's; the rest is a resource of the namespace. */
function rightOf(path: string, verb: string): readonly string[] {
  const found = /^\/(?:api|apis\/([^/]+))\/[^/]+\/namespaces\/[^/]+\/([^/]+)(?:\/[^/]+(?:\/([^/]+))?)?$/.exec(path)
  return found ? [keyOf(found[1] ?? '', [found[2], found[3]].filter(Boolean).join('/'), verb)] : []
}

const meta = (name: string, more: Manifest = {}) => ({ name, namespace: NAMESPACE, ...more })
export const container = (more: Manifest = {}): Manifest => ({ name: 'app', image: 'shop/web:1', ...more })

export interface Wish {
  readonly replicas?: number
  readonly containers?: readonly Manifest[]
  readonly annotations?: Manifest
  readonly spec?: Manifest
  readonly metadata?: Manifest
}
export function workload(kind: 'Deployment' | 'StatefulSet' | 'DaemonSet', name: string, { replicas, containers, annotations, spec, metadata }: Wish = {}): Manifest {
  const template = { metadata: { labels: { app: name }, ...(annotations && { annotations }) }, spec: { containers: containers ?? [container()] } }
  return {
    apiVersion: 'apps/v1',
    kind,
    metadata: meta(name, metadata),
    spec: {
      ...(kind !== 'DaemonSet' && { replicas: replicas ?? 2 }),
      ...(kind === 'StatefulSet' && { serviceName: name }),
      selector: { matchLabels: { app: name } },
      template,
      ...spec,
    },
  }
}
export const behaviour = (name: string, match: Manifest, then: Manifest): Manifest => ({
  apiVersion: 'practice.alerts-slm.io/v1',
  kind: 'Behaviour',
  metadata: meta(name),
  spec: { match, then },
})
export const object = (apiVersion: string, kind: string, name: string, more: Manifest = {}): Manifest => ({ apiVersion, kind, metadata: meta(name), ...more })
/** Pods that are made after the world came alive fail; those that were there go on. */
export const newPodsFail = (app: string, then: Manifest): readonly Manifest[] => [
  behaviour('a-old', { labels: { app }, createdBefore: 1_500 }, {}),
  behaviour('b-new', { labels: { app } }, then),
]
