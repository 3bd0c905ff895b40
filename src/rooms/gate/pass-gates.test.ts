import { describe, expect, it } from 'vitest'
import { deployment, NOW, objects, PLAN, plannedCase, readingOnly, scaleTo, seen, WEB_1 } from '../../../test/gate-case.ts'
import type { Planned } from '../../domain/case-file.ts'
import type { Step } from '../../domain/plan.ts'
import { planHash } from '../../domain/plan-hash.ts'
import { passGates, passGatesForUndo } from './pass-gates.ts'
import type { Rehearse } from './rehearsal.ts'
import type { Seen } from './seen.ts'

/** A room that notes what was looked at and rehearsed. */
function room(what: Seen, answer: Awaited<ReturnType<Rehearse>> = { says: 'ok' }) {
  const rehearsed: (readonly Step[])[] = []
  const looked: Planned[] = []
  return {
    rehearsed,
    looked,
    look: async (file: Planned) => {
      looked.push(file)
      return what
    },
    rehearse: async (steps: readonly Step[]) => {
      rehearsed.push(steps)
      return answer
    },
    now: () => NOW,
  }
}
const rehearsal = (answers: readonly { readonly gate: string }[]) => answers.find(({ gate }) => gate === 'rehearsal')

describe('passing the gates', () => {
  it('ends in a permit for the steps of the plan, once, when all gates pass', async () => {
    const there = room(seen())
    const { answers, permit } = await passGates(there)(plannedCase())
    expect(answers.every(({ says }) => says === 'pass')).toBe(true)
    expect(there.rehearsed).toEqual([PLAN.steps])
    expect(permit?.spend(NOW)).toEqual(PLAN.steps)
    expect(permit?.spend(NOW)).toEqual([])
  })

  it('gives a permit that is worth nothing after five seconds', async () => {
    const { permit } = await passGates(room(seen()))(plannedCase())
    expect(permit?.spend(NOW + 5_001)).toEqual([])
  })

  it.each([
    ['refuses', seen({ policy: { killSwitch: true } })],
    ['holds', seen({ alert: 'suppressed' })],
    ['observes', seen({ policy: { mode: 'observe' } })],
  ])('sends no rehearsal and gives no permit when a gate %s', async (_, what) => {
    const there = room(what)
    const { answers, permit } = await passGates(there)(plannedCase())
    expect(permit).toBeUndefined()
    expect(there.rehearsed).toEqual([])
    expect(rehearsal(answers)).toEqual({ gate: 'rehearsal', says: 'not-asked' })
  })

  it('rehearses before people are asked, and still gives no permit', async () => {
    const there = room(seen({ policy: { mode: 'approve' } }))
    const { answers, permit } = await passGates(there)(plannedCase())
    expect(there.rehearsed).toHaveLength(1)
    expect(answers.filter(({ says }) => says !== 'pass')).toMatchObject([{ gate: 'approval', says: 'ask' }])
    expect(permit).toBeUndefined()
  })

  it('rehearses again once a person has approved', async () => {
    const there = room(seen({ policy: { mode: 'approve' }, approval: { planHash: planHash(PLAN), by: 'ada', at: NOW } }))
    expect((await passGates(there)(plannedCase())).permit).toBeDefined()
    expect(there.rehearsed).toHaveLength(1)
  })

  it('gives no permit for what fails in rehearsal', async () => {
    const { answers, permit } = await passGates(room(seen(), { says: 'refused', code: 'REHEARSAL_INVALID', why: 'no' }))(plannedCase())
    expect(rehearsal(answers)).toMatchObject({ says: 'refuse', code: 'REHEARSAL_REFUSED' })
    expect(permit).toBeUndefined()
  })

  it('lets a plan that only reads pass in observe mode without sending anything', async () => {
    const there = room(seen({ policy: { mode: 'observe' } }))
    const { permit } = await passGates(there)(readingOnly())
    expect(permit?.spend(NOW)).toEqual([])
    expect(there.rehearsed).toEqual([])
  })
})

describe('passing the gates again to take a change back', () => {
  it('ends in a permit for the undo steps', async () => {
    const there = room(seen())
    const { permit } = await passGatesForUndo(there)(plannedCase())
    expect(permit?.spend(NOW)).toEqual([scaleTo(3)])
    expect(there.rehearsed).toEqual([[scaleTo(3)]])
    expect(there.looked[0]?.plan.steps).toEqual([scaleTo(3)])
  })

  it('does not ask whether one should act: the case did', async () => {
    const quiet = seen({
      alert: 'resolved',
      past: { unknown: 'x' },
      policy: { allowedActions: [], minConfidence: 1, maintenance: [{ from: NOW - 1, to: NOW + 1, why: 'freeze' }] },
    })
    expect((await passGatesForUndo(room(quiet))(plannedCase())).permit).toBeDefined()
  })

  it.each([
    ['the kill switch', seen({ policy: { killSwitch: true } })],
    ['observe mode', seen({ policy: { mode: 'observe' } })],
    ['a missing right', seen({ missingRights: [{ right: { apiGroup: '', resource: 'x', verbs: ['y'] }, verb: 'y' }] })],
    ['protection', seen({ objects: objects(deployment({ labels: { 'alerts-slm.io/protected': 'true' } }), { kind: 'Pod', metadata: { name: 'web-1', uid: WEB_1.uid } }) })],
  ])('still heeds %s', async (_, what) => {
    expect((await passGatesForUndo(room(what))(plannedCase())).permit).toBeUndefined()
  })

  it('has nothing to permit where nothing can be undone', async () => {
    const there = room(seen())
    expect(await passGatesForUndo(there)(plannedCase({ undo: { impossible: 'gone' } }))).toEqual({ answers: [] })
    expect(there.looked).toEqual([])
  })
})
