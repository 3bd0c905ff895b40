import { describe, expect, it } from 'vitest'
import { ALERT, NOW, plannedCase, seen, WEB } from '../../../test/gate-case.ts'
import { close, type Opened, park } from '../../domain/case-file.ts'
import { gate } from '../gate/gate.ts'
import { asText, noticeOf } from './notice.ts'

const opened = (labels: Record<string, string> = {}, annotations: Record<string, string> = {}): Opened => ({
  at: 'opened',
  id: plannedCase().id,
  openedAt: NOW,
  alerts: [{ ...ALERT, labels: { ...ALERT.labels, ...labels }, annotations }],
})

describe('a notice', () => {
  it('says what happened to what, why, on what grounds and what to do', () => {
    const text = asText(noticeOf(close(plannedCase(), 'undone', 'MADE_WORSE', 'two pods became unready')))
    expect(text.split('\n')).toEqual([
      'KubePodCrashLooping on Deployment team-a/web: changed and taken back',
      'Why: two pods became unready',
      'Decided: scale_deployment by rule crash-1, because because',
      'Plan: scale web from 3 to 4',
      'Evidence: pod',
      'Case: case-now (`alerts-slm cases show case-now`)',
      'What to do: find the cause by hand: this remedy makes it worse',
    ])
  })

  it('gives the sentence and the remedy of the gate that refused', () => {
    const answers = gate(plannedCase(), seen({ policy: { limits: { maxReplicas: 3, maxMemoryBytes: 1, maxPodShare: 1 } } }), NOW)
    const notice = noticeOf(close(plannedCase(), 'refused', 'LIMIT_REPLICAS', 'why and remedy together', { answers }))
    expect([notice.why, notice.whatToDo]).toEqual(['4 replicas are more than the 3 allowed', 'raise actions.limits.max_replicas'])
  })

  it('of a case that asks is for people, of one that waits is not', () => {
    const answers = gate(plannedCase(), seen({ policy: { mode: 'approve' } }), NOW)
    const asks = noticeOf(park(plannedCase(), 'approval', NOW, 'b', answers))
    expect(asks).toMatchObject({ kind: 'asks', open: true, forPeople: true, reason: 'approval', whatToDo: expect.stringMatching(/^approve plan [0-9a-f]{16}$/) })
    expect(noticeOf(park(plannedCase(), 'cooldown', NOW, 'b'))).toMatchObject({ kind: 'waits', forPeople: false })
  })

  it.each([
    ['told', true],
    ['refused', true],
    ['unproven', true],
    ['undone', true],
    ['failed', true],
    ['fixed', false],
    ['observed', false],
    ['cancelled', false],
  ] as const)('that a case was %s is for people: %s', (outcome, forPeople) => {
    expect(noticeOf(close(plannedCase(), outcome, 'X', 'b')).forPeople).toBe(forPeople)
  })

  it('names the object where one was found, else the namespace', () => {
    expect(noticeOf(close(plannedCase(), 'told', 'NO_RULE', 'b'))).toMatchObject({ object: WEB, namespace: 'team-a', action: 'scale_deployment' })
    const lost = noticeOf(close(opened(), 'told', 'NO_TARGET', 'b'))
    expect(lost).toMatchObject({ object: undefined, action: undefined, title: 'KubePodCrashLooping on namespace team-a: needs a person' })
    expect(lost.whatToDo).toContain('labels')
  })

  it('carries no secrets, control characters or novels of other people', () => {
    const annotations = { summary: `password=hunter2 \u001b[31mred\u0007 \u202e${'x'.repeat(5_000)}`, runbook_url: 'https://runbooks.example.com/KubePodCrashLooping' }
    const notice = noticeOf(close(opened({ alertname: 'A\nWhy: forged' }, annotations), 'told', 'NO_RULE', 'Authorization: Bearer abcdefghijklmnop'))
    const text = asText(notice)
    expect(text).not.toMatch(/hunter2|abcdefghijklmnop|[\u001b\u0007\u202e]/)
    expect(text.match(/^Why: /gm)).toHaveLength(1)
    expect(text.length).toBeLessThan(2_000)
    expect(text).toContain('Runbook: https://runbooks.example.com/KubePodCrashLooping')
  })
})
