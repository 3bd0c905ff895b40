// The life of one container as a kubelet lives it: created, running, ready, crashed, backing off, started again.
import type { Cancel } from '../../domain/ports.ts'
import type { Fate } from '../behaviour.ts'
import { stamp } from './cluster.ts'
import type { Ground } from './ground.ts'

interface Ended {
  readonly exitCode: number
  readonly reason: string
  readonly startedAt: string
  readonly finishedAt: string
}
type State = { readonly waiting: { readonly reason: string; readonly message?: string } } | { readonly running: { readonly startedAt: string } } | { readonly terminated: Ended }

export interface ContainerNow {
  readonly name: string
  readonly state: State
  readonly last: Ended | undefined
  readonly restarts: number
  readonly ready: boolean
}
interface Told {
  readonly type: 'Normal' | 'Warning'
  readonly reason: string
  readonly message: string
}
export interface Surroundings {
  readonly ground: Ground
  readonly name: string
  readonly image: string
  readonly restartPolicy: string
  /** True for a container that ends by itself when its work is done. */
  readonly ends: boolean
  /** What becomes of it; asked at each start. */
  readonly fate: () => Fate | undefined
  readonly changed: () => void
  readonly tell: (event: Told) => void
  readonly log: (text: string, previous: boolean) => void
}
export interface ContainerLife {
  now(): ContainerNow
  /** Begins, or looks again at what its fate is. */
  start(): void
  stop(): void
}

const CREATING: State = { waiting: { reason: 'ContainerCreating' } }

export function liveContainer(around: Surroundings): ContainerLife {
  const { ground, tell } = around
  const { pace, timers, clock } = ground
  let now: ContainerNow = { name: around.name, state: CREATING, last: undefined, restarts: 0, ready: false }
  let cancels: Cancel[] = []
  let failingSince: number | undefined
  let starts = 0

  const set = (change: Partial<ContainerNow>): void => {
    now = { ...now, ...change }
    around.changed()
  }
  const after = (milliseconds: number, then: () => void): void => {
    cancels.push(timers.after(milliseconds, then))
  }
  const stop = (): void => {
    for (const cancel of cancels) cancel()
    cancels = []
  }
  const ms = (seconds: number | undefined): number | undefined => (seconds === undefined ? undefined : seconds * 1_000)
  const backOff = (): number => Math.min(pace.backOffMaxMs, pace.backOffMs * 2 ** Math.max(0, Math.min(now.restarts, 20)))

  /** A fate with `forSeconds` is over that long after it first showed. */
  const present = (): Fate | undefined => {
    const fate = around.fate()
    const over = fate?.forSeconds !== undefined && failingSince !== undefined && clock.elapsed() - failingSince >= fate.forSeconds * 1_000
    return over ? undefined : fate
  }
  const showing = (fate: Fate): void => {
    if (failingSince === undefined) failingSince = clock.elapsed()
    if (fate.forSeconds !== undefined) after(fate.forSeconds * 1_000, start)
  }

  const start = (): void => {
    stop()
    const fate = present()
    if (fate?.fail === 'imageMissing') pullFails(fate)
    else if (fate?.fail === 'configMissing') configMissing(fate)
    else if (fate?.fail === 'hang') hang(fate)
    else runs(fate)
  }
  const runs = (fate: Fate | undefined): void => {
    if (!('running' in now.state)) begin()
    if (fate?.logs !== undefined) around.log(fate.logs, false)
    if (fate?.previousLogs !== undefined) around.log(fate.previousLogs, true)
    if (fate?.fail === 'crash' || fate?.fail === 'jobFails' || fate?.fail === 'oom') crashes(fate)
    else if (fate?.fail === 'neverReady') notReady(fate)
    else works()
  }
  const begin = (): void => {
    if (starts++ > 0) now = { ...now, restarts: now.restarts + 1 }
    tell({ type: 'Normal', reason: 'Started', message: `Started container ${around.name}` })
    set({ state: { running: { startedAt: stamp(clock.now()) } }, ready: false })
  }
  const works = (): void => {
    after(pace.readyMs, () => set({ ready: true }))
    if (around.ends) after(pace.jobMs, () => end('Completed', 0))
  }
  const crashes = (fate: Fate): void => {
    const wait = ms(fate.afterSeconds)
    if (wait !== undefined && wait > pace.readyMs) after(pace.readyMs, () => set({ ready: true }))
    after(wait ?? pace.crashMs, () => {
      if (failingSince === undefined) failingSince = clock.elapsed()
      around.log(fate.previousLogs ?? fate.logs ?? '', true)
      if (fate.fail === 'oom') end('OOMKilled', 137)
      else end('Error', fate.exitCode ?? 1)
    })
  }
  const notReady = (fate: Fate): void => {
    const wait = ms(fate.afterSeconds)
    if (wait !== undefined) after(pace.readyMs, () => set({ ready: true }))
    after(wait ?? pace.readyMs, () => {
      tell({ type: 'Warning', reason: 'Unhealthy', message: 'Readiness probe failed: HTTP probe failed with statuscode: 503' })
      set({ ready: false })
      showing(fate)
    })
  }
  const hang = (fate: Fate): void => {
    tell({ type: 'Warning', reason: 'FailedCreatePodSandBox', message: 'Failed to create pod sandbox: rpc error: code = DeadlineExceeded desc = context deadline exceeded' })
    set({ state: CREATING, ready: false })
    showing(fate)
  }
  const configMissing = (fate: Fate): void => {
    const message = 'configmap "app-config" not found'
    tell({ type: 'Warning', reason: 'Failed', message: `Error: ${message}` })
    set({ state: { waiting: { reason: 'CreateContainerConfigError', message } }, ready: false })
    showing(fate)
    after(pace.backOffMaxMs, start)
  }
  const pullFails = (fate: Fate): void => {
    const message = `failed to pull and unpack image "${around.image}": not found`
    tell({ type: 'Warning', reason: 'Failed', message: `Failed to pull image "${around.image}": ${message}` })
    // The first refusal shows as ErrImagePull; from then on the kubelet waits between the tries.
    if (failingSince === undefined) set({ state: { waiting: { reason: 'ErrImagePull', message } }, ready: false })
    showing(fate)
    after(pace.crashMs, () => {
      tell({ type: 'Normal', reason: 'BackOff', message: `Back-off pulling image "${around.image}"` })
      set({ state: { waiting: { reason: 'ImagePullBackOff', message: `Back-off pulling image "${around.image}"` } } })
      after(pace.backOffMaxMs, start)
    })
  }
  const end = (reason: string, exitCode: number): void => {
    stop()
    const startedAt = 'running' in now.state ? now.state.running.startedAt : stamp(clock.now())
    const ended: Ended = { exitCode, reason, startedAt, finishedAt: stamp(clock.now()) }
    const again = around.restartPolicy === 'Always' || (around.restartPolicy === 'OnFailure' && exitCode !== 0)
    if (again) startAgain(ended)
    else set({ state: { terminated: ended }, ready: false })
  }
  const startAgain = (ended: Ended): void => {
    const wait = backOff()
    const message = `back-off ${Math.round(wait)}ms restarting failed container=${around.name}`
    tell({ type: 'Warning', reason: 'BackOff', message: `Back-off restarting failed container ${around.name}` })
    set({ state: { waiting: { reason: 'CrashLoopBackOff', message } }, last: ended, ready: false })
    after(wait, start)
  }
  return { now: () => now, start, stop }
}
