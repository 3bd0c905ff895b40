import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import * as z from 'zod'
import { manualPorts } from '../../test/manual-ports.ts'
import { unknown } from '../domain/unknown.ts'
import { defineFact } from '../facts/define-fact.ts'
import { lint } from './lint.ts'
import { type LayerPaths, loadBook } from './load.ts'
import type { Problem } from './problem.ts'
import { compileLibrary } from './read-layer.ts'
import { watchRules } from './reload.ts'
import { ruleSchemaJson } from './schema.ts'

const facts = [defineFact({ name: 'pod', group: 'pod', summary: '', cost: 1, schema: z.object({ restarts: z.number(), reason: z.string() }), read: () => unknown('test') })]
const catalogues = {
  facts: new Map(facts.map((fact) => [fact.name, fact])),
  actions: new Map(['restart_pod', 'scale', 'notify_only'].map((name) => [name, { params: z.strictObject({}) }])),
}
const made: string[] = []
afterEach(async () => {
  for (const folder of made.splice(0)) await rm(folder, { recursive: true, force: true })
})
async function folder(files: Record<string, string>): Promise<string> {
  const at = await mkdtemp(join(tmpdir(), 'rules-'))
  made.push(at)
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(at, name)), { recursive: true })
    await writeFile(join(at, name), text)
  }
  return at
}
const rules = (id: string, { alerts = '[Crash]', action = 'restart_pod', more = 3, extra = '', priority = 0 } = {}) =>
  `alerts: ${alerts}\n${extra}rules:\n  - id: ${id}\n    priority: ${priority}\n    when: { fact: pod, path: $.restarts, operator: greaterThan, value: ${more} }\n    then: { action: ${action} }\n`
const short = (problems: readonly Problem[], at: string) =>
  problems.map(({ file, line, message, hint, severity }) => `${severity} ${file.replace(`${at}/`, '')}:${line} ${message}${hint ? ` (${hint})` : ''}`)
async function problemsOf(paths: LayerPaths, at = ''): Promise<readonly string[]> {
  const loaded = await loadBook(paths, catalogues)
  return loaded.ok ? [] : short(loaded.problems, at)
}
const CRASH = { fingerprint: '', status: 'firing', labels: { alertname: 'Crash' }, annotations: {}, startsAt: 0, endsAt: undefined, generatorUrl: undefined } as const

describe('the library', () => {
  it('compiled to JSON is the same book as from its YAML', async () => {
    const library = await folder({
      'pods/a.yaml': rules('a'),
      'pods/a.test.yaml': 'tests: []',
      'conditions.yaml': 'many: { fact: pod, path: $.restarts, operator: greaterThan, value: 9 }\n',
      'b.yaml': rules('b', { alerts: 'any' }),
    })
    const compiled = join(library, 'library.json')
    await writeFile(compiled, await compileLibrary(library))
    const loaded = await loadBook({ library: compiled }, catalogues)
    expect(loaded.ok && loaded.book.bench(CRASH)).toMatchObject({ files: ['pods/a.yaml'], stages: [{ lines: [[{ id: 'a' }]] }] })
    expect(loaded.ok && loaded.book.rules.map((rule) => rule.id)).toEqual(['b', 'a'])
  })
  it('that is broken names file and place, and a library that is missing names itself', async () => {
    const library = await folder({
      'a.yaml': rules('a', { action: 'restart_pot' }),
      'b.yaml': rules('b').replace('greaterThan', 'greatrThan'),
      'conditions.yaml': 'odd: { fact: pot, operator: present }\n',
    })
    expect(await problemsOf({ library }, library)).toEqual([
      'error conditions.yaml:1 there is no fact named pot (did you mean pod?)',
      'error a.yaml:6 there is no action named restart_pot (did you mean restart_pod?)',
      'error b.yaml:5 there is no operator named greatrThan (did you mean greaterThan?)',
    ])
    expect((await problemsOf({ library: join(library, 'none.json') }, library))[0]).toContain('the compiled library cannot be read')
    await expect(compileLibrary(await folder({ 'a.yaml': 'alerts: 1' }))).rejects.toMatchObject({ code: 'RULES_INVALID' })
  })
})

describe('layers', () => {
  it('stand above each other: the tenant first, its disabled rules off', async () => {
    const library = await folder({ 'a.yaml': rules('a'), 'b.yaml': rules('b', { alerts: '[Other]' }) })
    const tenantDir = await folder({ 't.yaml': rules('t', { action: 'scale', extra: 'disable: [a]\n' }) })
    const loaded = await loadBook({ library, tenantDir }, catalogues)
    expect(loaded.ok && loaded.book.bench(CRASH).stages.flatMap((stage) => stage.lines.flat().map((rule) => rule.id))).toEqual(['t'])
  })
  it('of a tenant may not answer for sealed alerts, use actions that are not allowed, seal, or redefine a condition', async () => {
    const library = await folder({ 'conditions.yaml': 'many: { fact: pod, path: $.restarts, operator: greaterThan, value: 9 }\n' })
    const operatorDir = await folder({ 'o.yaml': rules('o', { extra: 'sealed: true\n' }) })
    const tenantDir = await folder({
      't.yaml': rules('t', { action: 'scale' }),
      'u.yaml': rules('u', { alerts: '[Mine]', extra: 'sealed: true\notherwise: { ask: [scale, notify_only] }\n' }),
      'conditions.yaml': 'many: { fact: pod, operator: present }\n',
    })
    expect(await problemsOf({ library, operatorDir, tenantDir, tenantActions: ['restart_pod'] }, tenantDir)).toEqual([
      'error u.yaml:2 sealed is for the operator layer; this is the tenant',
      `error t.yaml:1 the operator has sealed these alerts, in ${operatorDir}/o.yaml`,
      'error t.yaml:6 the operator does not allow scale here (allowed: restart_pod)',
      'error u.yaml:3 the operator does not allow scale here (allowed: restart_pod)',
      `error conditions.yaml:1 condition many exists already, in ${library}/conditions.yaml (choose another name)`,
    ])
  })
  it('that are configured must be there', async () => {
    const library = await folder({})
    expect((await problemsOf({ library, tenantDir: join(library, 'gone') }, library))[0]).toMatch(/^error gone:0 the tenant rules cannot be read: ENOENT/)
  })
})

describe('lint', () => {
  it('warns of rules that never decide, of files that contradict, and of files without tests', async () => {
    const wide = rules('wide')
    const narrow = `${wide}  - id: narrow\n    when: { all: [{ fact: pod, path: $.restarts, operator: greaterThan, value: 3 }, { fact: pod, path: $.reason, operator: equal, value: Error }] }\n    then: { action: scale }\n`
    const library = await folder({
      'a.yaml': narrow,
      'a.test.yaml': 'tests: []',
      'b.yaml': rules('b', { action: 'scale' }),
      'c.yaml': rules('c', { priority: 1 }),
      'c.test.yaml': 'tests: []',
    })
    expect(short((await lint({ library }, catalogues)).problems, library).map((line) => line.replaceAll(`${library}/`, ''))).toEqual([
      'warning a.yaml:7 narrow never decides: whenever it holds, wide holds too and stands before it (put the narrower rule first, or give it a higher priority)',
      'warning b.yaml:3 b (scale) and wide (restart_pod) in a.yaml answer for the same alert at the same priority (where both hold the case is ambiguous; give one a priority, or put them into one file)',
      'warning b.yaml:2 the library file has no tests beside it (write b.test.yaml: for every rule a hit and a near miss)',
    ])
  })
})

describe('reloading', () => {
  async function watching(files: Record<string, string>) {
    const library = await folder({})
    const tenantDir = await folder(files)
    const ports = manualPorts()
    const start = await loadBook({ library, tenantDir }, catalogues)
    if (!start.ok) throw new Error(start.problems[0]?.message)
    const said: string[] = []
    const reloading = watchRules({
      paths: { library, tenantDir },
      catalogues,
      timers: ports.timers,
      start,
      onSwap: (book) => said.push(`swap to ${book.rules.map((rule) => rule.id).join()}`),
      onBroken: (problems) => said.push(`broken: ${problems[0]?.message}`),
    })
    return { tenantDir, ports, said, reloading, ids: () => reloading.book().rules.map((rule) => rule.id) }
  }
  it('swaps to a good edit, keeps the last good book of a broken one, and says each once', async () => {
    const { tenantDir, said, reloading, ids } = await watching({ 't.yaml': rules('t') })
    await reloading.check()
    expect(said).toEqual([])
    await writeFile(join(tenantDir, 't.yaml'), rules('second'))
    await reloading.check()
    await writeFile(join(tenantDir, 't.yaml'), rules('third', { action: 'restart_pot' }))
    await reloading.check()
    await reloading.check()
    expect(ids()).toEqual(['second'])
    await writeFile(join(tenantDir, 't.yaml'), rules('fourth'))
    await reloading.check()
    expect(said).toEqual(['swap to second', 'broken: there is no action named restart_pot', 'swap to fourth'])
  })
  it('takes a layer that vanishes for a broken edit', async () => {
    const { tenantDir, said, reloading, ids } = await watching({ 't.yaml': rules('t') })
    await rm(join(tenantDir, 't.yaml'))
    await reloading.check()
    await rm(tenantDir, { recursive: true })
    await reloading.check()
    expect(said).toEqual(['broken: the tenant rules have vanished: 1 files before, none now', expect.stringContaining('broken: the tenant rules cannot be read')])
    expect(ids()).toEqual(['t'])
  })
  it('sees the link swap of a mounted ConfigMap, by itself and in turns', async () => {
    const { tenantDir, ports, said, reloading } = await watching({ '..1/t.yaml': rules('t'), '..2/t.yaml': rules('u') })
    await symlink('..1', join(tenantDir, '..data'))
    await symlink('..data/t.yaml', join(tenantDir, 't.yaml'))
    await ports.until(() => said.length === 1)
    await symlink('..2', join(tenantDir, '..data_tmp'))
    await rename(join(tenantDir, '..data_tmp'), join(tenantDir, '..data'))
    await ports.until(() => said.length === 2)
    expect(said).toEqual(['swap to t', 'swap to u'])
    reloading.stop()
    expect(ports.waiting).toBe(0)
  })
})

it('the JSON schema for editors offers the names of this build and takes a good rule', () => {
  const schema = ruleSchemaJson(catalogues)
  expect(schema).toContain('"restart_pod"')
  expect(schema).toContain('"greaterThanQuantity"')
  const parsed = z.fromJSONSchema(JSON.parse(schema))
  const rule = { id: 'a', when: { all: [{ fact: 'pod', operator: 'not:equal', value: 1 }] }, ...Object.fromEntries([['then', { action: 'scale' }]]) }
  expect(parsed.safeParse({ alerts: ['A'], rules: [rule] }).success).toBe(true)
  expect(parsed.safeParse({ alerts: ['A'], rules: [{ ...rule, when: { fact: 'pot', operator: 'equal' } }] }).success).toBe(false)
})
