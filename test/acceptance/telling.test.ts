// How people hear of a case, and that they hear of it once.
import { describe, expect, it } from 'vitest'
import { NAMESPACE } from '../acting.ts'
import { promise } from '../promises.ts'
import { badDeploy, crashes, crashLooping, deployment, untilFailing, untilWell } from './scenes.ts'
import { type Stage, stage, type Wishes } from './stage.ts'

const ALL: Wishes = { alertmanagers: 2, delivering: true, config: { tell: { chat: { url: 'http://chat.test/hooks/secret-part' } } } }
const eventsOn = (on: Stage) => on.practice.requests.filter(({ method, path, status }) => method === 'POST' && path.endsWith('/events') && status === 201).map(({ body }) => body)
const isList = (value: unknown): value is readonly { readonly labels: Readonly<Record<string, string>> }[] => Array.isArray(value)
/** What an Alertmanager shows of our own alerts. */
async function raised(on: Stage, place: number) {
  const answer = await on.alertmanagers[place]?.fetch(new Request(`http://alertmanager-${place}.test/api/v2/alerts?filter=alerts_slm_case%3D~%22.%2B%22`))
  const list: unknown = await answer?.json()
  if (!isList(list)) throw new Error('no list of alerts')
  return list
}

async function ambiguous(wishes: Wishes = ALL): Promise<Stage> {
  const on = await stage({ ...wishes, manifests: [deployment('billing', 9), crashes('billing', 9)] })
  await untilFailing(on, 'billing')
  await on.push(crashLooping(on, 'billing'))
  await on.closed(1)
  await on.ports.advance(2_000)
  return on
}

describe('people', () => {
  it(promise('people-are-told', 'log, Event, chat and every Alertmanager'), async () => {
    const on = await ambiguous()
    const [one] = on.cases()
    expect(one).toMatchObject({ outcome: 'told' })
    expect(on.chat).toEqual([expect.stringContaining('KubePodCrashLooping on Deployment team-a/billing: needs a person')])
    expect(on.chat[0]).toContain('What to do:')
    expect(eventsOn(on)).toEqual([
      expect.objectContaining({
        reason: 'AlertsSlmTold',
        type: 'Warning',
        reportingController: 'alerts-slm.io/sidecar',
        regarding: expect.objectContaining({ kind: 'Deployment', name: 'billing', namespace: NAMESPACE }),
      }),
    ])
    for (const place of [0, 1])
      expect((await raised(on, place)).map(({ labels }) => labels)).toEqual([
        expect.objectContaining({ alertname: 'AlertsSlmCaseTold', alerts_slm_case: one?.id, namespace: NAMESPACE }),
      ])
    expect(on.log.filter((line) => line.includes('needs a person'))).toHaveLength(1)
    // The address of the chat is a secret.
    expect(on.log.join('\n')).not.toContain('secret-part')
  })

  it(promise('own-alerts-open-nothing'), async () => {
    const on = await ambiguous()
    await on.ports.advance(30_000)
    const came = on.alertmanagers.flatMap(({ attempts }) => attempts.filter(({ body }) => body.alerts.some(({ labels }) => 'alerts_slm_case' in labels)))
    expect(came.length).toBeGreaterThan(1)
    expect(came.every(({ status }) => status === 200)).toBe(true)
    expect(on.cases()).toHaveLength(1)
    expect(on.chat).toHaveLength(1)
  })

  it(promise('people-are-told', 'asked once, and told when it is over'), async () => {
    const on = await badDeploy({ ...ALL, delivering: false, config: { ...ALL.config, actions: { mode: 'approve' }, settle: { hold: '6m' } } })
    const alert = crashLooping(on, 'web')
    on.alertmanagers[0]?.post([{ ...alert, annotations: {}, generatorURL: '', startsAt: undefined, endsAt: on.ports.clock.now() + 7_200_000 }])
    await on.push(alert)
    await on.waiting('approval')
    await on.ports.advance(310_000)
    expect(on.chat).toEqual([expect.stringMatching(/asks for approval[\s\S]*approve plan [0-9a-f]{16}/)])
    // Renewed until it closes: an alert that nobody renews ends after five minutes.
    expect((await raised(on, 1)).map(({ labels }) => labels['alertname'])).toEqual(['AlertsSlmCaseAsks'])
    expect(await on.ending(900_000)).toMatchObject({ outcome: 'refused', reason: 'HELD_TOO_LONG' })
    await on.ports.advance(2_000)
    expect(on.chat).toHaveLength(2)
    expect((await raised(on, 1)).map(({ labels }) => labels['alertname'])).toEqual(['AlertsSlmCaseRefused'])
  })

  it('are told again after a restart only of what they were not told', async () => {
    const on = await ambiguous()
    await on.restart()
    await on.ports.advance(10_000)
    expect(on.chat).toHaveLength(1)
    expect(eventsOn(on)).toHaveLength(1)
  })

  it(promise('people-are-told', 'also when it was killed before it could tell'), async () => {
    const on = await stage({ ...ALL, manifests: [deployment('billing', 9), crashes('billing', 9)] })
    await untilFailing(on, 'billing')
    on.practice.faults.add({ match: { method: 'POST', path: /\/events$/ }, times: 1, then: { kind: 'hang' } })
    await on.push(crashLooping(on, 'billing'))
    await on.closed(1)
    on.kill()
    await on.start()
    await on.ports.advance(10_000)
    expect(eventsOn(on)).toHaveLength(1)
  })

  it('hear nothing of what was mended, but for the Event on the object', async () => {
    const on = await badDeploy({ ...ALL, delivering: false })
    const alert = crashLooping(on, 'web')
    for (const peer of on.alertmanagers) peer.post([{ ...alert, annotations: {}, generatorURL: '', startsAt: undefined, endsAt: on.ports.clock.now() + 20_000 }])
    await on.push(alert)
    await untilWell(on, 'web', 1)
    await on.resolve(alert)
    expect(await on.ending()).toMatchObject({ outcome: 'fixed' })
    await on.ports.advance(2_000)
    expect(on.chat).toEqual([])
    expect(eventsOn(on)).toEqual([expect.objectContaining({ reason: 'AlertsSlmFixed', type: 'Normal' })])
    expect(await raised(on, 0)).toEqual([])
  })

  it('are told by the other channels when one is broken', async () => {
    const on = await stage({ ...ALL, config: { tell: { chat: { url: 'http://nobody.test/hook' } } }, manifests: [deployment('billing', 9), crashes('billing', 9)] })
    await untilFailing(on, 'billing')
    await on.push(crashLooping(on, 'billing'))
    await on.closed(1)
    await on.ports.advance(120_000)
    expect(eventsOn(on)).toHaveLength(1)
    expect(on.log.some((line) => line.includes('could not be told by this channel') && line.includes('chat'))).toBe(true)
  })
})
