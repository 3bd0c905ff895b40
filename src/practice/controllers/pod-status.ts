// A pod's status from the lives of its containers, as the kubelet writes it.
import { withCondition } from './cluster.ts'
import type { ContainerNow } from './container.ts'
import type { Pod } from './pods.ts'

type Status = NonNullable<Pod['status']>
type PodCondition = NonNullable<Status['conditions']>[number]

export function podStatus(pod: Pod, containers: readonly ContainerNow[], now: string): Status {
  const unready = containers.filter((container) => !container.ready).map(({ name }) => name)
  const done = containers.length > 0 && containers.every(({ state }) => 'terminated' in state && state.terminated.exitCode === 0)
  const conditions = [
    condition('PodReadyToStartContainers', true),
    condition('Initialized', true),
    readiness('ContainersReady', unready, done),
    readiness('Ready', unready, done),
    condition('PodScheduled', true),
  ].reduce<PodCondition[]>((all, next) => withCondition(all, next, now), [...(pod.status?.conditions ?? [])])
  const images = new Map((pod.spec?.containers ?? []).map(({ name, image }) => [name, image ?? '']))
  return {
    phase: phaseOf(containers),
    conditions,
    startTime: pod.status?.startTime ?? now,
    hostIP: '10.0.0.1',
    podIP: pod.status?.podIP ?? addressOf(pod),
    qosClass: qosOf(pod),
    observedGeneration: pod.metadata.generation ?? 1,
    ...initStatuses(pod, now),
    containerStatuses: containers.map((container) => ({
      name: container.name,
      image: images.get(container.name) ?? '',
      imageID: 'running' in container.state ? `${images.get(container.name)}@sha256` : '',
      ready: container.ready,
      started: 'running' in container.state,
      restartCount: container.restarts,
      state: container.state,
      lastState: container.last ? { terminated: container.last } : {},
    })),
  }
}

const condition = (type: string, holds: boolean): PodCondition => ({ type, status: holds ? 'True' : 'False' })
function readiness(type: string, unready: readonly string[], done: boolean): PodCondition {
  if (unready.length === 0) return condition(type, true)
  if (done) return { type, status: 'False', reason: 'PodCompleted' }
  return { type, status: 'False', reason: 'ContainersNotReady', message: `containers with unready status: [${unready.join(' ')}]` }
}

/** Pending until every container has run once; over when none will run again. */
function phaseOf(containers: readonly ContainerNow[]): string {
  const neverRan = ({ state, last }: ContainerNow) => 'waiting' in state && last === undefined
  if (containers.some(neverRan)) return 'Pending'
  const ended = containers.flatMap(({ state }) => ('terminated' in state ? [state.terminated.exitCode] : []))
  if (ended.length < containers.length) return 'Running'
  return ended.every((code) => code === 0) ? 'Succeeded' : 'Failed'
}

/** Init containers have done their work before the kubelet of this world looks; native sidecars (restartPolicy Always) stay. */
function initStatuses(pod: Pod, now: string): Pick<Status, 'initContainerStatuses'> {
  const inits = pod.spec?.initContainers ?? []
  if (inits.length === 0) return {}
  return {
    initContainerStatuses: inits.map(({ name, image, restartPolicy }) => ({
      name,
      image: image ?? '',
      imageID: '',
      ready: true,
      started: restartPolicy === 'Always',
      restartCount: 0,
      state: restartPolicy === 'Always' ? { running: { startedAt: now } } : { terminated: { exitCode: 0, reason: 'Completed', startedAt: now, finishedAt: now } },
      lastState: {},
    })),
  }
}

function addressOf(pod: Pod): string {
  const number = Number.parseInt((pod.metadata.uid ?? '').slice(-6), 16) || 1
  return `10.${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}`
}

function qosOf(pod: Pod): string {
  const resources = (pod.spec?.containers ?? []).map((container) => container.resources ?? {})
  if (resources.every(({ requests, limits }) => !requests && !limits)) return 'BestEffort'
  const equal = ({ requests, limits }: (typeof resources)[number]) =>
    ['cpu', 'memory'].every((name) => limits?.[name] !== undefined && (requests?.[name] ?? limits[name]) === limits[name])
  return resources.every(equal) ? 'Guaranteed' : 'Burstable'
}
