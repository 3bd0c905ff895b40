import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { loadConfig } from './load.ts'
import { printConfig } from './print.ts'

const folder = mkdtempSync(join(tmpdir(), 'config-'))
afterAll(() => rmSync(folder, { recursive: true }))
const written = (name: string, text: string): string => {
  const file = join(folder, name)
  writeFileSync(file, text)
  return file
}

it('shows no secret, wherever it stands', async () => {
  const text = `
webhook: { auth: { token: hush-1, tokens: [hush-2], basic: { username: ada, password: hush-3 } } }
slm: { api_key: hush-4 }
kubernetes: { token: hush-5 }
tell: { chat: { url: "https://hooks.example.com/hush-6" } }
database: { url: "postgres://u:hush-7@db/x" }
alertmanager: { urls: ["http://u:hush-8@alertmanager:9093"] }
`
  const printed = await printConfig(await loadConfig({ file: written('secrets.yaml', text), environment: {} }))
  expect(printed).not.toContain('hush')
  expect(printed).toContain('username: ada')
  expect(printed).toContain('alertmanager:9093')
})

it('shows what can be read back as the same configuration', async () => {
  const text = 'actions: { cooldown_period: 1h2m3s4ms, limits: { max_memory: 1536Mi } }\nwebhook: { max_body_bytes: 1000001 }\nsettle: { time: 0s }\n'
  const config = await loadConfig({ file: written('full.yaml', text), environment: {} })
  const again = await loadConfig({ file: written('again.yaml', await printConfig(config)), environment: {} })
  expect(again).toEqual(config)
  expect(config.actions.cooldown_period).toBe(3_723_004)
  expect(config.webhook.max_body_bytes).toBe(1_000_001)
})
