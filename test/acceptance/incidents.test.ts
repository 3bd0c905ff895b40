// The incidents of `npm start`, on a clock of their own: endings are computed, so other names and another order end the same.
import { readdirSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { type PracticeCluster, startPracticeCluster } from '../../src/cli/practice-cluster.ts'
import { endingOf } from '../../src/cli/start.ts'
import type { Closed } from '../../src/domain/case-file.ts'
import { differences, type Incident, parseIncident } from '../../src/practice/incidents.ts'
import { manualPorts } from '../manual-ports.ts'

const FOLDER = new URL('../../src/practice/incidents/', import.meta.url)
const NAMES = readdirSync(FOLDER)
  .filter((file) => file.endsWith('.yaml'))
  .map((file) => file.replace('.yaml', ''))

/** Every name of the incident, its images and labels included, becomes another one; what is expected stays. */
const read = (name: string, rename: (name: string) => string): Promise<Incident> => {
  const text = readFileSync(new URL(`${name}.yaml`, FOLDER), 'utf8')
  return parseIncident(text.replaceAll(new RegExp(`(?<![\\w])${name}(?![\\w])`, 'g'), rename(name)), `${name}.yaml`)
}

async function play(incidents: readonly Incident[]) {
  const ports = manualPorts()
  const ended: Closed[] = []
  const cluster: PracticeCluster = await startPracticeCluster({ ports, environment: {}, incidents, onClosed: (closed) => ended.push(closed), sockets: false })
  let quiet = 0
  await ports.until(
    () => {
      quiet = cluster.world.quiet() && cluster.app.history.openCases().length === 0 && cluster.app.walking() === 0 ? quiet + 1 : 0
      return quiet > 5
    },
    120_000,
    100,
  )
  const stopping = cluster.stop('the end of the test')
  await ports.advance(10_000)
  await stopping
  return differences(incidents, ended.map(endingOf))
}

it('ends every incident as expected', async () => {
  expect(await play(await Promise.all(NAMES.map((name) => read(name, (same) => same))))).toEqual([])
}, 120_000)

it('ends them the same under other names and in another order', async () => {
  const renamed = await Promise.all(NAMES.toReversed().map((name, index) => read(name, () => `w${NAMES.length - index}-${[...name].toReversed().join('')}`)))
  expect(await play(renamed)).toEqual([])
}, 120_000)
