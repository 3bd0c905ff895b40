import { expect, test } from 'vitest'
import { parseIncident, readIncidents } from './incidents.ts'

const HEADER = `apiVersion: practice.alerts-slm.io/v1
kind: Incident
metadata: { name: one }
spec: { title: t, expect: [{ alert: A, outcome: told }] }
`
const object = (kind: string, name: string, more = '') => `---\napiVersion: v1\nkind: ${kind}\nmetadata: { name: ${name} }\n${more}`

test('an object that is declared again begins a new stage, with what follows it', async () => {
  const incident = await parseIncident(HEADER + object('ConfigMap', 'a') + object('ConfigMap', 'b') + object('ConfigMap', 'a') + object('ConfigMap', 'c'), 'one.yaml')
  expect(incident.stages.map((stage) => stage.map(({ metadata }) => metadata.name))).toEqual([
    ['a', 'b'],
    ['a', 'c'],
  ])
  expect(incident.workloads).toEqual(['a', 'b', 'c'])
})

test.each([
  ['broken YAML', `${HEADER}---\na: [`, /one.yaml: /],
  ['no header', object('ConfigMap', 'a'), /no Incident/],
  ['an unknown field', HEADER.replace('title:', 'titel:'), /titel/],
  ['an outcome that there is not', HEADER.replace('told', 'repaired'), /outcome/],
  ['a manifest without a name', `${HEADER}---\napiVersion: v1\nkind: Pod\nmetadata: {}\n`, /name/],
  [
    'a Behaviour with a failure that there is not',
    HEADER + object('Behaviour', 'b', 'spec: { match: {}, then: { fail: explode } }').replace('apiVersion: v1', 'apiVersion: practice.alerts-slm.io/v1'),
    /Behaviour b/,
  ],
  [
    'a Behaviour with a quantity that is none',
    HEADER + object('Behaviour', 'b', 'spec: { match: { memoryLimitBelow: much } }').replace('apiVersion: v1', 'apiVersion: practice.alerts-slm.io/v1'),
    /quantity/,
  ],
  ['nothing', '', /./],
])('%s is refused, naming the file and what is wrong', async (_, text, why) => {
  await expect(parseIncident(text, 'one.yaml')).rejects.toMatchObject({ code: 'INPUT_INVALID', message: expect.stringMatching(why) })
})

test('the incidents that come with the program can be chosen by name; a wrong name is told with the right ones', async () => {
  expect((await readIncidents()).length).toBeGreaterThanOrEqual(10)
  expect((await readIncidents(['search', 'checkout'])).map(({ name }) => name)).toEqual(['checkout', 'search'])
  await expect(readIncidents(['chekout'])).rejects.toThrow(/chekout; there are .*checkout/)
})
