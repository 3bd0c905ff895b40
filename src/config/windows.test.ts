import { expect, it } from 'vitest'
import { windowsAround } from './windows.ts'

const at = (text: string) => Date.parse(text)
const WEEK = 7 * 86_400_000
/** A Thursday. */
const NOW = at('2026-01-15T12:00:00Z')
const weekend = { days: ['sat' as const, 'sun' as const], from: '22:00', to: '06:00', why: 'weekend' }

it('gives single windows as they are, unless they are over', () => {
  const freeze = { from: '2026-01-15T00:00:00+02:00', to: '2026-01-16T00:00:00Z', why: 'freeze' }
  const over = { from: '2026-01-01T00:00:00Z', to: '2026-01-02T00:00:00Z', why: 'over' }
  expect(windowsAround([freeze, over], NOW, WEEK)).toEqual([{ from: at('2026-01-14T22:00:00Z'), to: at('2026-01-16T00:00:00Z'), why: 'freeze' }])
})

it('gives weekly windows on their days, over midnight', () => {
  expect(windowsAround([weekend], NOW, WEEK)).toEqual([
    { from: at('2026-01-17T22:00:00Z'), to: at('2026-01-18T06:00:00Z'), why: 'weekend' },
    { from: at('2026-01-18T22:00:00Z'), to: at('2026-01-19T06:00:00Z'), why: 'weekend' },
  ])
})

it('knows the window that began yesterday and is still open', () => {
  const open = windowsAround([weekend], at('2026-01-19T05:59:00Z'), 3_600_000)
  expect(open).toEqual([{ from: at('2026-01-18T22:00:00Z'), to: at('2026-01-19T06:00:00Z'), why: 'weekend' }])
  expect(windowsAround([weekend], at('2026-01-19T06:00:00Z'), 3_600_000)).toEqual([])
})
