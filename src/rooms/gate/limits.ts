// Gate 9: replicas and memory within the policy, within LimitRanges, and within what ResourceQuotas leave.

import type { Blast } from '../../domain/plan.ts'
import { formatBytes, formatCores, parseQuantity } from '../../domain/quantity.ts'
import { isUnknown } from '../../domain/unknown.ts'
import type { Kinds } from '../../kube/wire.ts'
import type { Seen } from './seen.ts'
import { type Gate, hold, LOOK_AGAIN_MS, PASS, refuse, type Stop } from './verdict.ts'

export const limits: Gate = {
  name: 'limits',
  judge: ({ plan }, seen, now) => byPolicy(plan.blast, seen.policy.limits) ?? byLimitRange(plan.blast, seen, now) ?? byQuota(plan.blast, seen, now) ?? PASS,
}

function byPolicy({ replicas, memoryBytes }: Blast, allowed: Seen['policy']['limits']): Stop | undefined {
  if (replicas && replicas.to > allowed.maxReplicas)
    return refuse('LIMIT_REPLICAS', `${replicas.to} replicas are more than the ${allowed.maxReplicas} allowed`, 'raise actions.limits.max_replicas')
  if (memoryBytes && memoryBytes.to > allowed.maxMemoryBytes)
    return refuse('LIMIT_MEMORY', `${formatBytes(memoryBytes.to)} of memory are more than the ${formatBytes(allowed.maxMemoryBytes)} allowed`, 'raise actions.limits.max_memory')
  return undefined
}

function byLimitRange({ memoryBytes }: Blast, { limitRanges }: Seen, now: number): Stop | undefined {
  if (!memoryBytes) return undefined
  if (isUnknown(limitRanges)) return unread(`limit ranges: ${limitRanges.unknown}`, now)
  for (const { metadata, spec } of limitRanges) {
    for (const { type, max } of spec?.limits ?? []) {
      const most = parseQuantity(max?.['memory'])
      if ((type === 'Container' || type === 'Pod') && most !== undefined && memoryBytes.to > most)
        return refuse(
          'LIMIT_RANGE',
          `${formatBytes(memoryBytes.to)} of memory are above the ${type.toLowerCase()} maximum ${max?.['memory']} of LimitRange ${metadata?.name ?? ''}`,
          'raise the LimitRange',
        )
    }
  }
  return undefined
}

interface Growth {
  readonly resources: readonly string[]
  readonly more: number
  readonly show: (amount: number) => string
}
const growthOf = ({ moreMemoryBytes, moreCpuCores, replicas }: Blast): readonly Growth[] =>
  [
    { resources: ['requests.memory', 'memory', 'limits.memory'], more: moreMemoryBytes, show: formatBytes },
    { resources: ['requests.cpu', 'cpu', 'limits.cpu'], more: moreCpuCores, show: formatCores },
    { resources: ['pods', 'count/pods'], more: replicas ? replicas.to - replicas.from : 0, show: String },
  ].filter(({ more }) => more > 0)

/** Quotas for pods without resources, or for pods that end, do not count what a workload's pods request. */
const elsewhere = ({ spec }: Kinds['ResourceQuota']): boolean => (spec?.scopes ?? []).some((scope) => scope === 'BestEffort' || scope === 'Terminating')

function byQuota(blast: Blast, { quotas }: Seen, now: number): Stop | undefined {
  const growth = growthOf(blast)
  if (growth.length === 0) return undefined
  if (isUnknown(quotas)) return unread(`quotas: ${quotas.unknown}`, now)
  for (const quota of quotas.filter((each) => !elsewhere(each))) {
    for (const each of growth) {
      const stop = each.resources.map((resource) => overQuota(quota, resource, each, now)).find((found) => found !== undefined)
      if (stop) return stop
    }
  }
  return undefined
}

function overQuota({ metadata, spec, status }: Kinds['ResourceQuota'], resource: string, { more, show }: Growth, now: number): Stop | undefined {
  const hard = parseQuantity((status?.hard ?? spec?.hard)?.[resource])
  if (hard === undefined) return undefined
  const used = parseQuantity(status?.used?.[resource])
  if (used === undefined) return unread(`ResourceQuota ${metadata?.name ?? ''} does not say how much ${resource} is used`, now)
  if (used + more <= hard) return undefined
  const left = Math.max(0, hard - used)
  return refuse(
    'QUOTA_EXCEEDED',
    `ResourceQuota ${metadata?.name ?? ''} leaves ${left === 0 ? 'no' : show(left)} ${resource}, and the plan adds ${show(more)}`,
    'raise the quota, or free some of it',
  )
}

const unread = (why: string, now: number): Stop =>
  hold('LIMITS_UNKNOWN', `what the namespace allows is not known: ${why}`, 'grant get and list on limitranges and resourcequotas', now + LOOK_AGAIN_MS)
