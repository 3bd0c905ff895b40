// Each program that stands beside the cluster, asked the one thing that shows it works.
import { globSync, readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest'
import * as z from 'zod'
import { realPorts } from '../../src/ports.ts'
import { temporaryFolder } from '../temporary.ts'
import { until } from '../waiting.ts'
import { type LabCluster, labSuite, withLab } from './lab-cluster.ts'
import { SMALL_MODEL } from './parts/ollama.ts'
import { query } from './parts/postgresql.ts'
import { startLab } from './running-lab.ts'

const PARTS = ['ollama', 'postgresql', 'kubernetes-mcp-server', 'chromium'] as const
const http = realPorts.http()
const json = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' }

async function post(url: string, body: object): Promise<string> {
  const answer = await http({ method: 'POST', url, headers: json, body: JSON.stringify(body) })
  const text = await answer.text()
  expect(answer.status, text).toBe(200)
  return text
}

labSuite('the programs beside the cluster', PARTS, () => {
  let lab: LabCluster
  beforeAll(async () => {
    lab = await withLab(PARTS)
  }, 120_000)
  afterAll(async () => await lab.stop())

  it('Ollama answers /api/chat in the form of a JSON schema', { timeout: 120_000 }, async () => {
    const format = { type: 'object', properties: { action: { type: 'string', enum: ['restart_pod', 'notify_only'] } }, required: ['action'] }
    const messages = [{ role: 'user', content: 'The pod crashes. Which action?' }]
    const text = await post(`${lab.address('ollama')}/api/chat`, { model: SMALL_MODEL, messages, format, stream: false, options: { num_predict: 64 } })
    const answer = z.object({ done: z.literal(true), message: z.object({ role: z.literal('assistant'), content: z.string() }), prompt_eval_count: z.int() }).parse(JSON.parse(text))
    expect(z.strictObject({ action: z.enum(['restart_pod', 'notify_only']) }).parse(JSON.parse(answer.message.content))).toBeDefined()
  })

  it('Ollama answers /v1/chat/completions as an OpenAI-compatible server', { timeout: 120_000 }, async () => {
    const messages = [{ role: 'user', content: 'Say hello.' }]
    const text = await post(`${lab.address('ollama')}/v1/chat/completions`, { model: SMALL_MODEL, messages, max_tokens: 16 })
    const { choices, usage } = z
      .object({ choices: z.array(z.object({ message: z.object({ role: z.string(), content: z.string() }) })), usage: z.object({ completion_tokens: z.int() }) })
      .parse(JSON.parse(text))
    expect(choices[0]?.message.role).toBe('assistant')
    expect(usage.completion_tokens).toBeGreaterThan(0)
  })

  it('PostgreSQL takes connections and keeps rows', async () => {
    const url = lab.address('postgresql')
    await query(url, "create table if not exists smoke (word text primary key); insert into smoke values ('kept') on conflict do nothing")
    expect(await query(url, 'select word from smoke')).toBe('kept\n')
    await expect(query(url, 'select word from nowhere')).rejects.toThrow('relation "nowhere" does not exist')
  })

  it("kubernetes-mcp-server answers tools/list, and a read-only tool sees the lab's API server", async () => {
    const call = async (method: string, params: object): Promise<unknown> => jsonOf(await post(lab.address('mcpServer'), { jsonrpc: '2.0', id: 1, method, params }))
    const { result } = z.object({ result: z.object({ tools: z.array(z.object({ name: z.string() })) }) }).parse(await call('tools/list', {}))
    const names = result.tools.map(({ name }) => name)
    expect(names).toContain('namespaces_list')
    expect(names).not.toContain('pods_delete')
    const listed = await call('tools/call', { name: 'namespaces_list', arguments: {} })
    expect(JSON.stringify(listed)).toContain('kube-system')
  })

  it('Chromium renders a page and prints its DOM', { timeout: 60_000 }, async () => {
    const page = `data:text/html,${encodeURIComponent('<title>lab</title><script>document.write("<p>made by a script</p>")</script>')}`
    const opened = await http({ method: 'PUT', url: `${lab.address('chromium')}/json/new?${page}` })
    const { webSocketDebuggerUrl } = z.object({ webSocketDebuggerUrl: z.url() }).parse(JSON.parse(await opened.text()))
    const dom = () => evaluated(webSocketDebuggerUrl, 'document.documentElement.outerHTML')
    expect(await until('the page is rendered', async () => (await dom()).includes('made by a script') && dom(), { withinMs: 20_000 })).toContain('<title>lab</title>')
  })
})

labSuite('Ollama that crashes', ['ollama'], () => {
  it('takes the process that holds the model with it', { timeout: 120_000 }, async () => {
    const lab = await startLab(['ollama'], temporaryFolder())
    onTestFinished(lab.stop)
    const runners = () => processes().filter((command) => command.includes('ollama runner') && command.includes(lab.folder)).length
    await post(`${lab.addresses.ollama}/api/chat`, { model: SMALL_MODEL, messages: [{ role: 'user', content: 'Hello.' }], stream: false, options: { num_predict: 4 } })
    expect(runners()).toBe(1)
    await lab.kill('ollama')
    await until('the runner is gone', () => runners() === 0, { withinMs: 10_000 })
  })
})

/** The command line of every process of this machine. */
const processes = (): readonly string[] =>
  globSync('/proc/[0-9]*/cmdline').flatMap((file) => {
    try {
      return [readFileSync(file, 'utf8').replaceAll('\0', ' ')]
    } catch {
      return []
    }
  })

/** The body itself, or the data of the one event that a stream carries. */
const jsonOf = (text: string): unknown => JSON.parse(/^data: (.*)$/m.exec(text)?.[1] ?? text)

const EVALUATED = z.object({ result: z.object({ result: z.object({ value: z.string() }) }) })

async function evaluated(debuggerUrl: string, expression: string): Promise<string> {
  const socket = new WebSocket(debuggerUrl)
  const answered = new Promise<string>((resolve, reject) => {
    socket.addEventListener('open', () => socket.send(JSON.stringify({ id: 1, method: 'Runtime.evaluate', params: { expression } })))
    socket.addEventListener('message', ({ data }) => resolve(String(data)))
    socket.addEventListener('error', () => reject(new Error(`${debuggerUrl} does not answer`)))
  })
  try {
    return EVALUATED.parse(JSON.parse(await answered)).result.result.value
  } finally {
    socket.close()
  }
}
