// The object that an alert is about, and the one that a repair would change.

export interface ObjectRef {
  readonly apiVersion: string
  readonly kind: string
  readonly namespace: string
  readonly name: string
  readonly uid: string
}

export interface Target {
  /** What the labels name: usually a pod, sometimes a workload, a claim, a job. */
  readonly object: ObjectRef
  /** The top of the controller ownerReferences; the object itself when nobody owns it. Lanes, cooldown and attempts count here. */
  readonly owner: ObjectRef
  /** From object up to owner, both included. */
  readonly chain: readonly ObjectRef[]
  readonly container: string | undefined
}

export const sameObject = (a: ObjectRef, b: ObjectRef): boolean => a.uid === b.uid && a.kind === b.kind && a.name === b.name && a.namespace === b.namespace

/** `Deployment team-a/web`: how people read a reference. */
export const describeRef = (ref: ObjectRef): string => `${ref.kind} ${ref.namespace}/${ref.name}`

/** Stable for the life of a name, whatever the uid: what lanes, cooldown and attempts are keyed by. */
export const ownerKey = (ref: ObjectRef): string => `${ref.kind}/${ref.namespace}/${ref.name}`
