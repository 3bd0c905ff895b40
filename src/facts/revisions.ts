// The revisions of a workload as the cluster keeps them: ReplicaSets of a Deployment, ControllerRevisions of the others.
import type { ObjectRef } from '../domain/target.ts'
import type { Kinds, Reader } from '../kube/wire.ts'
import { isOwnedBy, type Pod, podOf, type ReplicaSet, replicaSets, selectorOf, type Workload } from './owned.ts'
import { isRecord, lookup, num, str, when } from './plain.ts'
import type { Template } from './template.ts'

export interface Revision {
  readonly name: string
  readonly revision: number
  readonly createdAt: number | undefined
  readonly template: Template | undefined
  /** Of a Deployment only. */
  readonly set: ReplicaSet | undefined
  readonly has: (pod: Pod) => boolean
}

const isTemplate = (value: unknown): value is Template => isRecord(value) && isRecord(value['spec'])
const numbered = (text: unknown): number => (typeof text === 'string' && /^\d{1,15}$/.test(text) ? Number(text) : 0)
const newestFirst = (revisions: readonly Revision[]): readonly Revision[] =>
  [...revisions].sort((a, b) => b.revision - a.revision || (b.createdAt ?? 0) - (a.createdAt ?? 0) || a.name.localeCompare(b.name))

const ofSet = (set: ReplicaSet): Revision => ({
  name: str(set.metadata?.name) ?? '',
  revision: numbered(lookup(set.metadata?.annotations, 'deployment.kubernetes.io/revision')),
  createdAt: when(set.metadata?.creationTimestamp),
  template: isTemplate(set.spec?.template) ? set.spec.template : undefined,
  set,
  has: podOf(set),
})

type Controller = Kinds['ControllerRevision']
/** A StatefulSet's pods carry the revision's name, a DaemonSet's the hash alone. */
function ofControllerRevision(written: Controller): Revision {
  const name = str(written.metadata?.name) ?? ''
  const hash = lookup(written.metadata?.labels, 'controller-revision-hash')
  const spec = isRecord(written.data) ? written.data['spec'] : undefined
  const template = isRecord(spec) ? spec['template'] : undefined
  const marks = [name, hash].filter((mark) => mark !== undefined)
  return {
    name,
    revision: num(written.revision) ?? 0,
    createdAt: when(written.metadata?.creationTimestamp),
    template: isTemplate(template) ? template : undefined,
    set: undefined,
    has: (pod) => marks.includes(lookup(pod.metadata?.labels, 'controller-revision-hash') ?? ''),
  }
}

/** Newest first; empty for kinds without revisions. */
export async function revisionsOf(read: Reader, ref: ObjectRef, owner: Workload): Promise<readonly Revision[]> {
  if (ref.kind === 'Deployment') return newestFirst((await replicaSets(read, ref, owner)).map(ofSet))
  if (ref.kind !== 'StatefulSet' && ref.kind !== 'DaemonSet') return []
  const labels = selectorOf(owner)
  const found = labels === '' ? [] : await read.list('ControllerRevision', { labels })
  const by = { kind: ref.kind, name: ref.name, uid: str(owner.metadata?.uid) }
  return newestFirst(found.filter((written) => isOwnedBy(written, by)).map(ofControllerRevision))
}
