// The walls of the house. Who may import whom, which package lives where, which words and ports are banned. The table is the
// design's; a change of it needs its reason in the commit that makes it.
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseSync } from 'oxc-parser'
import { describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))

/** A path prefix of src; `T` types only, `L` only by lazy import(). */
type Door = string | readonly [string, 'T' | 'L']
const DOORS: Readonly<Record<string, readonly Door[]>> = {
  'src/domain': [],
  'src/telemetry': ['src/domain'],
  'src/libsql': ['src/domain'],
  'src/alertmanager': ['src/domain'],
  'src/kube': ['src/domain'],
  'src/config': ['src/domain'],
  'src/rooms/screen': ['src/domain'],
  'src/facts': ['src/domain', ['src/kube', 'T']],
  'src/rooms/locate': ['src/domain', ['src/kube', 'T']],
  'src/actions': ['src/domain', ['src/kube', 'T']],
  'src/rights': ['src/domain', 'src/actions', 'src/facts'],
  'src/rooms/decide': ['src/domain', 'src/facts'],
  'src/rulebook': ['src/domain', 'src/facts', 'src/actions', 'src/rooms/decide', 'src/rights'],
  'src/rooms/plan': ['src/domain', 'src/actions', ['src/kube', 'T']],
  'src/rooms/gate': ['src/domain', ['src/kube', 'T'], ['src/alertmanager', 'T']],
  'src/rooms/apply': ['src/domain', 'src/actions', ['src/rooms/gate/permit.ts', 'T'], 'src/kube', 'src/alertmanager'],
  'src/rooms/tell': ['src/domain', 'src/kube', 'src/alertmanager'],
  'src/rooms/record': ['src/domain', 'src/libsql'],
  'src/corridor.ts': ['src/domain', ['src/rooms', 'T']],
  // The dispatcher files what the corridor gives, so it knows the shape of the history; it gets the history itself handed in.
  'src/dispatch': ['src/domain', 'src/corridor.ts', ['src/alertmanager', 'T'], ['src/rooms/record', 'T'], ['src/rooms/screen', 'T']],
  'src/simulate': [
    'src/domain',
    'src/facts',
    'src/actions',
    'src/rulebook',
    'src/rooms/screen',
    'src/rooms/locate',
    'src/rooms/decide',
    'src/rooms/plan',
    'src/rooms/gate',
    'src/kube',
    'src/alertmanager',
    ['src/practice', 'L'],
  ],
  'src/doors': ['src/domain', 'src/alertmanager', 'src/telemetry', ['src/rooms/record', 'T'], ['src/dispatch', 'T'], ['src/kube', 'T']],
  'src/practice': ['src/domain', ['src/kube', 'T'], 'src/alertmanager'],
  'src/ports.ts': ['src/domain'],
  'src/undici.d.ts': [],
}
/** They wire everything. */
const WIRING = ['src/app.ts', 'src/edges.ts', 'src/loops.ts', 'src/one-pass.ts', 'src/open-doors.ts', 'src/people.ts', 'src/who-am-i.ts', 'src/cli']

const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  '@kubernetes/client-node': ['src/kube'],
  'json-rules-engine': ['src/rooms/decide'],
  libsql: ['src/libsql'],
  hono: ['src/doors', 'src/practice'],
  '@hono/node-server': ['src/doors', 'src/practice'],
  undici: ['src/ports.ts'],
  yaml: ['src/rulebook', 'src/config', 'src/practice', 'src/simulate', 'src/cli', 'src/rights', 'src/actions'],
  commander: ['src/cli'],
  pino: ['src/telemetry'],
  'prom-client': ['src/telemetry'],
  ulid: ['src/rooms/record'],
  re2js: ['src/rooms/decide', 'src/rooms/screen'],
  picomatch: ['src/rooms/decide', 'src/practice', 'src/rooms/screen', 'src/rooms/gate'],
}
const PURE = [/^src\/rooms\/(screen|decide|plan)\//, /^src\/rooms\/gate\/(?!look\.ts)/, /^src\/domain\//]
const BANNED_CALLS: readonly (readonly [RegExp, string])[] = [
  [/\bDate\.now\(/, 'Date.now'],
  [/\bnew Date\(\s*\)/, 'new Date()'],
  [/\bsetTimeout\(|\bsetInterval\(|\bsetImmediate\(/, 'a timer of its own'],
  [/\bMath\.random\(/, 'Math.random'],
  [/\bAbortSignal\.timeout\(/, 'AbortSignal.timeout'],
  [/\bperformance\.now\(/, 'performance.now'],
  [/(?<![.\w])fetch\(/, 'the global fetch'],
  [/if \([^)]*\bdryRun\b/, 'a dry-run branch'],
]
const BANNED_NAMES = ['utils', 'helpers', 'common', 'types', 'index', 'manager', 'service', 'handler', 'impl', 'base']
/** The one real clock, the program's ends, and the launcher's own processes. */
const REAL = [/^src\/ports\.ts$/, /^src\/cli\/.*\.mjs$/]

function filesUnder(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name)
    return statSync(path).isDirectory() ? filesUnder(path) : [relative(root, path)]
  })
}
const files = filesUnder(join(root, 'src')).filter((file) => /\.(ts|mjs)$/.test(file))
const sources = files.filter((file) => !file.endsWith('.test.ts'))
const textOf = (file: string) => readFileSync(join(root, file), 'utf8')

interface Import {
  readonly from: string
  readonly to: string
  readonly how: 'value' | 'T' | 'L'
}
function importsOf(file: string): Import[] {
  const { module } = parseSync(file, textOf(file))
  const at = (specifier: string) => (specifier.startsWith('.') ? relative(root, resolve(root, dirname(file), specifier)) : specifier)
  const statics = module.staticImports.map((found): Import => {
    const typeOnly = found.entries.length > 0 && found.entries.every((entry) => entry.isType)
    return { from: file, to: at(found.moduleRequest.value), how: typeOnly ? 'T' : 'value' }
  })
  const reexports = module.staticExports.flatMap(({ entries }) =>
    entries.flatMap((entry): Import[] => (entry.moduleRequest ? [{ from: file, to: at(entry.moduleRequest.value), how: entry.isType ? 'T' : 'value' }] : [])),
  )
  const source = textOf(file)
  const lazies = module.dynamicImports.flatMap(({ moduleRequest }): Import[] => {
    const literal = /^['"](.*)['"]$/.exec(source.slice(moduleRequest.start, moduleRequest.end))?.[1]
    return literal === undefined ? [] : [{ from: file, to: at(literal), how: 'L' }]
  })
  return [...statics, ...reexports, ...lazies]
}
const imports = sources.flatMap(importsOf)

const inside = (file: string, room: string): boolean => file === room || file.startsWith(`${room}/`)
const roomOf = (file: string): string | undefined =>
  Object.keys(DOORS)
    .filter((room) => inside(file, room))
    .sort((a, b) => b.length - a.length)[0]

describe('the architecture', () => {
  it('gives every source file a room', () => {
    expect(sources.filter((file) => roomOf(file) === undefined && !WIRING.some((room) => inside(file, room)))).toEqual([])
  })

  it('opens only the doors of the table', () => {
    const locked = imports.filter(({ from, to, how }) => {
      if (!to.startsWith('src/') || WIRING.some((room) => inside(from, room))) return false
      const room = roomOf(from) ?? ''
      if (inside(to, room)) return false
      return !(DOORS[room] ?? []).some((door) => {
        const [target, allowed] = typeof door === 'string' ? [door, undefined] : door
        return inside(to, target) && (allowed === undefined || allowed === how)
      })
    })
    expect(locked.map(({ from, to, how }) => `${from} -> ${to} (${how})`)).toEqual([])
  })

  it('lets only the applying room hold a writer', () => {
    expect(
      imports.filter(({ from, to }) => to === 'src/kube/writer.ts' && !inside(from, 'src/rooms/apply') && !WIRING.some((room) => inside(from, room))).map(({ from }) => from),
    ).toEqual([])
  })

  it('keeps packages behind their fences', () => {
    const strays = imports.filter(({ from, to, how }) => {
      const [first, second] = to.split('/')
      const name = to.startsWith('@') ? `${first}/${second}` : (first ?? '')
      const fence = PACKAGES[name]
      if (!fence || how === 'T') return false
      return !fence.some((room) => inside(from, room))
    })
    expect(strays.map(({ from, to }) => `${from} -> ${to}`)).toEqual([])
  })

  it('keeps deciding rooms pure: no node modules', () => {
    expect(imports.filter(({ from, to }) => to.startsWith('node:') && PURE.some((room) => room.test(from))).map(({ from, to }) => `${from} -> ${to}`)).toEqual([])
  })

  it('reaches time, chance and the network only through ports', () => {
    const strays = sources
      .filter((file) => !REAL.some((real) => real.test(file)))
      .flatMap((file) => {
        const code = textOf(file).replace(/\/\*[\s\S]*?\*\/|(?<!:)\/\/.*$|`[^`]*`|'[^'\n]*'/gm, '')
        // The practice API server is the one that must know what dryRun means.
        // It also takes fetch functions as arguments, under that name.
        const banned = file.startsWith('src/practice/') ? BANNED_CALLS.filter(([, what]) => what !== 'a dry-run branch' && what !== 'the global fetch') : BANNED_CALLS
        return banned.filter(([pattern]) => pattern.test(code)).map(([, what]) => `${file}: ${what}`)
      })
    expect(strays).toEqual([])
  })

  it('has no cycles between files', () => {
    const next = new Map<string, string[]>()
    for (const { from, to, how } of imports) if (how === 'value' && to.startsWith('src/')) next.set(from, [...(next.get(from) ?? []), to])
    const done = new Set<string>()
    const cycles: string[] = []
    const visit = (file: string, path: readonly string[]) => {
      if (path.includes(file)) return void cycles.push([...path.slice(path.indexOf(file)), file].join(' -> '))
      if (done.has(file)) return
      for (const to of next.get(file) ?? []) visit(to, [...path, file])
      done.add(file)
    }
    for (const file of sources) visit(file, [])
    expect(cycles).toEqual([])
  })

  it('uses no empty names, and kebab-case', () => {
    const words = files
      .flatMap((file) => file.split('/').map((part) => part.replace(/(\.(contract|property))?(\.test)?(\.d)?\.(ts|mjs)$/, '')))
      .filter((word) => BANNED_NAMES.includes(word) || !/^[a-z0-9]+(-[a-z0-9]+)*$/.test(word))
    expect([...new Set(words)]).toEqual([])
  })

  it('has no escape from the type system outside the brands of domain', () => {
    const escapes = sources
      .filter((file) => file !== 'src/domain/case-file.ts')
      .flatMap((file) => {
        const code = textOf(file)
        return [/@ts-(ignore|expect-error|nocheck)/, /\bas any\b/, /\bas unknown as\b/, /: any\b/].filter((pattern) => pattern.test(code)).map((pattern) => `${file}: ${pattern}`)
      })
    expect(escapes).toEqual([])
  })

  it('says on the first line of every file what it is', () => {
    expect(sources.filter((file) => !/^(#!.*\n)?(\/\/|\/\*\*)/.test(textOf(file)) && !/generated/.test(file))).toEqual([])
  })
})
