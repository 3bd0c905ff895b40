// Role of the volume driver: makes the volume of a claim, and lets it grow as external-provisioner, external-resizer and kubelet do.
// https://kubernetes.io/docs/concepts/storage/persistent-volumes/#expanding-persistent-volumes-claims

import { isFault } from '../../../src/domain/fault.ts'
import { parseQuantity } from '../../../src/domain/quantity.ts'
import type { Kinds } from '../../../src/kube/wire.ts'
import { forEach, type Named, named, nowText, patchStatus, type Role, type Stage, sameConditions, tell, withConditions } from './role.ts'

/** What a StorageClass of the lab names as its provisioner. */
export const DISK = 'disk.lab.alerts-slm.io'
/** On a claim: `fails`, the provider refuses to make the volume larger; `pending`, the file system grows when the next pod starts. */
export const VOLUME_RESIZE = 'lab.alerts-slm.io/volume-resize'

export const storageClass = (name: string, { allowVolumeExpansion }: { readonly allowVolumeExpansion: boolean }) => ({
  apiVersion: 'storage.k8s.io/v1',
  kind: 'StorageClass',
  metadata: { name },
  provisioner: DISK,
  allowVolumeExpansion,
  reclaimPolicy: 'Retain',
})

type Claim = Kinds['PersistentVolumeClaim']
const RESIZE_CONDITIONS = ['Resizing', 'FileSystemResizePending', 'ControllerResizeError', 'NodeResizeError']
const requested = (claim: Claim): string => claim.spec?.resources?.requests?.['storage'] ?? '0'
const held = (claim: Claim): string => claim.status?.capacity?.['storage'] ?? '0'
const isLarger = (a: string, b: string): boolean => (parseQuantity(a) ?? 0) > (parseQuantity(b) ?? 0)

export const volumes =
  (stage: Stage): Role =>
  () =>
    forEach(stage.claims.held(), async (claim) => {
      const object = named(claim)
      if (object.ending) return
      if (asksForVolume(claim)) await provision(stage, claim, object)
      else if (claim.status?.phase === 'Bound' && isOurs(claim)) await grow(stage, claim, object)
    })
const annotationsOf = (claim: Claim): Readonly<Record<string, string>> => claim.metadata?.annotations ?? {}
const isOurs = (claim: Claim): boolean => annotationsOf(claim)['volume.kubernetes.io/storage-provisioner'] === DISK
const asksForVolume = (claim: Claim): boolean => isOurs(claim) && claim.status?.phase === 'Pending' && claim.spec?.volumeName === undefined

async function provision({ transport }: Stage, claim: Claim, { name, namespace, uid, resourceVersion }: Named): Promise<void> {
  const spec = {
    capacity: { storage: requested(claim) },
    accessModes: claim.spec?.accessModes,
    volumeMode: claim.spec?.volumeMode,
    storageClassName: claim.spec?.storageClassName,
    persistentVolumeReclaimPolicy: 'Retain',
    claimRef: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', name, namespace, uid, resourceVersion },
    csi: { driver: DISK, volumeHandle: uid },
  }
  const metadata = { name: `pvc-${uid}`, annotations: { 'pv.kubernetes.io/provisioned-by': DISK } }
  try {
    await transport.send({ method: 'POST', path: '/api/v1/persistentvolumes', body: { apiVersion: 'v1', kind: 'PersistentVolume', metadata, spec } })
  } catch (error) {
    if (!isFault(error, 'CLUSTER_CONFLICT')) throw error
  }
}

/** Capacity follows what is asked for: first of the volume, then of the claim, as soon as the file system has grown. */
async function grow(stage: Stage, claim: Claim, object: Named): Promise<void> {
  const { transport } = stage
  const [to, from] = [requested(claim), held(claim)]
  if (!isLarger(to, from)) return
  const before = claim.status?.conditions ?? []
  const say = async (status: string | null, conditions: readonly { type: string; status: string; reason?: string; message: string }[], capacity?: string): Promise<void> => {
    const now = withConditions(before, RESIZE_CONDITIONS, conditions, nowText(transport))
    if (capacity === undefined && sameConditions(before, now)) return
    await patchStatus(transport, 'persistentvolumeclaims', object, {
      allocatedResources: { storage: to },
      allocatedResourceStatuses: status === null ? null : { storage: status },
      conditions: now,
      ...(capacity !== undefined && { capacity: { storage: capacity } }),
    })
    if (status === 'ControllerResizeInfeasible')
      await tell(transport, 'PersistentVolumeClaim', object, { type: 'Warning', reason: 'VolumeResizeFailed', message: conditions[0]?.message ?? '' })
  }
  const mode = object.annotations[VOLUME_RESIZE]
  if (mode === 'fails') {
    const message = `resize volume "pvc-${object.uid}" by resizer "${DISK}" failed: rpc error: code = OutOfRange desc = the provider has no volume of this size`
    return say('ControllerResizeInfeasible', [{ type: 'ControllerResizeError', status: 'True', reason: 'ControllerResizeFailed', message }])
  }
  await transport.send({
    method: 'PATCH',
    path: `/api/v1/persistentvolumes/${claim.spec?.volumeName}`,
    body: { spec: { capacity: { storage: to } } },
    contentType: 'application/merge-patch+json',
  })
  if (mode === 'pending' && !startedSince(stage, object, before.find(({ type }) => type === 'FileSystemResizePending')?.lastTransitionTime)) {
    const message = 'Waiting for user to (re-)start a pod to finish file system resize of volume on node.'
    return say('NodeResizePending', [{ type: 'FileSystemResizePending', status: 'True', message }])
  }
  await say(null, [], to)
}

/** A pod that mounts the claim and was made after that time, which has whole seconds. */
const startedSince = ({ pods }: Stage, { name, namespace }: Named, since: string | undefined): boolean =>
  since !== undefined &&
  (pods.held() ?? []).some(
    ({ metadata, spec, status }) =>
      metadata?.namespace === namespace &&
      spec?.volumes?.some((volume) => volume.persistentVolumeClaim?.claimName === name) &&
      status?.phase === 'Running' &&
      Date.parse(metadata?.creationTimestamp ?? '') >= Date.parse(since),
  )
