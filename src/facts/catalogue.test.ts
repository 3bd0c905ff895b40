import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import { ago, CRASHING, deployment, evidenceOf, type Manifest, NAMESPACE, ownedBy, pod, reading, replicaSet, type Scene } from '../../test/readings.ts'
import { Fault } from '../domain/fault.ts'
import type { JsonObject } from '../domain/json.ts'
import { isUnknown } from '../domain/unknown.ts'
import type { Reader } from '../kube/wire.ts'
import { FACTS, findFact } from './catalogue.ts'
import { factsReadme, factsTable } from './facts-table.ts'

/** Parameters for the facts that take some. */
const PARAMETERS: Readonly<Record<string, JsonObject>> = {
  label: { name: 'severity' },
  annotation: { name: 'summary' },
  targetLabel: { name: 'app' },
  targetAnnotation: { name: 'note' },
  quotaOf: { resource: 'pods' },
  eventCount: { reason: 'BackOff' },
  firing: { name: 'Down' },
}
const each = FACTS.map((fact) => [fact.name, fact] as const)
const TARGETS: readonly (readonly [string, string])[] = [
  ['Pod', 'web-a'],
  ['Deployment', 'web'],
  ['StatefulSet', 'web'],
  ['DaemonSet', 'web'],
  ['Job', 'web'],
  ['CronJob', 'web'],
  ['PersistentVolumeClaim', 'web'],
  ['HorizontalPodAutoscaler', 'web'],
  ['Kafka', 'web'],
]

async function fits(name: string, scene: Scene): Promise<void> {
  const value = await reading(name, scene, PARAMETERS[name])
  if (isUnknown(value)) return
  const problem = findFact(name)?.schema.safeParse(value).error
  expect(problem && `${z.prettifyError(problem)} in ${JSON.stringify(value)}`).toBeUndefined()
}

describe('the catalogue of facts', () => {
  it('names each fact once, and in the case that paths are written in', () => {
    const names = FACTS.map((fact) => fact.name)
    expect(new Set(names).size).toBe(names.length)
    expect(names.filter((name) => !/^[a-z][A-Za-z]+$/.test(name))).toEqual([])
  })

  it('has every fact that a file of the folder declares', () => {
    const declared = readdirSync(import.meta.dirname)
      .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
      .flatMap((file) => [...readFileSync(`${import.meta.dirname}/${file}`, 'utf8').matchAll(/^export const (\w+): Fact = /gm)].map(([, name]) => name))
    expect(FACTS.map((fact) => fact.name).sort()).toEqual(declared.sort())
  })

  it('needs nothing but to read', () => {
    const verbs = FACTS.flatMap((fact) => fact.needs.flatMap((right) => right.verbs))
    expect([...new Set(verbs)].sort()).toEqual(['get', 'list'])
  })

  it('documents every fact and every field, and the page is up to date', () => {
    const table = factsTable()
    for (const fact of FACTS) expect(table).toContain(`### ${fact.name}\n`)
    expect(readFileSync(`${import.meta.dirname}/README.md`, 'utf8')).toBe(factsReadme())
    expect(table.split('\n').filter((line) => /^\| `\$\.[^|]*\|[^|]*\|\s*\|$/.test(line))).toEqual([])
  })
})

describe('every fact', () => {
  it.each(each)('%s is read in an empty namespace without a throw, for every kind of target', async (name) => {
    for (const about of TARGETS) await fits(name, { about })
  })

  it.each(each)('%s is unknown without a target when it speaks of one', async (name, fact) => {
    const value = await reading(name, {}, PARAMETERS[name])
    if (fact.needs.length > 0 && fact.group !== 'quota') expect(value).toEqual({ unknown: 'the alert has no target in the cluster' })
    else await fits(name, {})
  })

  it.each(each)('%s fits its schema in a namespace full of trouble', async (name) => {
    for (const about of TARGETS) await fits(name, { about, manifests: TROUBLE, firing: [] })
  })

  it.each(each)('%s does not throw when objects are not what they should be', async (name) => {
    for (const about of TARGETS) for (const odd of ODD) await fits(name, { about, manifests: TROUBLE, through: (read) => bent(read, odd) })
  })

  it.each(each)('%s is unknown, not false, when it may not read', async (name, fact) => {
    for (const about of TARGETS.slice(0, 2)) {
      const value = await reading(name, { about, manifests: TROUBLE, through: forbidden }, PARAMETERS[name])
      if (fact.needs.length > 0 && value !== null) expect(value).toEqual({ unknown: expect.stringContaining('CLUSTER_FORBIDDEN') })
    }
  })

  it.each(each)('%s declares the rights that it reads with', async (name, fact) => {
    const allowed = new Set(fact.needs.map(({ apiGroup, resource }) => `${apiGroup}/${resource}`))
    for (const about of TARGETS) {
      const asked = new Set<string>()
      await reading(name, { about, manifests: TROUBLE, through: (read) => noting(read, asked) }, PARAMETERS[name])
      expect([...asked].filter((right) => !allowed.has(right) && !right.startsWith('unlisted/'))).toEqual([])
    }
  })
})

describe('the evidence of a case', () => {
  it('asks the cluster once for each thing, however many facts look at it', async () => {
    const asked: string[] = []
    const evidence = evidenceOf({ about: ['Pod', 'web-a'], manifests: TROUBLE, through: (read) => counting(read, asked) })
    await Promise.all(FACTS.map((fact) => evidence.read(fact.name, PARAMETERS[fact.name])))
    expect(asked.length).toBeGreaterThan(5)
    expect(asked).toEqual([...new Set(asked)])
  })

  it('remembers each fact with its parameters', async () => {
    const evidence = evidenceOf({ labels: { a: '1', b: '2' } })
    expect([await evidence.read('label', { name: 'a' }), await evidence.read('label', { name: 'b' })]).toEqual(['1', '2'])
    expect([...evidence.seen.keys()]).toEqual(['label({"name":"a"})', 'label({"name":"b"})'])
  })

  it('says what is not known: a fact that does not exist, parameters that do not fit, a cluster that does not answer', async () => {
    const evidence = evidenceOf({ about: ['Pod', 'web-a'], manifests: TROUBLE, through: forbidden })
    expect(await evidence.read('weather')).toEqual({ unknown: 'there is no fact weather' })
    expect(await evidence.read('label', { nome: 'a' })).toEqual({ unknown: 'parameters of label do not fit' })
    expect(await evidence.read('pod')).toEqual({ unknown: 'pod could not be read: may not read Pod (CLUSTER_FORBIDDEN)' })
  })
})

const object = (apiVersion: string, kind: string, name: string, more: Manifest): Manifest => ({
  apiVersion,
  kind,
  metadata: { name, namespace: NAMESPACE, creationTimestamp: ago(500) },
  ...more,
})
const TROUBLE: readonly Manifest[] = [
  deployment(),
  replicaSet(1, 9_000),
  replicaSet(2, 600),
  pod('web-a', { status: CRASHING }),
  pod('web-b', { set: 'web-2' }),
  object('apps/v1', 'StatefulSet', 'web', { spec: { selector: { matchLabels: { app: 'web' } }, replicas: 1 } }),
  object('apps/v1', 'DaemonSet', 'web', { spec: { selector: { matchLabels: { app: 'web' } } } }),
  object('batch/v1', 'CronJob', 'web', { spec: {} }),
  { ...object('batch/v1', 'Job', 'web', { spec: {}, status: { failed: 2 } }), metadata: { name: 'web', namespace: NAMESPACE, ownerReferences: ownedBy('CronJob', 'web') } },
  object('v1', 'PersistentVolumeClaim', 'web', { spec: { resources: { requests: { storage: '1Gi' } } } }),
  object('v1', 'ResourceQuota', 'q', { spec: { hard: { pods: '2' } }, status: { hard: { pods: '2' }, used: { pods: '2' } } }),
  object('autoscaling/v2', 'HorizontalPodAutoscaler', 'web', { spec: { scaleTargetRef: { kind: 'Deployment', name: 'web' }, maxReplicas: 3 } }),
  object('policy/v1', 'PodDisruptionBudget', 'web', { spec: { selector: {} }, status: { disruptionsAllowed: 1 } }),
  object('metrics.k8s.io/v1beta1', 'PodMetrics', 'web-a', { containers: [{ name: 'web', usage: { memory: '1Mi', cpu: '1m' } }] }),
  object('v1', 'Event', 'e', { involvedObject: { kind: 'Pod', name: 'web-a' }, reason: 'BackOff', type: 'Warning', lastTimestamp: ago(60) }),
  object('kafka.example/v1', 'Kafka', 'web', {}),
]

/** Ways in which a part of an object may be wrong: by hand-written manifests, old servers, or malice. */
const ODD: readonly unknown[] = [null, 'text', 7, [], [null, 'x', {}], { a: null }]
function bend(value: unknown, odd: unknown, depth = 0): unknown {
  if (typeof value !== 'object' || value === null) return odd
  if (Array.isArray(value)) return [...value.map((member) => bend(member, odd, depth)), odd]
  return Object.fromEntries(
    Object.entries(value).map(([key, part]) => [
      key,
      (depth === 0 && key === 'metadata') || ['kind', 'name', 'ownerReferences'].includes(key) ? part : depth < 2 ? bend(part, odd, depth + 1) : odd,
    ]),
  )
}
/** The same reader, with every object bent below its metadata, spec and status; and once with these parts replaced altogether. */
function bent(read: Reader, odd: unknown): Reader {
  const flat = (value: object) => ({ ...value, spec: odd, status: odd, containers: odd, data: odd, involvedObject: odd })
  const twist = <T>(value: T, how: number): T =>
    typeof value === 'object' && value !== null ? Object.assign(structuredClone(value), how % 2 ? bend(value, odd) : flat(value)) : value
  let turn = 0
  return {
    namespace: read.namespace,
    get: async (kind, name) => twist(await read.get(kind, name), turn++),
    list: async (kind, selector) => (await read.list(kind, selector)).map((found) => twist(found, turn++)),
    object: async (ref) => twist(await read.object(ref), turn++),
    logs: async () => '\u0000',
  }
}
function forbidden(read: Reader): Reader {
  const no = async (what: string): Promise<never> => {
    throw new Fault('CLUSTER_FORBIDDEN', `may not read ${what}`)
  }
  return { namespace: read.namespace, get: no, list: no, object: (ref) => no(ref.kind), logs: no }
}
/** The same reader, telling what it is asked for. */
function watched(read: Reader, tell: (kind: string, what: string) => void): Reader {
  const telling =
    <A extends readonly unknown[], R>(ask: (...args: A) => R, kindOf: (...args: A) => string) =>
    (...args: A): R => {
      tell(kindOf(...args), JSON.stringify(args))
      return ask(...args)
    }
  return {
    namespace: read.namespace,
    get(kind, name) {
      tell(kind, `get ${name}`)
      return read.get(kind, name)
    },
    list(kind, selector) {
      tell(kind, `list ${JSON.stringify(selector)}`)
      return read.list(kind, selector)
    },
    object: telling(read.object, (ref) => ref.kind),
    logs: telling(read.logs, () => 'Log'),
  }
}
const counting = (read: Reader, asked: string[]) => watched(read, (kind, what) => asked.push(`${kind} ${what}`))
const RESOURCE: Readonly<Record<string, string>> = {
  Pod: '/pods',
  Event: '/events',
  PersistentVolumeClaim: '/persistentvolumeclaims',
  ResourceQuota: '/resourcequotas',
  Deployment: 'apps/deployments',
  ReplicaSet: 'apps/replicasets',
  StatefulSet: 'apps/statefulsets',
  DaemonSet: 'apps/daemonsets',
  ControllerRevision: 'apps/controllerrevisions',
  Job: 'batch/jobs',
  CronJob: 'batch/cronjobs',
  HorizontalPodAutoscaler: 'autoscaling/horizontalpodautoscalers',
  PodDisruptionBudget: 'policy/poddisruptionbudgets',
  PodMetrics: 'metrics.k8s.io/pods',
  Log: '/pods/log',
}
/** A custom resource's own right cannot be declared: without it the fact is unknown. */
const noting = (read: Reader, asked: Set<string>) => watched(read, (kind) => asked.add(RESOURCE[kind] ?? `unlisted/${kind}`))
