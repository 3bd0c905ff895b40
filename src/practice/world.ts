// The practice world: incidents are loaded into the practice cluster, live there, raise alerts, and a small Alertmanager delivers them.
import type { Labels } from '../domain/alert.ts'
import type { Cancel, Http, Ports } from '../domain/ports.ts'
import { makeEvaluator } from './alert-rules.ts'
import type { Posted } from './alertmanager/kept-alerts.ts'
import { type PracticeAlertmanager, startAlertmanager } from './alertmanager.ts'
import { list } from './controllers/cluster.ts'
import { startControllers } from './controllers.ts'
import type { Incident, Manifest } from './incidents.ts'
import { type Pace, PRACTICE_PACE } from './pace.ts'
import type { PodLogs } from './pod-logs.ts'
import type { Store } from './store.ts'

export interface WorldOptions {
  /** The practice API server. */
  readonly practice: { readonly store: Store; readonly logs: PodLogs; readonly load: (manifests: readonly unknown[]) => void }
  readonly ports: Ports
  readonly incidents?: readonly Incident[]
  /** Where manifests without a namespace go. */
  readonly namespace?: string
  /** Without an Http of its own, the webhook is reached over the network. */
  readonly webhook: { readonly url: string; readonly http?: Http; readonly token?: string }
  readonly pace?: Partial<Pace>
  /** Where alerts go in place of the small Alertmanager, as Prometheus posts them to a real one. */
  readonly post?: (alerts: readonly Posted[]) => void
}
export interface World {
  readonly alertmanager: PracticeAlertmanager
  /** The second of a pair: delivers only alerts of incidents that ask for it. */
  readonly peer: PracticeAlertmanager
  /**
   * Every stage has been applied, what is to fire fires, and every alert has been told: nothing more comes of itself, but for what a
   * Behaviour has timed. A world that waits for somebody to act is quiet, unless an incident has a further stage that comes when all is well again.
   */
  quiet(): boolean
  stop(): void
}

export function startWorld({ practice, ports, incidents = [], namespace = 'practice', webhook, pace: faster, post }: WorldOptions): World {
  const pace: Pace = { ...PRACTICE_PACE, ...faster }
  const { store } = practice
  const http = webhook.http ?? ports.http()
  const alertmanager = startAlertmanager({ ports, pace, webhook: { ...webhook, http } })
  const peer = startAlertmanager({ ports, pace, webhook: { ...webhook, http }, externalURL: 'http://alertmanager-1.practice:9093' })
  const writeLog = ({ pod, container, previous }: { pod: string; container: string; previous: boolean }, text: string) => practice.logs.set(pod, container, previous, text)
  const controllers = startControllers(store, ports, { pace, writeLog })
  const evaluator = makeEvaluator(store, ports.clock, pace)
  const stories = incidents.map((incident) => tell(incident, { practice, ports, namespace }))
  for (const story of stories) story.next()

  const send =
    post ??
    ((alerts: readonly Posted[]): void => {
      alertmanager.post(alerts)
      peer.post(alerts.filter(({ labels }) => incidents.some((incident) => incident.deliveredBy === 2 && isAbout(incident, labels))))
    })
  const calm = (): boolean => controllers.quiet() && !evaluator.pending() && alertmanager.quiet() && peer.quiet() && stories.every((story) => story.over())
  /** How many looks in a row found nothing under way: one may fall between two pods of a rollout. */
  let calmLooks = 0
  let cancel: Cancel = ports.timers.after(pace.evaluateMs, look)
  function look(): void {
    const alerts = evaluator.evaluate()
    send(alerts)
    for (const story of stories) story.look(alerts)
    calmLooks = calm() ? calmLooks + 1 : 0
    cancel = ports.timers.after(pace.evaluateMs, look)
  }
  return {
    alertmanager,
    peer,
    quiet: () => calmLooks >= CALM_LOOKS && calm(),
    stop() {
      cancel()
      controllers.stop()
      alertmanager.stop()
      peer.stop()
    },
  }
}

interface Story {
  /** Applies the next stage. */
  next(): void
  /** Applies the next stage once all has been well for as long as the incident says. */
  look(alerts: readonly Posted[]): void
  over(): boolean
}
interface Setting extends Pick<WorldOptions, 'practice'> {
  readonly ports: Pick<Ports, 'clock'>
  readonly namespace: string
}
const PAUSE_SECONDS = 0.3
const CALM_LOOKS = 5

function tell(incident: Incident, { practice, ports, namespace }: Setting): Story {
  let told = 0
  let wellSince: number | undefined
  const over = (): boolean => told >= incident.stages.length
  const next = (): void => {
    const stage = incident.stages[told++] ?? []
    wellSince = undefined
    practice.load(stage.map((manifest) => applied(practice.store, manifest, manifest.metadata.namespace ?? namespace)))
  }
  const look = (alerts: readonly Posted[]): void => {
    if (over()) return
    const now = ports.clock.elapsed()
    const firing = alerts.some(({ labels, endsAt }) => isAbout(incident, labels) && (endsAt ?? Number.POSITIVE_INFINITY) > ports.clock.now())
    if (firing || !rolledOut(practice.store, incident)) wellSince = undefined
    else wellSince ??= now
    const pause = (incident.pauseSeconds[told - 1] ?? PAUSE_SECONDS) * 1_000
    if (wellSince !== undefined && now - wellSince >= pause) next()
  }
  return { next, look, over }
}

/** As kubectl apply leaves it: what is written in the manifest is taken, what others added stays. */
function applied(store: Store, manifest: Manifest, namespace: string): unknown {
  const before = store.get(manifest.kind, namespace, manifest.metadata.name)
  const placed = { ...manifest, metadata: { ...manifest.metadata, namespace } }
  if (!before) return placed
  const kept = (field: 'labels' | 'annotations') => ({ ...before.metadata[field], ...(isText(manifest.metadata[field]) ? manifest.metadata[field] : {}) })
  return { ...before, ...placed, metadata: { ...before.metadata, ...placed.metadata, labels: kept('labels'), annotations: kept('annotations') } }
}
const isText = (value: unknown): value is Record<string, string> => typeof value === 'object' && value !== null

function rolledOut(store: Store, { workloads }: Incident): boolean {
  const own = ({ metadata }: { readonly metadata: { readonly name: string } }): boolean => workloads.includes(metadata.name)
  return list(store, 'Deployment')
    .filter(own)
    .every(({ metadata, spec, status }) => {
      const wanted = spec?.replicas ?? 1
      return status?.observedGeneration === metadata.generation && status?.updatedReplicas === wanted && status.replicas === wanted && status.availableReplicas === wanted
    })
}

const NAMING = ['exported_pod', 'deployment', 'statefulset', 'daemonset', 'job_name', 'horizontalpodautoscaler', 'persistentvolumeclaim', 'pod'] as const

/** By the object that the alert names; a pod belongs to the workload whose name it begins with. */
export function isAbout({ workloads }: Incident, labels: Labels): boolean {
  const name = NAMING.map((label) => labels[label]).find((value) => value !== undefined)
  return name !== undefined && workloads.some((workload) => name === workload || name.startsWith(`${workload}-`))
}
