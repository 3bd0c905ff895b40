// The kubelet of all nodes: runs the containers of scheduled pods by their fate, reports them, measures them, and ends pods.
import type { Cancel } from '../../domain/ports.ts'
import { type Fate, revisionOf } from '../behaviour.ts'
import { get, namespaceOf, setStatus, stamp } from './cluster.ts'
import { type ContainerLife, liveContainer } from './container.ts'
import type { Controller, Ground, Key } from './ground.ts'
import { measure } from './pod-metrics.ts'
import { podStatus } from './pod-status.ts'
import { isOver, isReady, type Pod } from './pods.ts'

interface PodLife {
  readonly uid: string
  readonly containers: readonly ContainerLife[]
  cancel: Cancel
  stopping: boolean
  /** The fate that it lives by, as text. */
  fate: string
}

export interface Kubelet extends Controller {
  stop(): void
}

export function kubelet(ground: Ground): Kubelet {
  const { store, clock, timers, pace } = ground
  const began = clock.elapsed()
  const lives = new Map<string, PodLife>()
  const bornAt = new Map<string, number>()
  const keyOf = ({ namespace, name }: Key): string => `${namespace}/${name}`

  const fateOf = (pod: Pod): Fate | undefined =>
    ground.fates.of(pod, { createdAfterMs: (bornAt.get(pod.metadata.uid ?? '') ?? clock.elapsed()) - began, revision: revisionOf(store, pod) })

  const forget = (key: Key): void => {
    const life = lives.get(keyOf(key))
    if (!life) return
    life.cancel()
    for (const container of life.containers) container.stop()
    lives.delete(keyOf(key))
    ground.readyAt.delete(life.uid)
    bornAt.delete(life.uid)
    store.remove('PodMetrics', key.namespace, key.name)
  }

  const report = (key: Key, uid: string, containers: readonly ContainerLife[]): void => {
    const pod = get(store, 'Pod', key.namespace, key.name)
    if (!pod || pod.metadata.uid !== uid || pod.metadata.deletionTimestamp) return
    const now = containers.map((container) => container.now())
    const status = podStatus(pod, now, stamp(clock.now()))
    const ready = status.conditions?.some(({ type, status: s }) => type === 'Ready' && s === 'True') ?? false
    if (ready && !isReady(pod)) ground.readyAt.set(uid, clock.elapsed())
    if (!ready) ground.readyAt.delete(uid)
    setStatus(store, pod, status)
    measure(ground, pod, now, fateOf(pod))
  }

  const begin = (key: Key, pod: Pod): PodLife => {
    const uid = pod.metadata.uid ?? ''
    const about = pod
    const containers: ContainerLife[] = (pod.spec?.containers ?? []).map(({ name, image }) =>
      liveContainer({
        ground,
        name,
        image: image ?? '',
        restartPolicy: pod.spec?.restartPolicy ?? 'Always',
        ends: about.metadata.ownerReferences?.some(({ kind }) => kind === 'Job') ?? false,
        fate: () => {
          const fate = fateOf(get(store, 'Pod', key.namespace, key.name) ?? pod)
          return fate?.container === name ? fate : undefined
        },
        changed: () => report(key, uid, containers),
        tell: (event) => ground.record(about, { ...event, component: 'kubelet', container: name }),
        log: (text, previous) => ground.writeLog({ namespace: key.namespace, pod: key.name, container: name, previous }, text),
      }),
    )
    report(key, uid, containers)
    const cancel = timers.after(pace.startMs, () => {
      for (const container of containers) container.start()
    })
    return { uid, containers, cancel, stopping: false, fate: JSON.stringify(fateOf(pod)) }
  }

  const finish = (key: Key, pod: Pod, life: PodLife | undefined): void => {
    if (life?.stopping) return
    for (const container of life?.containers ?? []) container.stop()
    life?.cancel()
    for (const { name } of pod.spec?.containers ?? [])
      ground.record(pod, { type: 'Normal', reason: 'Killing', message: `Stopping container ${name}`, component: 'kubelet', container: name })
    const gone = (): void => {
      const present = store.get('Pod', key.namespace, key.name)
      if (present?.metadata.uid === pod.metadata.uid) store.remove('Pod', key.namespace, key.name)
    }
    const stopping: PodLife = life ?? { uid: pod.metadata.uid ?? '', containers: [], cancel: () => {}, stopping: true, fate: '' }
    stopping.stopping = true
    stopping.cancel = timers.after(pace.stopMs, gone)
    lives.set(keyOf(key), stopping)
  }

  /** A Behaviour came, went or changed: only pods whose fate it changes are looked at again. */
  const reconsider = (pod: Pod, life: PodLife): void => {
    const fate = JSON.stringify(fateOf(pod))
    if (fate === life.fate) return
    life.fate = fate
    for (const container of life.containers) if (!('waiting' in container.now().state) || container.now().last === undefined) container.start()
  }

  return {
    concerns({ object }): readonly Key[] {
      if (object.kind === 'Pod') return [{ namespace: namespaceOf(object), name: object.metadata.name }]
      if (object.kind !== 'Behaviour') return []
      return store.peekAll('Pod', namespaceOf(object)).map((pod) => ({ namespace: namespaceOf(pod), name: pod.metadata.name }))
    },
    sync(key) {
      const pod = get(store, 'Pod', key.namespace, key.name)
      const life = lives.get(keyOf(key))
      if (!pod || (life && life.uid !== pod.metadata.uid)) forget(key)
      if (!pod) return undefined
      const uid = pod.metadata.uid ?? ''
      if (!bornAt.has(uid)) bornAt.set(uid, clock.elapsed())
      const present = lives.get(keyOf(key))
      if (pod.metadata.deletionTimestamp) finish(key, pod, present)
      else if (present) reconsider(pod, present)
      else if (pod.spec?.nodeName && !isOver(pod) && !isTold(pod, fateOf(pod))) lives.set(keyOf(key), begin(key, pod))
      return undefined
    },
    stop() {
      for (const life of lives.values()) {
        life.cancel()
        for (const container of life.containers) container.stop()
      }
    },
  }
}

/** A pod that came with its status, from a snapshot: it stays as it was seen, unless a Behaviour says what becomes of it. */
const isTold = (pod: Pod, fate: Fate | undefined): boolean => fate === undefined && (pod.status?.containerStatuses?.length ?? 0) > 0
