// Why a pod does not work, as far as its status tells. Starting up slowly is no trouble; failing to is.
import type { Kinds } from '../kube/wire.ts'

type Pod = Kinds['Pod']
type ContainerStatus = NonNullable<NonNullable<Pod['status']>['containerStatuses']>[number]

export interface Trouble {
  /** A sentence for people. */
  readonly why: string
  /** It will not go away by waiting a little: a second crash, an image that is pulled again and again, a configuration error. */
  readonly lasting: boolean
}

/** Waiting reasons of the kubelet. `false`: the first try failed, the next one may not. */
const WAITING: Readonly<Record<string, boolean>> = {
  ErrImagePull: false,
  ImagePullBackOff: true,
  InvalidImageName: true,
  ErrImageNeverPull: true,
  ImageInspectError: true,
  RegistryUnavailable: false,
  SignatureValidationFailed: true,
  CreateContainerConfigError: true,
  CreateContainerError: true,
  CreatePodSandboxError: false,
  RunContainerError: true,
  PostStartHookError: true,
  StartError: true,
}
/** One crash may be a late dependency; two are a loop. */
const CRASHES_OF_A_LOOP = 2

export const isTerminating = (pod: Pod): boolean => pod.metadata?.deletionTimestamp !== undefined
export const isReady = (pod: Pod): boolean => pod.status?.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True') ?? false
export const statusesOf = (pod: Pod): readonly ContainerStatus[] => [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])]
export const restartsOf = (pod: Pod): number => statusesOf(pod).reduce((sum, status) => sum + status.restartCount, 0)

/** `now` is for the pause between two crashes, when a container runs and looks well. */
export function trouble(pod: Pod, now: number): Trouble | undefined {
  const name = pod.metadata?.name ?? ''
  if (pod.status?.phase === 'Failed') return { why: `pod ${name} failed${pod.status.reason ? ` (${pod.status.reason})` : ''}`, lasting: true }
  const found = statusesOf(pod)
    .map((status) => ({ status, trouble: troubleOf(status, now) }))
    .find((seen) => seen.trouble !== undefined)
  return found?.trouble && { why: `container ${found.status.name} of pod ${name} ${found.trouble.why}`, lasting: found.trouble.lasting }
}

function troubleOf(status: ContainerStatus, now: number): Trouble | undefined {
  const reason = status.state?.waiting?.reason ?? ''
  const looping = status.restartCount >= CRASHES_OF_A_LOOP
  if (reason === 'CrashLoopBackOff') return { why: `keeps crashing${ended(status.lastState?.terminated)}`, lasting: looping }
  if (Object.hasOwn(WAITING, reason)) return { why: `waits: ${reason}`, lasting: WAITING[reason] === true }
  if (looping && isBetweenCrashes(status, now)) return { why: `keeps crashing${ended(status.lastState?.terminated)}`, lasting: true }
  const terminated = status.state?.terminated
  return terminated && terminated.exitCode !== 0 ? { why: `ended${ended(terminated)}`, lasting: looping } : undefined
}

/**
 * It runs, and ran before: until it has done so for twice as long as the last time, this is the next turn of the loop. Without
 * this a reading would depend on the moment at which it is taken, and a harmless change could look like one for the worse.
 */
function isBetweenCrashes({ state, lastState }: ContainerStatus, now: number): boolean {
  const [since, last] = [Date.parse(state?.running?.startedAt ?? ''), lastState?.terminated]
  if (Number.isNaN(since) || !last || last.exitCode === 0) return false
  const lasted = Date.parse(last.finishedAt ?? '') - Date.parse(last.startedAt ?? '')
  return Number.isNaN(lasted) ? false : now - since <= 2 * Math.max(lasted, SHORTEST_RUN_MS)
}
/** Times in a status are whole seconds. */
const SHORTEST_RUN_MS = 1_000

const ended = (terminated: { readonly reason?: string; readonly exitCode: number } | undefined): string =>
  terminated ? ` (${terminated.reason ?? 'Error'}, exit code ${terminated.exitCode})` : ''
