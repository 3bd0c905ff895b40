// Rules under a running sidecar: refused at start, refused on reload, swapped when they are good.
import { rmSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { isFault } from '../../src/domain/fault.ts'
import { pause } from '../../src/domain/ports.ts'
import { realPorts } from '../../src/ports.ts'
import { promise } from '../promises.ts'
import { alertOf, badDeploy, rulesFolder } from './scenes.ts'
import { type Stage, stage } from './stage.ts'

const GOOD =
  'alerts: [Mine]\nrules:\n  - id: mine-tells\n    when: { all: [{ fact: label, params: { name: severity }, operator: equal, value: warning }] }\n    then: { action: notify_only }\n    because: somebody wants to know\n'
const BROKEN = GOOD.replace('operator: equal', 'operator: equals')

async function refusedWith(file: string, text: string): Promise<string> {
  const folder = rulesFolder(file, text)
  const error: unknown = await stage({ config: { rules: { tenant_dir: folder } } }).then(
    () => undefined,
    (refused: unknown) => refused,
  )
  if (!isFault(error, 'RULES_INVALID')) throw new Error(`it started, or failed otherwise: ${String(error)}`)
  return error.message
}
/** Files are read in real time, whatever the clock of the stage says. */
async function untilRead(on: Stage, seen: () => boolean): Promise<void> {
  for (let tries = 0; tries < 400 && !seen(); tries++) {
    await on.ports.advance(1_000)
    await pause(realPorts.timers, 5)
  }
  expect(seen()).toBe(true)
}

describe('rules', () => {
  it.each([
    ['an operator that does not exist', BROKEN, /:4:\d+: error: .*equals/],
    ['a fact that does not exist', GOOD.replace('fact: label', 'fact: labels'), /:4:\d+: error: .*labels/],
    ['an action that does not exist', GOOD.replace('notify_only', 'notify_all'), /:5:\d+: error: .*notify_all/],
    ['a field that does not exist', GOOD.replace('because:', 'why:'), /:\d+:\d+: error: .*(?:why|because)/],
    ['text that is no YAML', `${GOOD}  - id: [`, /:\d+:\d+: error: /],
  ])('%s refuses to start, with the place', async (_, text, place) => {
    const message = await refusedWith('mine.yaml', text)
    expect(message).toContain('mine.yaml')
    expect(message).toMatch(place)
  })

  it(promise('broken-rules-refuse-start'), async () => {
    const message = await refusedWith('mine.yaml', BROKEN)
    expect(message).toMatch(/mine\.yaml:4:\d+: error: [^\n]*equals/)
    // With the line itself below it.
    expect(message).toMatch(/4 \| .*operator: equals/)
  })

  it(promise('last-good-book-stays', 'after a broken edit and after rules that vanish'), async () => {
    const folder = rulesFolder('mine.yaml', GOOD)
    const on = await stage({ alertmanagers: 1, config: { rules: { tenant_dir: folder, reload_every: '1s' } } })
    writeFileSync(`${folder}/mine.yaml`, BROKEN)
    await untilRead(on, () => on.log.some((line) => line.includes('refused') && line.includes('mine.yaml')))
    expect(await on.app.metrics.text()).toMatch(/^alerts_slm_book_refused_total 1$/m)
    const told = await on.alertmanagers[0]?.fetch(new Request('http://alertmanager-0.test/api/v2/alerts'))
    expect(JSON.stringify(await told?.json())).toMatch(/AlertsSlmRulesRefused/)
    await on.push(alertOf('Mine', { deployment: 'web' }))
    await on.closed(1)

    rmSync(`${folder}/mine.yaml`)
    await untilRead(on, () => on.log.some((line) => line.includes('vanished')))
    await on.push(alertOf('Mine', { deployment: 'other' }))
    expect((await on.closed(2)).map(({ reason }) => reason)).toEqual(['NO_TARGET', 'NO_TARGET'])
    expect(await on.app.metrics.text()).toMatch(/^alerts_slm_book_refused_total 2$/m)
  })

  it('that are good are in use from the next alert on', async () => {
    const folder = rulesFolder('mine.yaml', GOOD)
    const on = await badDeploy({ config: { rules: { tenant_dir: folder, reload_every: '1s' } } })
    await on.push(alertOf('Mine', { deployment: 'web' }))
    expect((await on.closed(1)).at(-1)).toMatchObject({ outcome: 'told', reason: 'RULE_SAYS_TELL' })
    writeFileSync(
      `${folder}/mine.yaml`,
      'alerts: [Mine]\nrules:\n  - id: mine-acts\n    when: { all: [{ fact: rollout, path: $.newRevisionReady, operator: equal, value: 0 }] }\n    then: { action: rollback_deployment, confidence: 0.9 }\n    because: none works\n',
    )
    await untilRead(on, () => on.log.some((line) => line.includes('a new rule book is in use')))
    await on.push(alertOf('Mine', { deployment: 'web', again: 'yes' }))
    await on.ports.until(() => on.written().length === 1)
    expect(on.cases().at(-1)).toMatchObject({ rule: 'mine-acts' })
  })
})

describe('the configuration', () => {
  it('tells all its problems at once', async () => {
    const error: unknown = await stage({ config: { webhook: { port: 'many', pat: '/x' }, actions: { mode: 'act' }, settle: { time: '-1s' } } }).then(
      () => undefined,
      (refused: unknown) => refused,
    )
    expect(isFault(error, 'CONFIG_INVALID')).toBe(true)
    for (const field of ['webhook.port', 'webhook.pat', 'actions.mode', 'settle.time']) expect(String(error)).toContain(field)
  })
})
