// Facts of the Job that the alert is about, and of the CronJob above it.
import * as z from 'zod'
import type { Target } from '../domain/target.ts'
import { type Unknown, unknown } from '../domain/unknown.ts'
import type { Kinds, Reader } from '../kube/wire.ts'
import { defineFact, type Fact } from './define-fact.ts'
import { CRON_JOBS, JOBS } from './needs.ts'
import { isOwnedBy, ofTarget } from './owned.ts'
import { each, num, secondsBetween, str, tally, when } from './plain.ts'
import { count, seconds, text, yes } from './shape.ts'

type Job = Kinds['Job']

const CRON = z.object({
  name: text('name of the CronJob'),
  suspended: yes('it starts no new runs'),
  concurrencyPolicy: text('Allow, Forbid or Replace'),
  laterRunSucceeded: yes('a run that began after this one succeeded'),
  lastSuccessSecondsAgo: seconds('since its last successful run').nullable(),
})

const JOB = z
  .object({
    failed: count('pods that failed'),
    active: count('pods that run'),
    succeeded: count('pods that succeeded'),
    backoffLimit: count('failures allowed'),
    failedReason: text('why it was given up: BackoffLimitExceeded, DeadlineExceeded, …').nullable(),
    complete: yes('it succeeded'),
    suspended: yes('it is suspended'),
    ageSeconds: seconds('since it was created').nullable(),
    cronJob: CRON.nullable().describe('the CronJob that made it'),
  })
  .nullable()

const hasCondition = (job: Job, type: string): boolean => each(job.status?.conditions).some((c) => c.type === type && c.status === 'True')

async function aboveOf(read: Reader, target: Target, job: Job, now: number): Promise<z.output<typeof CRON> | null | Unknown> {
  if (target.owner.kind !== 'CronJob') return null
  const cron = await read.get('CronJob', target.owner.name)
  if (!cron) return unknown(`CronJob ${target.owner.name} is gone`)
  const by = { kind: 'CronJob', name: target.owner.name, uid: str(cron.metadata?.uid) }
  const began = when(job.metadata?.creationTimestamp)
  const runs = (await read.list('Job')).filter((other) => isOwnedBy(other, by))
  const success = when(cron.status?.lastSuccessfulTime)
  return {
    name: target.owner.name,
    suspended: cron.spec?.suspend === true,
    concurrencyPolicy: str(cron.spec?.concurrencyPolicy) ?? 'Allow',
    laterRunSucceeded: began !== undefined && runs.some((other) => (when(other.metadata?.creationTimestamp) ?? 0) > began && hasCondition(other, 'Complete')),
    lastSuccessSecondsAgo: success === undefined ? null : secondsBetween(success, now),
  }
}

export const job: Fact = defineFact({
  name: 'job',
  group: 'job',
  summary: 'the Job that the alert is about; null when it is about something else',
  schema: JOB,
  cost: 2,
  needs: [JOBS, CRON_JOBS],
  read: (from) =>
    ofTarget(from, async (target) => {
      const ref = target.chain.find((link) => link.kind === 'Job')
      if (!ref) return null
      const found = await from.read.get('Job', ref.name)
      if (!found) return unknown(`Job ${ref.name} is gone`)
      const cronJob = await aboveOf(from.read, target, found, from.now)
      if (cronJob !== null && 'unknown' in cronJob) return cronJob
      const created = when(found.metadata?.creationTimestamp)
      const given = each(found.status?.conditions).find((c) => c.type === 'Failed' && c.status === 'True')
      return {
        failed: tally(found.status?.failed),
        active: tally(found.status?.active),
        succeeded: tally(found.status?.succeeded),
        backoffLimit: tally(num(found.spec?.backoffLimit) ?? 6),
        failedReason: given ? (str(given.reason) ?? 'Failed') : null,
        complete: hasCondition(found, 'Complete'),
        suspended: found.spec?.suspend === true,
        ageSeconds: created === undefined ? null : secondsBetween(created, from.now),
        cronJob,
      }
    }),
})
