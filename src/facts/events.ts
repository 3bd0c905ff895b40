// What the cluster's Events tell of the target, its owners and the pod in trouble: reasons and classes, never their text.
import * as z from 'zod'
import { parseDuration } from '../domain/duration.ts'
import type { Target } from '../domain/target.ts'
import { isUnknown, type Unknown } from '../domain/unknown.ts'
import type { Kinds } from '../kube/wire.ts'
import { defineFact, type Fact, type FactSources } from './define-fact.ts'
import { EVENTS, OWN_PODS } from './needs.ts'
import { chosenPod, ofTarget, ownPods, replicaSets, workload, workloadRef } from './owned.ts'
import { num, str, tally, when } from './plain.ts'
import { byTrouble, isReady } from './pod-state.ts'
import { SCHEDULING_CLASSES, schedulingProblems, startProblem } from './scheduling.ts'
import { count, text, WINDOW, words, yes } from './shape.ts'

type Event = Kinds['Event']

const WINDOW_MS = 900_000
/** Pods in trouble whose Events are read: more of them tell the same. */
const PODS = 5

const seenAt = (event: Event): number =>
  when(event.series?.lastObservedTime) ?? when(event.lastTimestamp) ?? when(event.eventTime) ?? when(event.firstTimestamp) ?? when(event.metadata?.creationTimestamp) ?? 0
const times = (event: Event): number => Math.max(1, tally(num(event.series?.count) ?? num(event.count) ?? 1))

type Subject = { readonly kind: string; readonly name: string }
async function subjects(from: FactSources, target: Target): Promise<readonly Subject[] | Unknown> {
  const pods = await ownPods(from, target)
  if (isUnknown(pods)) return pods
  const chosen = await chosenPod(from, target)
  if (isUnknown(chosen)) return chosen
  const inTrouble = [...(pods ?? [])]
    .filter((pod) => !isReady(pod))
    .sort(byTrouble(from.now))
    .slice(0, PODS)
  const named = [...inTrouble, ...(chosen ? [chosen] : [])].map((pod) => ({ kind: 'Pod', name: str(pod.metadata?.name) ?? '' }))
  const all: Subject[] = [...target.chain, target.object, target.owner, ...named, ...(await makers(from, target))].map(({ kind, name }) => ({ kind, name }))
  return [...new Map(all.map((subject) => [`${subject.kind} ${subject.name}`, subject])).values()]
}
/** A ReplicaSet, not its Deployment, is told that a pod could not be created. */
async function makers(from: FactSources, target: Target): Promise<readonly Subject[]> {
  const ref = workloadRef(target)
  const owner = await workload(from.read, target)
  if (ref?.kind !== 'Deployment' || !owner || isUnknown(owner)) return []
  const wanted = (await replicaSets(from.read, ref, owner)).filter((set) => tally(set.spec?.replicas) > 0)
  return wanted.map((set) => ({ kind: 'ReplicaSet', name: str(set.metadata?.name) ?? '' }))
}

async function recent(from: FactSources, target: Target, windowMs: number): Promise<readonly Event[] | Unknown> {
  const about = await subjects(from, target)
  if (isUnknown(about)) return about
  const names = [...new Set(about.map((subject) => subject.name))]
  const lists = await Promise.all(names.map((name) => from.read.list('Event', { fields: `involvedObject.name=${name}` })))
  const known = new Set(about.map(({ kind, name }) => `${kind} ${name}`))
  const one = new Map(lists.flat().map((event) => [event.metadata?.uid ?? event.metadata?.name ?? '', event]))
  return [...one.values()].filter((event) => known.has(`${event.involvedObject?.kind} ${event.involvedObject?.name}`) && seenAt(event) > from.now - windowMs)
}

const messages = (events: readonly Event[], ...reasons: readonly string[]): readonly string[] =>
  events.filter((event) => reasons.includes(str(event.reason) ?? '')).map((event) => str(event.message) ?? '')
const unique = (list: readonly string[]): string[] => [...new Set(list)].sort()

const PROBE = /^(Liveness|Readiness|Startup) probe/

export const events: Fact = defineFact({
  name: 'events',
  group: 'events',
  summary: "Events of the last 15 minutes on the target, its owners and the workload's pods in trouble",
  schema: z.object({
    total: count('Events, repeats included'),
    warnings: count('Events of type Warning, repeats included'),
    reasons: words('their reasons: BackOff, FailedScheduling, FailedMount, Unhealthy, FailedCreate, …'),
    scheduling: words(`why no node takes a pod: ${SCHEDULING_CLASSES.join(', ')}`),
    quotaBlocksPods: yes('a quota forbids new pods'),
    podsForbidden: yes('admission forbids new pods, quota or not'),
    probes: words('probes that fail: liveness, readiness, startup'),
    startProblem: text('class of the message of a container that cannot start').nullable(),
  }),
  cost: 5,
  needs: [...OWN_PODS, EVENTS],
  read: (from) =>
    ofTarget(from, async (target) => {
      const found = await recent(from, target, WINDOW_MS)
      if (isUnknown(found)) return found
      const notCreated = messages(found, 'FailedCreate')
      const problems = messages(found, 'Failed', 'BackOff', 'ErrImagePull', 'InspectFailed', 'FailedMount').map((message) => startProblem('', message))
      return {
        total: found.reduce((sum, event) => sum + times(event), 0),
        warnings: found.filter((event) => event.type === 'Warning').reduce((sum, event) => sum + times(event), 0),
        reasons: unique(found.map((event) => str(event.reason) ?? 'Unknown')),
        scheduling: unique(messages(found, 'FailedScheduling').flatMap(schedulingProblems)),
        quotaBlocksPods: notCreated.some((message) => message.includes('exceeded quota')),
        podsForbidden: notCreated.some((message) => message.includes('forbidden')),
        probes: unique(messages(found, 'Unhealthy').flatMap((message) => PROBE.exec(message)?.[1]?.toLowerCase() ?? [])),
        startProblem: problems.find((problem) => problem !== null) ?? null,
      }
    }),
})

export const eventCount: Fact = defineFact({
  name: 'eventCount',
  group: 'events',
  summary: 'how often one reason was seen on the target, its owners and pods in trouble',
  schema: count('Events of the reason, repeats included'),
  params: z.strictObject({ reason: z.string().min(1).describe('an Event reason, such as BackOff'), window: WINDOW.default('15m') }),
  cost: 5,
  needs: [...OWN_PODS, EVENTS],
  read: (from, { reason, window }) =>
    ofTarget(from, async (target) => {
      const found = await recent(from, target, parseDuration(window) ?? WINDOW_MS)
      return isUnknown(found) ? found : found.filter((event) => event.reason === reason).reduce((sum, event) => sum + times(event), 0)
    }),
})
