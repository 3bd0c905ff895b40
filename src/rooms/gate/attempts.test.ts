import { expect, it } from 'vitest'
import { tried } from '../../../test/gate-case.ts'
import type { LedgerEntry } from '../../kube/ledger-entry.ts'
import { mergeAttempts } from './attempts.ts'

const entry = (caseId: string, over: Partial<LedgerEntry> = {}): LedgerEntry => ({
  caseId,
  at: 5,
  owner: 'Deployment/team-a/web',
  targetUid: 'u',
  alert: 'A',
  action: 'restart_pod',
  planHash: 'h',
  term: 1,
  undo: { impossible: 'x' },
  ...over,
})
const all = () => true

it('keeps what only the ledger still knows, newest first', () => {
  const merged = mergeAttempts([tried(10)], [entry('lost', { at: tried(5).at, outcome: 'undone' })], all)
  expect(merged.map(({ caseId, outcome }) => `${caseId} ${outcome}`)).toEqual(['lost undone', 'case-10 fixed'])
})

it('counts a case once, with the outcome that either of them knows', () => {
  expect(mergeAttempts([tried(10, { outcome: undefined })], [entry('case-10', { outcome: 'unproven' })], all)).toMatchObject([{ caseId: 'case-10', outcome: 'unproven' }])
  expect(mergeAttempts([tried(10, { outcome: 'fixed' })], [entry('case-10')], all)).toMatchObject([{ caseId: 'case-10', outcome: 'fixed' }])
})

it('takes from the ledger only what fits', () => {
  expect(mergeAttempts([], [entry('a'), entry('b', { owner: 'Deployment/team-a/api' })], ({ owner }) => owner.endsWith('api')).map(({ caseId }) => caseId)).toEqual(['b'])
})
