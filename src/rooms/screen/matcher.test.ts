import { describe, expect, it } from 'vitest'
import { parseMatcher } from './matcher.ts'

const matches = (text: string, labels: Record<string, string>) => parseMatcher(text)?.matches(labels)

describe('parseMatcher', () => {
  it.each([
    ['severity="critical"', { severity: 'critical' }, true],
    ['severity = critical', { severity: 'critical' }, true],
    ['severity!="info"', { severity: 'info' }, false],
    ['severity=~"warning|critical"', { severity: 'critical' }, true],
    ['severity=~"crit"', { severity: 'critical' }, false],
    ['team!~"db|web"', { team: 'web' }, false],
    ['team=""', {}, true],
    ['team!="db"', {}, true],
    ['note="say \\"no\\""', { note: 'say "no"' }, true],
    ['constructor=""', {}, true],
  ])('reads %s against %j', (text, labels, expected) => {
    expect(matches(text, labels)).toBe(expected)
  })

  it.each(['severity', '=x', 'a=~"("', '1a="b"', 'a=="b'])('does not take %s for a matcher', (text) => {
    expect(parseMatcher(text)).toBeUndefined()
  })

  it('answers at once where a backtracking engine would not', () => {
    expect(matches('x=~"(a+)+b"', { x: 'a'.repeat(50_000) })).toBe(false)
  })
})
