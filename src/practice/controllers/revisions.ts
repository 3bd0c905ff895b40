// ControllerRevisions: the history of a StatefulSet's or DaemonSet's template.
import type { Store } from '../store.ts'
import { get, type Live, namespaceOf, ownedBy, ownerReference } from './cluster.ts'
import { canonical, type Pod, type PodTemplate, REVISION_HASH, templateHash } from './pods.ts'

type Revision = Live<'ControllerRevision'>
type Owner = Live<'StatefulSet'> | Live<'DaemonSet'>

/** As the controllers store it: a patch that replaces the template. */
const dataOf = (template: PodTemplate) => ({ spec: { template: { ...template, $patch: 'replace' } } })

/** The revision of the present template, made or renumbered so that it is the newest. */
export function ensureRevision(store: Store, owner: Owner): Revision {
  const template = owner.spec?.template ?? {}
  const history = ownedBy(store, 'ControllerRevision', owner)
  const newest = Math.max(0, ...history.map(({ revision }) => revision))
  const present = history.find((revision) => canonical(revision.data) === canonical(dataOf(template)))
  if (present?.revision === newest) return present
  if (!present) return createRevision(store, owner, template, newest + 1)
  const next: Revision = { ...present, revision: newest + 1 }
  store.update(next)
  return next
}

function createRevision(store: Store, owner: Owner, template: PodTemplate, revision: number): Revision {
  let collisions = 0
  while (store.get('ControllerRevision', namespaceOf(owner), `${owner.metadata.name}-${templateHash(template, collisions)}`)) collisions++
  const name = `${owner.metadata.name}-${templateHash(template, collisions)}`
  const made: Revision = {
    apiVersion: 'apps/v1',
    kind: 'ControllerRevision',
    metadata: {
      name,
      namespace: namespaceOf(owner),
      labels: { ...template.metadata?.labels, [REVISION_HASH]: hashOf(owner, name) },
      ownerReferences: [ownerReference(owner)],
    },
    data: dataOf(template),
    revision,
  }
  store.create(made)
  return get(store, 'ControllerRevision', namespaceOf(owner), name) ?? made
}

/** A StatefulSet's pods carry the revision's whole name, a DaemonSet's only its hash: so it is, and kubectl relies on it. */
export const hashOf = (owner: Owner, revisionName: string): string => (owner.kind === 'StatefulSet' ? revisionName : revisionName.slice(owner.metadata.name.length + 1))
export const isOfRevision = (pod: Pod, owner: Owner, revisionName: string): boolean => pod.metadata.labels?.[REVISION_HASH] === hashOf(owner, revisionName)

/** Drops what is beyond the limit and no pod is of. */
export function cleanRevisions(store: Store, owner: Owner, pods: readonly Pod[]): void {
  const limit = owner.spec?.revisionHistoryLimit ?? 10
  const history = ownedBy(store, 'ControllerRevision', owner).sort((a, b) => a.revision - b.revision)
  const unused = history.slice(0, -1).filter((revision) => !pods.some((pod) => isOfRevision(pod, owner, revision.metadata.name)))
  for (const revision of unused.slice(0, Math.max(0, unused.length - limit))) store.remove('ControllerRevision', namespaceOf(owner), revision.metadata.name)
}
