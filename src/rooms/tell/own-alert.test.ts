import { describe, expect, it } from 'vitest'
import { ALERT, NOW, plannedCase } from '../../../test/gate-case.ts'
import { manualPorts } from '../../../test/manual-ports.ts'
import type { OwnAlert } from '../../alertmanager/client.ts'
import { close, park } from '../../domain/case-file.ts'
import { Fault } from '../../domain/fault.ts'
import { screen } from '../screen/screen.ts'
import { noticeOf } from './notice.ts'
import { alertmanagerChannel, CASE_LABEL, makeRenewals } from './own-alert.ts'
import { keepRenewing } from './renew.ts'

const EVERY = 120_000
const KEEP = 3_600_000
const asks = noticeOf(park(plannedCase(), 'approval', NOW, 'b'))
const told = noticeOf(close(plannedCase(), 'told', 'NO_RULE', 'b'))
const fixed = noticeOf(close(plannedCase(), 'fixed', 'VERIFIED', 'b'))

/** Alertmanager as it takes what is posted, or is away. */
function alertmanager() {
  const ports = manualPorts()
  const posts: (readonly OwnAlert[])[] = []
  const state = { away: false }
  const post = async (alerts: readonly OwnAlert[]) => {
    if (state.away) throw new Fault('ALERTMANAGER_UNREACHABLE', 'away')
    posts.push(alerts)
    return { taken: 1, failed: [] }
  }
  const renewals = makeRenewals({ clock: ports.clock, everyMs: EVERY, keepMs: KEEP })
  return { ports, posts, state, post, renewals, channel: alertmanagerChannel(post, renewals) }
}
const names = (alerts: readonly OwnAlert[] = []) => alerts.map(({ labels, endsAt }) => `${labels['alertname']} ${(endsAt ?? 0) > NOW + 1_000 ? 'fires' : 'ends'}`)

describe('an alert of our own', () => {
  it('carries the label that we screen out, severity warning and the namespace that routes go by', async () => {
    const { channel, posts } = alertmanager()
    await channel.send(told)
    const back = { ...ALERT, labels: posts[0]?.[0]?.labels ?? {} }
    expect(screen(back, undefined, { reconsiderMs: 1 }, NOW)).toEqual({ kind: 'own' })
    expect(posts[0]).toMatchObject([
      {
        labels: {
          alertname: 'AlertsSlmCaseTold',
          severity: 'warning',
          namespace: 'team-a',
          [CASE_LABEL]: 'case-now',
          about: 'KubePodCrashLooping',
          kind: 'Deployment',
          name: 'web',
        },
        annotations: { summary: told.title, description: expect.stringContaining('What to do:') },
        endsAt: NOW + KEEP,
      },
    ])
  })

  it('of an open case lasts for three renewals and is renewed until the case closes', async () => {
    const { channel, posts, renewals, ports } = alertmanager()
    await channel.send(asks)
    expect(posts[0]).toMatchObject([{ labels: { alertname: 'AlertsSlmCaseAsks' }, endsAt: NOW + 3 * EVERY }])
    await ports.advance(EVERY)
    expect(renewals.due()).toMatchObject([{ startsAt: NOW, endsAt: NOW + 4 * EVERY }])
    await channel.send(fixed)
    expect(posts[1]).toMatchObject([{ labels: { alertname: 'AlertsSlmCaseAsks' }, endsAt: NOW + EVERY }])
    expect(renewals.due()).toEqual([])
  })

  it('ends when the case closes otherwise, and another takes its place', async () => {
    const { channel, posts } = alertmanager()
    await channel.send(asks)
    await channel.send(told)
    expect(names(posts[1])).toEqual(['AlertsSlmCaseAsks ends', 'AlertsSlmCaseTold fires'])
  })

  it('is not raised for what nobody has to look at', async () => {
    const { channel, posts } = alertmanager()
    await channel.send(fixed)
    expect(posts).toEqual([])
  })

  it('ends late rather than never when Alertmanager was away', async () => {
    const { channel, posts, state, renewals } = alertmanager()
    await channel.send(asks)
    state.away = true
    await expect(channel.send(told)).rejects.toThrow('away')
    expect(names(renewals.due())).toEqual(['AlertsSlmCaseAsks ends'])
    state.away = false
    await channel.send(told)
    expect(names(posts.at(-1))).toEqual(['AlertsSlmCaseAsks ends', 'AlertsSlmCaseTold fires'])
    expect(renewals.due()).toEqual([])
  })
})

describe('renewing', () => {
  it('goes on after a failure, and stops when it is told to', async () => {
    const { channel, posts, state, post, renewals, ports } = alertmanager()
    await channel.send(asks)
    const failures: unknown[] = []
    const stop = keepRenewing({ post, renewals, timers: ports.timers, everyMs: EVERY, onFailed: (error) => failures.push(error) })
    state.away = true
    await ports.advance(EVERY)
    expect(failures).toHaveLength(1)
    state.away = false
    await ports.advance(EVERY)
    expect(posts).toHaveLength(2)
    stop()
    await ports.advance(10 * EVERY)
    expect(posts).toHaveLength(2)
  })

  it('posts nothing while nothing is open', async () => {
    const { posts, post, renewals, ports } = alertmanager()
    keepRenewing({ post, renewals, timers: ports.timers, everyMs: EVERY, onFailed: () => {} })
    await ports.advance(3 * EVERY)
    expect(posts).toEqual([])
  })
})
