// collect_diagnostics: changes nothing; keeps with the case what people would look at first, before it is gone.
import * as z from 'zod'
import { type FaultCode, isFault } from '../domain/fault.ts'
import { NO_BLAST } from '../domain/plan.ts'
import { describeRef, type ObjectRef, sameObject, type Target } from '../domain/target.ts'
import type { Kinds, Reader } from '../kube/wire.ts'
import { defineAction } from './define-action.ts'
import { artefacts, describeObject, type Section } from './diagnostics.ts'
import { readHealth, readWorkload, workloadOf } from './health.ts'
import { isReady, statusesOf, trouble } from './pod-trouble.ts'

type Pod = Kinds['Pod']

/** Pods whose logs are kept: the one that the alert names, then those in trouble. */
const MOST_PODS = 2
const MOST_CONTAINERS = 3
const TAIL_LINES = 100
/** Kept of each log. More is read: the API server's limit cuts off the end of the tail, which is the part that matters. */
const LOG_BYTES = 8 * 1024
const READ_BYTES = 64 * 1024

export const collectDiagnostics = defineAction({
  name: 'collect_diagnostics',
  summary: 'Change nothing; keep objects, events, logs, quotas, autoscalers and disruption budgets with the case for people to look at.',
  category: 'monitoring',
  targets: ['*'],
  scope: 'namespace',
  safety: 'harmless',
  undoWhen: 'never',
  params: z.strictObject({}),
  needs: [
    { apiGroup: '', resource: 'pods', verbs: ['get', 'list'] },
    { apiGroup: '', resource: 'pods/log', verbs: ['get'] },
    { apiGroup: '', resource: 'events', verbs: ['list'] },
    { apiGroup: '', resource: 'resourcequotas', verbs: ['list'] },
    { apiGroup: '', resource: 'services', verbs: ['get'] },
    { apiGroup: '', resource: 'persistentvolumeclaims', verbs: ['get'] },
    { apiGroup: 'apps', resource: 'deployments', verbs: ['get'] },
    { apiGroup: 'apps', resource: 'replicasets', verbs: ['get', 'list'] },
    { apiGroup: 'apps', resource: 'statefulsets', verbs: ['get'] },
    { apiGroup: 'apps', resource: 'daemonsets', verbs: ['get'] },
    { apiGroup: 'batch', resource: 'jobs', verbs: ['get'] },
    { apiGroup: 'batch', resource: 'cronjobs', verbs: ['get'] },
    { apiGroup: 'autoscaling', resource: 'horizontalpodautoscalers', verbs: ['list'] },
    { apiGroup: 'policy', resource: 'poddisruptionbudgets', verbs: ['list'] },
  ],
  async plan(object, _params, { read, now }, target) {
    const { health, ...reading } = await readWorkload(read, workloadOf(target), now)
    const pods = inOrder(reading.pods, target, now)
    const kept = artefacts([
      { name: 'objects.yaml', mediaType: 'application/yaml', text: await objects(read, target, pods[0]), most: 24 * 1024, keep: 'first' },
      { name: 'events.txt', mediaType: 'text/plain', text: await events(read, target, pods), most: 8 * 1024, keep: 'last' },
      ...(await logs(read, pods)),
      { name: 'limits.yaml', mediaType: 'application/yaml', text: await limits(read), most: 8 * 1024, keep: 'first' },
    ])
    const names = kept.map((one) => one.name).join(', ')
    return { summary: `kept for people to look at: ${names}`, object, steps: [], undo: [], blast: NO_BLAST, before: health, artefacts: kept }
  },
  async verify(_plan, { read, now }, target) {
    const health = await readHealth(read, workloadOf(target), now)
    return { state: 'good', why: 'nothing was changed', health }
  },
})

/** What cannot be read is said in its place: half the evidence is better than none. An API server that does not answer is a fault all the same. */
async function orNote(what: string, work: Promise<string>, ...alsoNoted: readonly FaultCode[]): Promise<string> {
  try {
    return await work
  } catch (error) {
    if (isFault(error, 'CLUSTER_FORBIDDEN', 'CLUSTER_INVALID', 'CLUSTER_NOT_FOUND', ...alsoNoted)) return `# ${what} could not be read: ${error.message}`
    throw error
  }
}

const urgency = (pod: Pod, target: Target, now: number): number => (pod.metadata?.uid === target.object.uid ? 0 : trouble(pod, now) ? 1 : isReady(pod) ? 3 : 2)
const inOrder = (pods: readonly Pod[], target: Target, now: number): readonly Pod[] => pods.toSorted((a, b) => urgency(a, target, now) - urgency(b, target, now))

/** Listed for the whole namespace anyway. */
const LISTED = ['ResourceQuota', 'HorizontalPodAutoscaler', 'PodDisruptionBudget']

async function objects(read: Reader, target: Target, pod: Pod | undefined): Promise<string> {
  const chain = [...target.chain, ...(target.chain.some((ref) => sameObject(ref, target.owner)) ? [] : [target.owner])]
  const documents = await Promise.all(chain.filter((ref) => !LISTED.includes(ref.kind)).map((ref) => orNote(describeRef(ref), describeOne(read, ref))))
  const also = pod && !chain.some((ref) => ref.uid === pod.metadata?.uid) ? [describeObject(pod)] : []
  return [...documents, ...also].join('\n---\n')
}
async function describeOne(read: Reader, ref: ObjectRef): Promise<string> {
  const found = await read.object(ref)
  return found ? describeObject(found) : `# ${describeRef(ref)} does not exist any more`
}

async function events(read: Reader, target: Target, pods: readonly Pod[]): Promise<string> {
  const uids = new Set([...target.chain, target.owner].map((ref) => ref.uid).concat(pods.flatMap((pod) => pod.metadata?.uid ?? [])))
  return orNote(
    'events',
    read.list('Event').then((all) =>
      all
        .filter((event) => uids.has(event.involvedObject.uid ?? ''))
        .toSorted((a, b) => lastSeen(a).localeCompare(lastSeen(b)))
        .map(
          (event) =>
            `${lastSeen(event)} ${event.type ?? ''} ${event.reason ?? ''} ${event.involvedObject.kind}/${event.involvedObject.name} (x${event.count ?? event.series?.count ?? 1}): ${event.message ?? ''}`,
        )
        .join('\n'),
    ),
  )
}
const lastSeen = (event: Kinds['Event']): string => event.series?.lastObservedTime ?? event.lastTimestamp ?? event.eventTime ?? event.metadata.creationTimestamp ?? ''

async function logs(read: Reader, pods: readonly Pod[]): Promise<readonly Section[]> {
  const wanted = pods
    .slice(0, MOST_PODS)
    .flatMap((pod) =>
      containersOf(pod).flatMap(({ name, restarted }) => (restarted ? [true, false] : [false]).map((previous) => ({ pod: pod.metadata?.name ?? '', container: name, previous }))),
    )
  return Promise.all(
    wanted.map(async ({ pod, container, previous }): Promise<Section> => {
      const name = `${pod}.${container}${previous ? '.previous' : ''}.log`
      // The API server asks the kubelet, and answers 500 when that is away: just when people want the rest.
      const text = await orNote(name, read.logs(pod, { container, previous, tailLines: TAIL_LINES, limitBytes: READ_BYTES }), 'CLUSTER_ERROR', 'CLUSTER_TIMEOUT')
      return { name, mediaType: 'text/plain', text, most: LOG_BYTES, keep: 'last' }
    }),
  )
}
/** Those that have run; the ones that restarted most come first. */
const containersOf = (pod: Pod): readonly { readonly name: string; readonly restarted: boolean }[] =>
  statusesOf(pod)
    .filter((status) => status.restartCount > 0 || status.state?.running || status.state?.terminated)
    .toSorted((a, b) => b.restartCount - a.restartCount)
    .slice(0, MOST_CONTAINERS)
    .map((status) => ({ name: status.name, restarted: status.restartCount > 0 }))

async function limits(read: Reader): Promise<string> {
  const all = await Promise.all(
    (['ResourceQuota', 'HorizontalPodAutoscaler', 'PodDisruptionBudget'] as const).map((kind) =>
      orNote(
        kind,
        read.list(kind).then((found) => found.map((one) => describeObject({ kind, ...one })).join('\n---\n')),
      ),
    ),
  )
  return all.filter((text) => text !== '').join('\n---\n')
}
