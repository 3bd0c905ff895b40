// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these tests are about that very text
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { isFault } from '../domain/fault.ts'
import { ENVIRONMENT, type Environment } from './environment.ts'
import { checkConfig, loadConfig } from './load.ts'
import { configSchema } from './schema.ts'
import { below, isTree } from './tree.ts'

const folder = mkdtempSync(join(tmpdir(), 'config-'))
afterAll(() => rmSync(folder, { recursive: true }))
let files = 0
const written = (text: string): string => {
  const file = join(folder, `${files++}.yaml`)
  writeFileSync(file, text)
  return file
}
const load = (text: string, environment: Environment = {}) => loadConfig({ file: written(text), environment })
async function problems(text: string, environment: Environment = {}) {
  const checked = await checkConfig({ file: written(text), environment })
  return 'problems' in checked ? checked.problems.map(({ path, problem }) => `${path}: ${problem}`) : []
}

describe('what is in force', () => {
  it('is the defaults where nothing else is said: observe, nothing allowed to write', async () => {
    const config = await loadConfig({ environment: {} })
    expect(config.actions).toMatchObject({ mode: 'observe', cooldown_period: 300_000, max_concurrent: 5, limits: { max_memory: 8 * 2 ** 30 } })
    expect(config.slm).toMatchObject({ provider: 'none', temperature: 0.3, max_tokens: 500, timeout: 30_000, retry_count: 3 })
    expect(config.settle.time).toBe(600_000)
  })

  it('is the file over the defaults, and the environment over the file', async () => {
    const text = 'webhook: { port: 9000, path: /in }\nslm: { model: a }\n'
    expect((await load(text)).webhook).toMatchObject({ port: 9000, path: '/in', host: '0.0.0.0' })
    const both = await load(text, { WEBHOOK_PORT: '9001', SLM_MODEL: 'b' })
    expect([both.webhook.port, both.webhook.path, both.slm.model]).toEqual([9001, '/in', 'b'])
  })

  it("is the role's defaults below the file", async () => {
    const defaults = { actions: { mode: 'enforce', cooldown_period: '1s' } }
    const config = await loadConfig({ file: written('actions: { cooldown_period: 2s }'), environment: {}, defaults })
    expect(config.actions).toMatchObject({ mode: 'enforce', cooldown_period: 2_000 })
  })

  it('treats a variable that is set to nothing, and a section with nothing in it, as not said', async () => {
    expect((await load('webhook:\n', { WEBHOOK_PORT: '' })).webhook.port).toBe(8080)
  })

  it('takes the file that ALERTS_SLM_CONFIG names', async () => {
    expect((await loadConfig({ environment: { ALERTS_SLM_CONFIG: written('namespace: team-a') } })).namespace).toBe('team-a')
  })

  it('cannot be changed afterwards', async () => {
    const config = await load('')
    expect(Object.isFrozen(config.actions.limits)).toBe(true)
  })

  it('sets every field of the environment table', async () => {
    const schema: unknown = configSchema()
    for (const { name, field } of ENVIRONMENT) {
      if (field === undefined) continue
      const nodes = field.split('.').reduce<ReturnType<typeof below>>((all, step) => below(all, step), isTree(schema) ? [schema] : [])
      expect(nodes, `${name} sets ${field}`).not.toEqual([])
    }
    const config = await loadConfig({
      environment: { DRY_RUN: 'true', SLM_TEMPERATURE: '0.7', DATABASE_PORT: '5432', MCP_PORT: '8081', SLM_PROVIDER: 'openai', SLM_ENDPOINT: 'http://llm:8000' },
    })
    expect([config.actions.dry_run, config.slm.temperature, config.database.port, config.mcp.port, config.slm.provider]).toEqual([true, 0.7, 5432, 8081, 'openai'])
  })
})

describe('variables in the file', () => {
  it('are put into scalars, as numbers and truth values where those are wanted', async () => {
    const text = 'webhook: { port: "${PORT}", auth: { token: "x-${TOKEN}" } }\nactions: { dry_run: "${DRY}" }\nnamespace: "${NS}"'
    const config = await load(text, { PORT: '9000', TOKEN: 's', DRY: 'true', NS: '123' })
    expect([config.webhook.port, config.webhook.auth.token, config.actions.dry_run, config.namespace]).toEqual([9000, 'x-s', true, '123'])
  })

  it('cannot add keys, whatever they hold', async () => {
    const config = await load('namespace: ${NS}\n', { NS: 'a\nactions: { mode: enforce }' })
    expect(config.actions.mode).toBe('observe')
    expect(config.namespace).toContain('actions:')
  })

  it('that are not set are a problem, and two dollars stand for the text itself', async () => {
    expect(await problems('namespace: "${NOWHERE}"')).toEqual(['namespace: the environment variable NOWHERE is not set'])
    expect((await load('namespace: "$${NOWHERE}"')).namespace).toBe('${NOWHERE}')
  })
})

describe('secrets', () => {
  it('come from the configuration or from a file, never both', async () => {
    expect(await problems('webhook: { auth: { token: a, token_file: /b } }')).toEqual(['webhook.auth: give exactly one of token and token_file'])
    expect(await problems('tell: { chat: {} }')).toEqual(['tell.chat: give exactly one of url and url_file'])
    expect(await problems('alertmanager: { token: a, basic: { username: u, password: p } }')).toEqual(['alertmanager.basic: give either a token or basic'])
    expect(await problems('alertmanager: { basic: { username: u } }')).toEqual(['alertmanager.basic: give exactly one of password and password_file'])
  })

  it('from the environment take the place of the file that the configuration names', async () => {
    expect((await load('webhook: { auth: { token_file: /b } }', { WEBHOOK_AUTH_TOKEN: 'a' })).webhook.auth).toEqual({ token: 'a', tokens: [] })
  })

  it('are not told in problems', async () => {
    const all = await problems('webhook: { auth: { token: [hush-1] } }\ntell: { chat: { url: { a: hush-2 } } }', { DATABASE_PORT: 'hush-3' })
    expect(all).toHaveLength(3)
    expect(all.join()).not.toContain('hush')
  })
})

describe('problems', () => {
  it('are all told at once, each with its path and a remedy', async () => {
    const file = written('webhook: { prot: 1, port: 99999 }\nactions: { cooldown_period: -5m, mode: yolo, limits: { max_memory: lots } }\nnonsense: 1\n')
    const error = await loadConfig({ file, environment: {} }).catch((caught: unknown) => caught)
    if (!isFault(error, 'CONFIG_INVALID')) throw error
    const lines = error.message.split('\n')
    expect(lines[0]).toBe('the configuration has 6 problems:')
    expect(lines.slice(1).map((line) => line.trim().split(':')[0])).toEqual([
      'webhook.port',
      'webhook.prot',
      'actions.mode',
      'actions.cooldown_period',
      'actions.limits.max_memory',
      'nonsense',
    ])
    expect(error.message).toContain('webhook.port: Too big: expected number to be <=65535; correct it in the file or in WEBHOOK_PORT')
    expect(error.message).toContain('webhook.prot: there is no such field; correct its name or remove it')
    expect(error.message).toContain('must be a duration such as 90s, 5m or 1h30m')
  })

  it.each([
    ['a file that is not there', '/nowhere/config.yaml', 'cannot be read'],
    ['a folder', folder, 'cannot be read'],
  ])('are told of %s', async (_, file, problem) => {
    await expect(loadConfig({ file, environment: {} })).rejects.toThrow(problem)
  })

  it.each([
    ['broken YAML', 'webhook: {', 'is no YAML'],
    ['a key given twice', 'namespace: a\nnamespace: b\n', 'is no YAML'],
    ['a list', '- a\n', 'is not a map'],
  ])('are told of %s', async (_, text, problem) => {
    expect((await problems(text)).join()).toContain(problem)
  })

  it.each([
    ['slm: { provider: ollama }', 'slm.endpoint'],
    ['slm: { endpoint: "ftp://x" }', 'slm.endpoint'],
    ['alertmanager: { urls: [nonsense] }', 'alertmanager.urls.0'],
    ['database: { url: a, host: b }', 'database'],
    ['actions: { maintenance: [{ from: "2026-01-02T00:00:00Z", to: "2026-01-01T00:00:00Z", why: x }] }', 'actions.maintenance'],
    ['actions: { maintenance: [{ days: [sun], from: "25:00", to: "06:00", why: x }] }', 'actions.maintenance'],
    ['kubernetes: { requests_per_second: 0 }', 'kubernetes.requests_per_second'],
    ['actions: { cooldown_period: 300 }', 'actions.cooldown_period: must be a duration'],
  ])('are found in %s', async (text, path) => {
    const [first = ''] = await problems(text)
    expect(first.startsWith(path)).toBe(true)
  })
})
