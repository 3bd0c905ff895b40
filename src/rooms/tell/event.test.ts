import { expect, it } from 'vitest'
import { ALERT, NOW, plannedCase, WEB } from '../../../test/gate-case.ts'
import { close, park } from '../../domain/case-file.ts'
import type { KubeEvent } from '../../kube/events.ts'
import { eventChannel } from './event.ts'
import { noticeOf } from './notice.ts'

const ignored = async () => {}
const fixed = noticeOf(close(plannedCase(), 'fixed', 'VERIFIED', 'good for 10m'))
const undone = noticeOf(close(plannedCase(), 'undone', 'MADE_WORSE', 'worse'))

it('lies on the owner, names us, and warns where somebody has to look', async () => {
  const events: KubeEvent[] = []
  const channel = eventChannel(
    async (event) => void events.push(event),
    () => true,
  )
  await channel.send(fixed)
  await channel.send(undone)
  expect(events).toMatchObject([
    { object: WEB, type: 'Normal', reason: 'AlertsSlmFixed', action: 'scale_deployment', note: expect.stringContaining('good for 10m') },
    { type: 'Warning', reason: 'AlertsSlmUndone' },
  ])
})

it('is not written where nothing may be written', () => {
  expect(eventChannel(ignored, () => false).carries(undone)).toBe(false)
  expect(eventChannel(ignored, () => true).carries(undone)).toBe(true)
})

it('needs an object, and does not report every wait', () => {
  const channel = eventChannel(ignored, () => true)
  expect(channel.carries(noticeOf(close({ at: 'opened', id: plannedCase().id, openedAt: NOW, alerts: [ALERT] }, 'told', 'NO_TARGET', 'b')))).toBe(false)
  expect(channel.carries(noticeOf(park(plannedCase(), 'cooldown', NOW, 'b')))).toBe(false)
  expect(channel.carries(noticeOf(close(plannedCase(), 'cancelled', 'TARGET_GONE', 'b')))).toBe(false)
})
