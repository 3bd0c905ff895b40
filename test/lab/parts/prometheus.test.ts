import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { ALERT_RULES } from '../../../src/practice/alert-conditions.ts'
import { LAB } from '../binaries.ts'
import { RULES, shortenedRules, shorter } from './prometheus.ts'

const text = readFileSync(join(LAB, 'rules.yaml'), 'utf8')
const rulesOf = (written: string) => RULES.parse(parse(written)).groups.flatMap(({ rules }) => rules)

describe('the alert rules of the lab', () => {
  it('have every time divided, and nothing below three scrapes', () => {
    expect([shorter('15m', 60), shorter('1h', 60), shorter('1m', 60)]).toEqual(['15000ms', '60000ms', '3000ms'])
    expect(() => shorter('1h30m', 60)).toThrow('1h30m is no duration of one unit')
  })

  it('are changed in nothing but their times', () => {
    const [real, short] = [rulesOf(text), rulesOf(shortenedRules(text, 60))]
    const timeless = (expr: string) => expr.replaceAll(/\[\w+\]/g, '[]').trim()
    expect(short.map(({ alert, expr, labels }) => ({ alert, expr: timeless(expr), labels }))).toEqual(
      real.map(({ alert, expr, labels }) => ({ alert, expr: timeless(expr), labels })),
    )
    expect(short.find(({ alert }) => alert === 'KubePodCrashLooping')).toMatchObject({ for: '15000ms', expr: expect.stringContaining('[5000ms]') })
  })

  it('carry the names, severities and summaries that practice has, but for the one that only cAdvisor could feed', () => {
    const told = (rules: readonly { readonly alert: string; readonly severity: string | undefined; readonly summary: string | undefined }[]) =>
      Object.fromEntries(rules.map(({ alert, severity, summary }) => [alert, `${severity}: ${summary}`]))
    const lab = told(rulesOf(text).map(({ alert, labels, annotations }) => ({ alert, severity: labels['severity'], summary: annotations['summary'] })))
    expect(lab).toMatchObject(told(ALERT_RULES.filter(({ alert }) => alert !== 'CPUThrottlingHigh')))
  })
})
