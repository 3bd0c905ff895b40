// Who manages the workload from outside: GitOps, Helm, an operator. The gate judges per field; this fact lets a rule tell people.
import * as z from 'zod'
import { unknown } from '../domain/unknown.ts'
import type { AnyObject } from '../kube/wire.ts'
import { defineFact, type Fact } from './define-fact.ts'
import { ANY_TARGET } from './needs.ts'
import { ofTarget, workloadRef } from './owned.ts'
import { each, isRecord, lookup } from './plain.ts'
import { text } from './shape.ts'

const MANAGERS = ['argocd', 'flux', 'helm', 'operator', 'none'] as const
const OWNERSHIP = z.object({
  managedBy: z.enum(MANAGERS).describe('who would put it back: argocd, flux, operator; helm only at its next upgrade; none'),
  evidence: text('the label, annotation, owner or field manager that says so').nullable(),
})
type Ownership = z.output<typeof OWNERSHIP>

/** Kinds that Kubernetes itself puts above pods. */
const BUILT_IN = new Set(['Pod', 'ReplicaSet', 'Deployment', 'StatefulSet', 'DaemonSet', 'Job', 'CronJob', 'PersistentVolumeClaim', 'HorizontalPodAutoscaler', 'Service', 'Node'])

const MARKS: readonly (readonly [Ownership['managedBy'], 'labels' | 'annotations', string])[] = [
  ['argocd', 'annotations', 'argocd.argoproj.io/tracking-id'],
  ['argocd', 'labels', 'argocd.argoproj.io/instance'],
  ['flux', 'labels', 'kustomize.toolkit.fluxcd.io/name'],
  ['flux', 'labels', 'helm.toolkit.fluxcd.io/name'],
  ['operator', 'labels', 'olm.owner'],
  ['helm', 'annotations', 'meta.helm.sh/release-name'],
]
const FIELD_MANAGERS: readonly (readonly [Ownership['managedBy'], RegExp])[] = [
  ['argocd', /^argocd/],
  ['flux', /^(?:kustomize|helm)-controller$/],
  ['helm', /^helm$/i],
]

const marked = (object: AnyObject): Ownership | undefined => {
  const found = MARKS.find(([, where, key]) => lookup(object.metadata?.[where], key) !== undefined)
  if (found) return { managedBy: found[0], evidence: `${found[1] === 'labels' ? 'label' : 'annotation'} ${found[2]}` }
  return lookup(object.metadata?.labels, 'app.kubernetes.io/managed-by') === 'Helm' ? { managedBy: 'helm', evidence: 'label app.kubernetes.io/managed-by' } : undefined
}

function byFieldManager(object: AnyObject): Ownership | undefined {
  const names = each(object.metadata?.managedFields).map((entry) => (isRecord(entry) ? lookup(entry, 'manager') : undefined))
  for (const [managedBy, pattern] of FIELD_MANAGERS) {
    const name = names.find((candidate) => candidate !== undefined && pattern.test(candidate))
    if (name) return { managedBy, evidence: `field manager ${name}` }
  }
  return undefined
}

export const ownership: Fact = defineFact({
  name: 'ownership',
  group: 'ownership',
  summary: 'who manages the workload from outside, and how that shows',
  schema: OWNERSHIP,
  cost: 1,
  needs: ANY_TARGET,
  read: (from) =>
    ofTarget(from, async (target): Promise<Ownership | ReturnType<typeof unknown>> => {
      if (!BUILT_IN.has(target.owner.kind)) return { managedBy: 'operator', evidence: `owned by ${target.owner.kind} ${target.owner.name}` }
      const ref = workloadRef(target) ?? target.owner
      const object = await from.read.object(ref)
      if (!object) return unknown(`${ref.kind} ${ref.name} is gone`)
      return marked(object) ?? byFieldManager(object) ?? { managedBy: 'none', evidence: null }
    }),
})
