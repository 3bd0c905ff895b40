import { expect, it } from 'vitest'
import { plannedCase } from '../test/gate-case.ts'
import { manualPorts } from '../test/manual-ports.ts'
import type { Held } from './kube/held.ts'
import type { Reader } from './kube/wire.ts'
import { makePasses } from './one-pass.ts'

const held: Held = { holds: () => false, get: () => undefined, list: () => [] }
function passing() {
  const ports = manualPorts()
  let asked = 0
  const say = <T>(answer: T): Promise<T> => {
    asked++
    return Promise.resolve(answer)
  }
  const live: Reader = { namespace: 'team-a', get: () => say(undefined), list: () => say([]), object: () => say(undefined), logs: () => say('') }
  const passes = makePasses({ live, held, ledger: { entries: () => say([]) }, clock: ports.clock })
  return { ports, passes, asked: () => asked }
}

it('reads nothing again for the gates that follow at once', () => {
  const { passes, asked } = passing()
  const file = plannedCase()
  const pass = passes.begin(file.target)
  passes.made(file.plan, pass)
  const before = asked()
  expect(before).toBeGreaterThan(2)
  expect(passes.forGates(file)).toBe(pass)
  expect(asked()).toBe(before)
})

it('reads anew for gates that come later, and for a plan that nobody read for', async () => {
  const { ports, passes, asked } = passing()
  const file = plannedCase()
  const pass = passes.begin(file.target)
  passes.made(file.plan, pass)
  await ports.advance(250)
  const before = asked()
  expect(passes.forGates(file)).not.toBe(pass)
  expect(asked()).toBe(2 * before)
  expect(passes.forGates(plannedCase())).not.toBe(pass)
})
