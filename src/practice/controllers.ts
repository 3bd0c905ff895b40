// The control plane of the practice cluster: small controllers, a scheduler and a kubelet over the store, driven by its changes.
import type { Ports } from '../domain/ports.ts'
import { type Behaviour, makeFates } from './behaviour.ts'
import { get, namespaceOf } from './controllers/cluster.ts'
import { daemonSetController } from './controllers/daemon-set.ts'
import { deploymentController } from './controllers/deployment.ts'
import { makeRecorder } from './controllers/events.ts'
import { collectGarbage } from './controllers/garbage.ts'
import { type Ground, type LogPlace, run } from './controllers/ground.ts'
import { jobController } from './controllers/job.ts'
import { kubelet } from './controllers/kubelet.ts'
import { measureAgain } from './controllers/pod-metrics.ts'
import { replicaSetController } from './controllers/replica-set.ts'
import { schedulerController } from './controllers/scheduler.ts'
import { statefulSetController } from './controllers/stateful-set.ts'
import { volumeClaimController } from './controllers/volume-claims.ts'
import { type Pace, PRACTICE_PACE } from './pace.ts'
import type { Store, Stored } from './store.ts'

export interface ControllerOptions {
  /** Behaviours beside those that lie in the store as manifests. */
  readonly behaviours?: readonly Behaviour[]
  readonly pace?: Partial<Pace>
  /** Takes what containers of scripted pods print. */
  readonly writeLog?: (place: LogPlace, text: string) => void
}
export interface Controllers {
  /** No change waits to be looked at. Pods may still be starting: that is time, not work. */
  quiet(): boolean
  stop(): void
}

const MEASURE_MS = 15_000

export function startControllers(store: Store, ports: Pick<Ports, 'clock' | 'timers' | 'random'>, options: ControllerOptions = {}): Controllers {
  ensureNodes(store)
  const ground: Ground = {
    store,
    clock: ports.clock,
    timers: ports.timers,
    random: ports.random,
    pace: { ...PRACTICE_PACE, ...options.pace },
    fates: makeFates(store, options.behaviours),
    record: makeRecorder(store, ports.clock),
    readyAt: new Map(),
    writeLog: options.writeLog ?? (() => {}),
  }
  const node = kubelet(ground)
  const makers = [deploymentController, replicaSetController, statefulSetController, daemonSetController, jobController, schedulerController, volumeClaimController]
  const running = [...makers.map((make) => run(make(ground), ground)), run(node, ground)]
  const unlisten = store.onChange((change) => collectGarbage(ground, change))
  // Whoever deletes a pod through the API waits for the kubelet, as on a real node.
  store.endsSlowly = (pod) => get(store, 'Pod', namespaceOf(pod), pod.metadata.name)?.spec?.nodeName !== undefined
  let cancel = ports.timers.after(MEASURE_MS, measured)
  function measured(): void {
    measureAgain(ground)
    cancel = ports.timers.after(MEASURE_MS, measured)
  }
  return {
    quiet: () => running.every((controller) => !controller.busy()),
    stop() {
      cancel()
      unlisten()
      store.endsSlowly = undefined
      node.stop()
      for (const controller of running) controller.stop()
    },
  }
}

/** Two nodes of moderate size, unless the manifests brought their own. */
function ensureNodes(store: Store): void {
  if (store.peekAll('Node').length > 0) return
  for (const name of ['node-1', 'node-2']) store.create(nodeOf(name))
}
function nodeOf(name: string): Stored {
  const resources = { cpu: '8', memory: '16Gi', pods: '110' }
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, labels: { 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux' } },
    spec: {},
    status: { capacity: resources, allocatable: resources, conditions: [{ type: 'Ready', status: 'True', reason: 'KubeletReady' }] },
  }
}
