import { expect, it } from 'vitest'
import { NOW, plannedCase, readingOnly, seen } from '../../../test/gate-case.ts'
import { maintenanceWindow } from './maintenance-window.ts'

const during = (...maintenance: { from: number; to: number; why: string }[]) => seen({ policy: { maintenance } })

it('holds until the last window that is open now ends', () => {
  const windows = during({ from: NOW - 10, to: NOW + 100, why: 'freeze' }, { from: NOW, to: NOW + 500, why: 'upgrade' }, { from: NOW + 1, to: NOW + 900, why: 'later' })
  expect(maintenanceWindow.judge(plannedCase(), windows, NOW)).toMatchObject({
    says: 'hold',
    code: 'MAINTENANCE_WINDOW',
    until: NOW + 500,
    why: expect.stringContaining('freeze; upgrade'),
  })
})

it('is over at its end, and never stops what only reads', () => {
  expect(maintenanceWindow.judge(plannedCase(), during({ from: NOW - 10, to: NOW, why: 'freeze' }), NOW)).toEqual({ says: 'pass' })
  expect(maintenanceWindow.judge(readingOnly(), during({ from: NOW - 10, to: NOW + 10, why: 'freeze' }), NOW)).toEqual({ says: 'pass' })
})
