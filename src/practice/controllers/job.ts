// Runs a Job's pods until enough have succeeded, or too many have failed.
import { type Condition, controllerOf, get, type Live, namespaceOf, ownedBy, setStatus, stamp, withCondition } from './cluster.ts'
import { createPod } from './create-pod.ts'
import type { Controller, Ground, Key } from './ground.ts'
import { isActive, isReady, type Pod, type PodTemplate, podOf, stopPod, suffix } from './pods.ts'

type Job = Live<'Job'>

export function jobController(ground: Ground): Controller {
  /** When the next pod may be made after a failure, by uid: the pause doubles with each. */
  const notBefore = new Map<string, { readonly failed: number; readonly at: number }>()
  return {
    concerns({ object }): readonly Key[] {
      if (object.kind === 'Job') return [{ namespace: namespaceOf(object), name: object.metadata.name }]
      const owner = object.kind === 'Pod' ? controllerOf(object) : undefined
      return owner?.kind === 'Job' ? [{ namespace: namespaceOf(object), name: owner.name }] : []
    },
    sync({ namespace, name }) {
      const job = get(ground.store, 'Job', namespace, name)
      if (!job || job.metadata.deletionTimestamp || ended(job)) return undefined
      const failed = count(job, ground, 'Failed') + restarts(ground, job)
      const pause = pauseAfter(ground, notBefore, job, failed)
      advance(ground, job, failed, pause)
      return pause > 0 ? { againAfterMs: pause } : undefined
    },
  }
}

const ended = (job: Job): boolean => (job.status?.conditions ?? []).some(({ type, status }) => (type === 'Complete' || type === 'Failed') && status === 'True')
const count = (job: Job, { store }: Ground, phase: string): number => ownedBy(store, 'Pod', job).filter((pod) => pod.status?.phase === phase).length
/** With restartPolicy OnFailure the container starts again in its pod: each start counts against the limit. */
const restarts = ({ store }: Ground, job: Job): number =>
  ownedBy(store, 'Pod', job)
    .filter((pod) => pod.spec?.restartPolicy === 'OnFailure' && isActive(pod))
    .reduce((sum, pod) => sum + (pod.status?.containerStatuses ?? []).reduce((n, status) => n + status.restartCount, 0), 0)

function pauseAfter(ground: Ground, all: Map<string, { readonly failed: number; readonly at: number }>, job: Job, failed: number): number {
  const uid = job.metadata.uid ?? ''
  const now = ground.clock.elapsed()
  const before = all.get(uid) ?? { failed: 0, at: now }
  const pause = Math.min(ground.pace.backOffMaxMs, ground.pace.backOffMs * 2 ** (failed - 1))
  const next = failed > before.failed ? { failed, at: now + pause } : before
  all.set(uid, next)
  return Math.max(0, next.at - now)
}

function advance(ground: Ground, job: Job, failed: number, pause: number): void {
  const succeeded = count(job, ground, 'Succeeded')
  const completions = job.spec?.completions ?? 1
  const verdict = verdictOf(succeeded >= completions, failed > (job.spec?.backoffLimit ?? 6))
  if (verdict) {
    end(ground, job, verdict)
    return
  }
  const active = ownedBy(ground.store, 'Pod', job).filter(isActive).length
  const more = job.spec?.suspend || pause > 0 ? 0 : Math.min(job.spec?.parallelism ?? 1, completions - succeeded) - active
  for (let i = 0; i < more; i++) make(ground, job)
  report(ground, job, undefined)
}

function verdictOf(complete: boolean, exhausted: boolean): Condition | undefined {
  if (complete) return { type: 'Complete', status: 'True', reason: 'CompletionsReached', message: 'Reached expected number of succeeded pods' }
  return exhausted ? { type: 'Failed', status: 'True', reason: 'BackoffLimitExceeded', message: 'Job has reached the specified backoff limit' } : undefined
}

function make(ground: Ground, job: Job): void {
  const uid = job.metadata.uid ?? ''
  const labels = { 'batch.kubernetes.io/controller-uid': uid, 'batch.kubernetes.io/job-name': job.metadata.name, 'controller-uid': uid, 'job-name': job.metadata.name }
  const template: PodTemplate = job.spec?.template ?? {}
  const pod = podOf(job, template, `${job.metadata.name}-${suffix(ground.random)}`, labels)
  const refused = createPod(ground.store, pod)
  const [type, reason, message] =
    refused === undefined ? (['Normal', 'SuccessfulCreate', `Created pod: ${pod.metadata.name}`] as const) : (['Warning', 'FailedCreate', `Error creating: ${refused}`] as const)
  ground.record(job, { type, reason, message, component: 'job-controller' })
}

function end(ground: Ground, job: Job, condition: Condition): void {
  const running: readonly Pod[] = ownedBy(ground.store, 'Pod', job).filter(isActive)
  for (const pod of running) stopPod(ground.store, pod, stamp(ground.clock.now()))
  const failed = condition.type === 'Failed'
  ground.record(job, {
    type: failed ? 'Warning' : 'Normal',
    reason: failed ? 'BackoffLimitExceeded' : 'Completed',
    message: failed ? 'Job has reached the specified backoff limit' : 'Job completed',
    component: 'job-controller',
  })
  report(ground, job, condition)
}

function report(ground: Ground, job: Job, condition: Condition | undefined): void {
  const now = stamp(ground.clock.now())
  const active = ownedBy(ground.store, 'Pod', job).filter(isActive)
  const conditions = condition ? withCondition<Condition>(job.status?.conditions, condition, now) : job.status?.conditions
  const failed = count(job, ground, 'Failed')
  setStatus(ground.store, job, {
    startTime: job.status?.startTime ?? now,
    active: active.length,
    ready: active.filter(isReady).length,
    succeeded: count(job, ground, 'Succeeded'),
    // kube-state-metrics tells a failed Job by this count, also where one pod restarted in place until the limit was reached.
    failed: condition?.type === 'Failed' ? Math.max(1, failed) : failed,
    ...(condition?.type === 'Complete' && { completionTime: now }),
    ...(conditions && { conditions }),
  })
}
