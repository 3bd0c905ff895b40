import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { manualPorts } from '../test/manual-ports.ts'
import { temporaryFolder } from '../test/temporary.ts'
import { loadConfig } from './config/load.ts'
import type { Tls } from './domain/ports.ts'
import { alertmanagerOf } from './edges.ts'

const LOG = { warn: () => {} }
const config = (ca_file: string) => loadConfig({ environment: {}, defaults: { alertmanager: { urls: ['https://alertmanager:9093'], ca_file } } })

it('reaches Alertmanager by the authority that the configuration names', async () => {
  const file = join(temporaryFolder(), 'ca.pem')
  writeFileSync(file, 'an authority')
  const given: (Tls | undefined)[] = []
  const ports = manualPorts()
  const http = (tls?: Tls) => {
    given.push(tls)
    return ports.http(tls)
  }
  expect(alertmanagerOf(await config(file), { ...ports, http }, LOG)).toBeDefined()
  expect(given).toEqual([{ ca: 'an authority' }])
})

it('names the field whose file cannot be read', async () => {
  const missing = await config('/nonexistent/ca.pem')
  expect(() => alertmanagerOf(missing, manualPorts(), LOG)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringContaining('alertmanager.ca_file') }))
})
