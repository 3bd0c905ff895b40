import { expect, it } from 'vitest'
import { Fault } from '../domain/fault.ts'
import type { ObjectRef } from '../domain/target.ts'
import { readOnce } from '../facts/read-once.ts'
import type { Held } from './held.ts'
import { readAhead } from './read-ahead.ts'
import type { Reader } from './wire.ts'

const ref = (kind: string, name: string): ObjectRef => ({ apiVersion: kind === 'Pod' ? 'v1' : 'apps/v1', kind, namespace: 'team-a', name, uid: name })
const target = { owner: ref('Deployment', 'web'), chain: [ref('Pod', 'web-1'), ref('Deployment', 'web')] }
const held = (holds: boolean): Held => ({
  holds: () => holds,
  get: (kind) => (kind === 'Deployment' ? JSON.parse('{"spec":{"selector":{"matchLabels":{"app":"web"}}}}') : undefined),
  list: () => [],
})
function counting() {
  const asked: string[] = []
  const say = <T>(what: string, answer: T): Promise<T> => {
    asked.push(what)
    return what.includes('budgets') ? Promise.reject(new Fault('CLUSTER_FORBIDDEN', what)) : Promise.resolve(answer)
  }
  const reader: Reader = {
    namespace: 'team-a',
    get: (kind, name) => say(`get ${kind} ${name}`, undefined),
    list: (kind, selector) => say(kind === 'PodDisruptionBudget' ? 'list budgets' : `list ${kind} ${selector?.labels ?? ''}`, []),
    object: ({ kind, name }) => say(`object ${kind} ${name}`, undefined),
    logs: () => say('logs', ''),
  }
  return { asked, reader }
}

it('asks at once for what plan and gates ask for, and whoever asks in earnest gets that answer', async () => {
  const { asked, reader } = counting()
  const read = readOnce(reader)
  readAhead(read, held(true), target)
  const ahead = ['list Pod app=web', 'list ReplicaSet app=web', 'object Pod web-1', 'object Deployment web', 'list budgets']
  expect(asked).toEqual(ahead)
  await read.list('Pod', { labels: 'app=web' })
  await read.object(ref('Deployment', 'web'))
  expect(asked).toEqual(ahead)
  await expect(read.list('PodDisruptionBudget')).rejects.toMatchObject({ code: 'CLUSTER_FORBIDDEN' })
})

it('knows no selector while the watch is away, and asks for the rest', () => {
  const { asked, reader } = counting()
  readAhead(readOnce(reader), held(false), target)
  expect(asked).toEqual(['object Pod web-1', 'object Deployment web', 'list budgets'])
})
