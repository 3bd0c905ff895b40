// A lab that runs in this process: its parts are children, and end with it.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { realPorts } from '../../src/ports.ts'
import { type Addresses, type LabState, writeState } from './addresses.ts'
import type { Report } from './build.ts'
import { freePort, type Ground, makeProcesses } from './ground.ts'
import { type PartName, partOf, withNeeds } from './parts/catalogue.ts'

export interface RunningLab {
  readonly folder: string
  readonly addresses: Addresses
  readonly state: () => LabState
  /** Kills one process, as a crash would. */
  readonly kill: (process: string, signal?: NodeJS.Signals) => Promise<void>
  /** Starts a killed process again, with the same arguments. */
  readonly start: (process: string) => Promise<void>
  readonly stop: () => Promise<void>
}

/** Resolves when every part answers; a part that does not come ends the ones that did. */
export async function startLab(names: readonly PartName[], folder: string, report: Report = () => {}): Promise<RunningLab> {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const processes = makeProcesses(folder)
  const startedAt = new Date(realPorts.clock.now()).toISOString()
  const states = new Map<PartName, { state: 'starting' | 'runs'; readonly processes: string[] }>()
  let addresses: Addresses = {}
  const state = (): LabState => {
    const running = new Map(processes.running().map((one) => [one.name, one]))
    const parts = [...states].map(([name, part]) => {
      const alive = part.processes.flatMap((process) => running.get(process) ?? [])
      return { name, state: part.state === 'runs' && alive.length < part.processes.length ? ('ended' as const) : part.state, processes: alive }
    })
    return { pid: process.pid, folder, startedAt, parts, addresses }
  }
  const groundFor = (own: string[]): Ground => ({
    get addresses() {
      return addresses
    },
    file: (...names) => join(folder, ...names),
    port: freePort,
    run(program) {
      own.push(program.name)
      return processes.run(program)
    },
  })
  const wanted = withNeeds(names)
  const begun = new Map<PartName, Promise<void>>()
  const begin = (name: PartName): Promise<void> => {
    const before = begun.get(name)
    if (before !== undefined) return before
    const part = partOf(name)
    const work = (async () => {
      await Promise.all(wanted.filter((other) => part.needs.includes(other) || part.after?.includes(other)).map(begin))
      const began = realPorts.clock.elapsed()
      const own = { state: 'starting' as 'starting' | 'runs', processes: [] as string[] }
      states.set(name, own)
      const tells = await part.start(groundFor(own.processes))
      addresses = { ...addresses, ...tells }
      own.state = 'runs'
      writeState(state())
      report(`${name} answers after ${((realPorts.clock.elapsed() - began) / 1000).toFixed(1)} s`)
    })()
    begun.set(name, work)
    return work
  }
  try {
    // Settled, not merely failed: what is still starting when another part fails would be left behind.
    const settled = await Promise.allSettled(wanted.map(begin))
    const failed = settled.find((one) => one.status === 'rejected')
    if (failed) throw failed.reason
  } catch (error) {
    await processes.endAll()
    throw error
  }
  return {
    folder,
    get addresses() {
      return addresses
    },
    state,
    kill: async (name, signal = 'SIGKILL') => {
      await processes.kill(name, signal)
      writeState(state())
    },
    start: async (name) => {
      await processes.start(name)
      writeState(state())
    },
    stop: () => processes.endAll(),
  }
}
