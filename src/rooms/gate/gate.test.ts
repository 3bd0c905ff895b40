import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { NOW, plannedCase, readingOnly, seen } from '../../../test/gate-case.ts'
import { GATE_CODES } from './codes.ts'
import { GATES, GATES_FOR_UNDO, gate } from './gate.ts'
import { permit } from './permit.ts'

const files = readdirSync(new URL('.', import.meta.url)).filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
const sourceOf = (name: string): string => readFileSync(new URL(name, import.meta.url), 'utf8')

describe('the list of gates', () => {
  it('names every gate that lies here, and each by its file', () => {
    const onDisk = files.filter((name) => /^export const \w+: Gate = /m.test(sourceOf(name))).map((name) => name.replace('.ts', ''))
    expect(GATES.map(({ name }) => name).toSorted()).toEqual(onDisk.toSorted())
  })

  it('has the order in which a case gets its reason', () => {
    expect(GATES.map(({ name }) => name).join(' ')).toBe(
      'kill-switch mode own-namespace protected-objects own-pod alert-firing owner-reverts rights limits disruption evidence clock budget cooldown oscillation ineffective maintenance-window confidence approval',
    )
  })

  it('has a test beside each gate', () => {
    const tests = readdirSync(new URL('.', import.meta.url))
    expect(GATES.filter(({ name }) => !tests.includes(`${name}.test.ts`))).toEqual([])
  })

  it('uses every code of the table in one gate', () => {
    const used = files
      .filter((name) => name !== 'codes.ts')
      .map(sourceOf)
      .join('')
    expect(Object.keys(GATE_CODES).filter((code) => !used.includes(`'${code}'`))).toEqual([])
  })

  it('leaves out of an undo only what asks whether one should act at all', () => {
    expect(GATES_FOR_UNDO.map(({ name }) => name)).toEqual(['kill-switch', 'mode', 'own-namespace', 'protected-objects', 'own-pod', 'owner-reverts', 'rights'])
  })
})

describe('judging', () => {
  it('asks every gate, also when the first has refused already', () => {
    const answers = gate(plannedCase(), seen({ policy: { killSwitch: true, mode: 'observe' }, alert: 'resolved' }), NOW)
    expect(answers).toHaveLength(GATES.length + 1)
    expect(answers.filter(({ says }) => says === 'refuse').map((answer) => answer.gate)).toEqual(['kill-switch', 'mode', 'alert-firing'])
  })

  it('gives no permit by itself: the rehearsal was not asked', () => {
    const file = plannedCase()
    const answers = gate(file, seen(), NOW)
    expect(answers.filter(({ says }) => says !== 'pass')).toEqual([{ gate: 'rehearsal', says: 'not-asked' }])
    expect(permit(file, file.plan.steps, answers, NOW)).toBeUndefined()
  })

  it('says with every stop what would change it', () => {
    const unread = { unknown: 'x' }
    const all = seen({ objects: new Map(), alert: unread, autoscalers: unread, pods: unread, budgets: unread, quotas: unread, missingRights: unread, past: unread })
    const stops = gate(plannedCase(), all, NOW).filter((answer) => 'code' in answer)
    expect(stops.length).toBeGreaterThan(7)
    for (const stop of stops) expect(stop).toMatchObject({ code: expect.stringMatching(/^[A-Z_]+$/), why: expect.stringMatching(/.{10}/), remedy: expect.stringMatching(/.{4}/) })
  })

  it('lets a plan that only reads pass in observe mode, where nothing about it is known', () => {
    const unread = { unknown: 'x' }
    const blind = seen({ policy: { mode: 'observe', killSwitch: true }, objects: new Map(), alert: unread, pods: unread, budgets: unread, missingRights: unread, past: unread })
    expect(gate(readingOnly(), blind, NOW).filter(({ says }) => says !== 'pass' && says !== 'not-asked')).toEqual([])
  })
})
