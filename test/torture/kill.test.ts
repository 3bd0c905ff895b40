// kill -9 at any point: after a restart every accepted alert is taken up, and nothing is done twice. What was done is read off the API
// server's request log, which the killed process has no hand in.

import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { pause } from '../../src/domain/ports.ts'
import { realPorts } from '../../src/ports.ts'
import { type Incident, parseIncident, readIncidents } from '../../src/practice/incidents.ts'
import { type Ends, start } from '../child-processes.ts'
import { until } from '../waiting.ts'
import { type MortalSidecar, mortalSidecar } from './mortal-sidecar.ts'
import { completesLedger, isChange, isLedgerWrite, noAnswer, type Passing, type TornCluster, tornCluster } from './torn-cluster.ts'

const DOOR = fileURLToPath(new URL('durable-door.ts', import.meta.url))

interface Torn {
  readonly cluster: TornCluster
  readonly sidecar: MortalSidecar
  readonly workload: string
}
async function torn(ends: Ends, workload: string): Promise<Torn> {
  const incidents = await readIncidents([workload])
  const cluster = await tornCluster(ends, incidents)
  return { cluster, sidecar: mortalSidecar(cluster, ends), workload }
}

type Land = 'never' | 'before the kill' | 'after the kill' | Promise<unknown>

/** Starts the sidecar and kills it when the request comes by; `land` says when the API server carries that out after all. */
async function killedAt({ cluster, sidecar }: Torn, fits: (passing: Passing) => boolean, land: Land): Promise<void> {
  let killed = false
  cluster.strike(fits, async (carryOut) => {
    if (land === 'before the kill') await carryOut()
    await sidecar.kill()
    if (land === 'after the kill') await carryOut()
    killed = true
    if (typeof land !== 'object') return noAnswer()
    await land
    await carryOut()
    return noAnswer()
  })
  await sidecar.start()
  await until('the request came by and the sidecar was killed', () => killed, { explain: () => state(sidecar) })
}
const state = (sidecar: MortalSidecar): string => `${JSON.stringify({ cases: sidecar.history(), intake: sidecar.intake() }, undefined, 1)}\n${sidecar.output()}`

/** Every case has ended, every alert that was answered with 2xx belongs to one, and none waits. */
async function settled({ cluster, sidecar }: Pick<Torn, 'cluster' | 'sidecar'>): Promise<void> {
  await until(
    'every case has ended',
    () => {
      const cases = sidecar.history()
      return cases.length > 0 && cases.every(({ open }) => !open) && sidecar.intake().every(({ taken }) => taken)
    },
    { withinMs: 60_000, everyMs: 100, explain: () => state(sidecar) },
  )
  const ids = new Set(sidecar.history().map(({ id }) => id))
  const taken = new Set(sidecar.intake().flatMap((row) => (row.case !== undefined && ids.has(row.case) ? [row.fingerprint] : [])))
  expect([...cluster.acknowledged].filter((fingerprint) => !taken.has(fingerprint))).toEqual([])
}
/** Of the cases that changed something: another alert of the same trouble may come late, to be cancelled or refused. */
const outcomes = ({ sidecar }: Torn) =>
  sidecar.history().flatMap(({ outcome, reason }) => (outcome && ['fixed', 'unproven', 'undone'].includes(outcome) ? [`${outcome} ${reason}`] : []))
const methods = ({ cluster, workload }: Torn) => cluster.changes(workload).map(({ verb }) => verb)

/** Looks at what was changed. */
const verifies =
  ({ cluster, workload }: Torn) =>
  ({ method, path }: Passing): boolean =>
    method === 'GET' && path.includes(`/${workload}`) && cluster.changes(workload).length > 0
const meant = (passing: Passing): boolean => isChange(passing) && !passing.dryRun
const rehearsed = (passing: Passing): boolean => isChange(passing) && passing.dryRun
const asksForRights = ({ path }: Passing): boolean => path.endsWith('/selfsubjectaccessreviews')

describe.concurrent('a kill -9', { timeout: 90_000 }, () => {
  const REPAIRS = [
    ['an eviction', 'search', ['create']],
    ['a patch', 'checkout', ['patch']],
  ] as const
  const MOMENTS = [
    ['while rights are asked for', asksForRights, 'never'],
    ['while the change is rehearsed', rehearsed, 'before the kill'],
    ['between intent and ledger', isLedgerWrite, 'never'],
    ['after the ledger, before its answer', isLedgerWrite, 'before the kill'],
    ['between ledger and write', meant, 'never'],
    ['after the write, before its answer', meant, 'before the kill'],
    ['while the write is on its way', meant, 'after the kill'],
    ['after verification, before the ledger is completed', completesLedger, 'never'],
    ['after the ledger is completed, before the case is closed', completesLedger, 'before the kill'],
  ] as const
  for (const [repair, workload, changes] of REPAIRS)
    for (const [moment, fits, land] of MOMENTS)
      it(`${moment} of ${repair}: done once, and verified`, async ({ onTestFinished }) => {
        const scene = await torn(onTestFinished, workload)
        await killedAt(scene, fits, land)
        await scene.sidecar.start()
        await settled(scene)
        expect(methods(scene)).toEqual(changes)
        expect(outcomes(scene)).toEqual(['fixed VERIFIED'])
      })

  /** Killed when it sends this, which the API server carries out only when the next life sends its own. */
  async function landsLate(scene: Torn, fits: (passing: Passing) => boolean): Promise<void> {
    const { cluster, sidecar, workload } = scene
    let land = () => {}
    await killedAt(scene, fits, new Promise<void>((resolve) => (land = resolve)))
    const before = cluster.changes(workload).length
    cluster.strike(meant, async (carryOut) => {
      land()
      await until('the late write has landed', () => cluster.changes(workload).length > before)
      return carryOut()
    })
    await sidecar.start()
    await settled(scene)
  }
  for (const [repair, workload, changes] of REPAIRS)
    it(`while ${repair} is on its way, which lands when the next life is about to write: done once`, async ({ onTestFinished }) => {
      const scene = await torn(onTestFinished, workload)
      await landsLate(scene, meant)
      expect(methods(scene)).toEqual(changes)
    })

  it('before a delivery was committed: it comes again, and is done once', async ({ onTestFinished }) => {
    const scene = await torn(onTestFinished, 'search')
    await scene.sidecar.start()
    scene.sidecar.freeze()
    await until('a delivery waits for its answer', () => scene.cluster.underWay() > 0)
    await scene.sidecar.kill()
    expect(scene.cluster.acknowledged.size).toBe(0)
    await scene.sidecar.start()
    await settled(scene)
    expect(methods(scene)).toEqual(['create'])
  })

  it('after the 2xx and before anybody looked at what was delivered: taken up, and done once', async ({ onTestFinished }) => {
    const scene = await torn(onTestFinished, 'search')
    const door = start(process.execPath, [DOOR, scene.sidecar.store, 'FULL'], { ends: onTestFinished })
    scene.cluster.webhook = (await door.says(/listens at (\S+)\n/))[1]
    await until('a delivery was answered', () => scene.cluster.acknowledged.size > 0)
    scene.cluster.webhook = undefined
    await door.end('SIGKILL')
    await scene.sidecar.start()
    await settled(scene)
    expect(methods(scene)).toEqual(['create'])
    expect(outcomes(scene)).toEqual(['fixed VERIFIED'])
  })

  for (const [repair, workload, changes] of REPAIRS)
    it(`while ${repair} is verified: verified by the next life`, async ({ onTestFinished }) => {
      const scene = await torn(onTestFinished, workload)
      await killedAt(scene, verifies(scene), 'never')
      await scene.sidecar.start()
      await settled(scene)
      expect(methods(scene)).toEqual(changes)
      expect(outcomes(scene)).toEqual(['fixed VERIFIED'])
    })

  const UNDOING = [
    ['before the undo is written', 'never'],
    ['after the undo, before its answer', 'before the kill'],
    ['while the undo is on its way', 'after the kill'],
  ] as const
  for (const [moment, land] of UNDOING)
    it(`${moment}: undone once`, async ({ onTestFinished }) => {
      const scene = await torn(onTestFinished, 'reports')
      await killedAt(scene, (passing) => meant(passing) && scene.cluster.changes('reports').length === 1, land)
      await scene.sidecar.start()
      await settled(scene)
      expect(methods(scene)).toEqual(['patch', 'patch'])
      expect(outcomes(scene)).toEqual(['undone MADE_WORSE'])
    })

  it('while the undo is on its way, which lands when the next life is about to undo: undone once', async ({ onTestFinished }) => {
    const scene = await torn(onTestFinished, 'reports')
    await landsLate(scene, (passing) => meant(passing) && scene.cluster.changes('reports').length === 1)
    expect(methods(scene)).toEqual(['patch', 'patch'])
    expect(outcomes(scene)).toEqual(['undone MADE_WORSE'])
  })
})

/** Reproducible: the same seed gives the same delays. */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    const mixed = Math.imul(state ^ (state >>> 15), state | 1)
    const more = mixed ^ (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61))
    return ((more ^ (more >>> 14)) >>> 0) / 2 ** 32
  }
}
/** An incident of the practice world under another name. */
const another = async (name: string, number: number): Promise<Incident> => {
  const text = await readFile(new URL(`../../src/practice/incidents/${name}.yaml`, import.meta.url), 'utf8')
  return parseIncident(text.replaceAll(name, `${name}-n${number}`), name)
}

const KILLS = Number(process.env['KILLS'] ?? 20)
const SEED = Number(process.env['SEED'] ?? Math.floor(realPorts.random.next() * 2 ** 31))
/** From the start of a process: in the midst of starting, of repairing, of verifying. */
const LONGEST_LIFE_MS = 2_500

describe('one life after another', () => {
  it(
    `ended at ${KILLS} random moments (SEED=${SEED}): every workload is repaired, each by one change`,
    async ({ onTestFinished }) => {
      const cluster = await tornCluster(onTestFinished)
      const sidecar = mortalSidecar(cluster, onTestFinished)
      const random = seeded(SEED)
      const repairs: { readonly workload: string; readonly verb: string }[] = []
      for (let n = 1; n <= KILLS; n++) {
        const [name, verb] = n % 2 === 1 ? ['search', 'create'] : ['payments', 'patch']
        cluster.happen(await another(name, n))
        repairs.push({ workload: `${name}-n${n}`, verb })
        const started = sidecar.start().catch(() => undefined)
        await pause(realPorts.timers, random() * LONGEST_LIFE_MS)
        await sidecar.kill()
        await started
      }
      // A firing that was committed and not answered before the kill counts as not delivered for Alertmanager: when it ends meanwhile,
      // nobody says so. The last life hears of it by asking.
      sidecar.pulls()
      await sidecar.start()
      await until('every workload was changed', () => repairs.every(({ workload }) => cluster.changes(workload).length > 0), { withinMs: 60_000, explain: () => state(sidecar) })
      await settled({ cluster, sidecar })
      expect(repairs.map(({ workload }) => ({ workload, verbs: cluster.changes(workload).map(({ verb }) => verb) }))).toEqual(
        repairs.map(({ workload, verb }) => ({ workload, verbs: [verb] })),
      )
    },
    60_000 + KILLS * 4_000,
  )
})
