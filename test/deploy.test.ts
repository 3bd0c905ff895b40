// What we tell people to apply: it loads into an API server, and the configuration in it is one that the sidecar takes.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { parseAllDocuments } from 'yaml'
import * as z from 'zod'
import { checkConfig } from '../src/config/load.ts'
import { makePractice } from '../src/practice/server.ts'
import { manualPorts } from './manual-ports.ts'
import { temporaryFolder } from './temporary.ts'

const text = (path: string) => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8')
const manifests = (): unknown[] => [parseAllDocuments(text('deploy/sidecar.yaml'))].flat().map((document): unknown => document.toJS())

it('loads what deploy/sidecar.yaml holds', () => {
  const practice = makePractice({ ports: manualPorts() })
  practice.load(manifests())
  expect(practice.store.list('Deployment')).toHaveLength(1)
})

it('gives the sidecar a configuration that it takes', async () => {
  const { data } = z.object({ data: z.object({ 'config.yaml': z.string() }) }).parse(manifests()[0])
  const file = join(temporaryFolder(), 'config.yaml')
  writeFileSync(file, data['config.yaml'])
  expect(await checkConfig({ file, environment: {} })).toMatchObject({ config: { actions: { mode: 'observe' } } })
})
