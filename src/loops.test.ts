import { expect, it } from 'vitest'
import { manualPorts } from '../test/manual-ports.ts'
import { loadConfig } from './config/load.ts'
import { watchDeliveries } from './loops.ts'

const config = (webhook: object) => loadConfig({ environment: {}, defaults: { webhook } })

it('tells once when nothing was delivered for so long, and again after deliveries that stop again', async () => {
  const ports = manualPorts()
  const told: string[] = []
  const deliveries = watchDeliveries(await config({ dead_man: '1h' }), ports, (what) => told.push(what))
  await ports.advance(50 * 60_000)
  expect(told).toEqual([])
  await ports.advance(25 * 60_000)
  expect(told).toEqual([expect.stringContaining('nothing was delivered for 1h')])
  await ports.advance(5 * 3_600_000)
  expect(told).toHaveLength(1)
  deliveries.seen()
  await ports.advance(45 * 60_000)
  expect(told).toHaveLength(1)
  await ports.advance(60 * 60_000)
  expect(told).toHaveLength(2)
})

it('watches nothing unless a time is set, nor after it was stopped', async () => {
  const ports = manualPorts()
  const told: string[] = []
  watchDeliveries(await config({}), ports, (what) => told.push(what))
  watchDeliveries(await config({ dead_man: '1h' }), ports, (what) => told.push(what)).stop()
  await ports.advance(10 * 3_600_000)
  expect(told).toEqual([])
})
