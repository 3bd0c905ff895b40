import { expect, it } from 'vitest'
import { idleSettings } from './idle.ts'
import { loadConfig } from './load.ts'

it('names what is set and read by nobody', async () => {
  const config = await loadConfig({ environment: { SLM_PROVIDER: 'ollama', SLM_ENDPOINT: 'http://ollama:11434', DATABASE_URL: 'libsql://hub' } })
  expect(idleSettings(config)).toEqual(['slm.provider', 'database'])
})

it('says nothing of defaults', async () => {
  expect(idleSettings(await loadConfig({ environment: {} }))).toEqual([])
})
