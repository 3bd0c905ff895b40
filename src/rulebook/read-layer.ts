// One layer's files from a folder of YAML, or from the library as `gen` compiled it.
import type { Dirent } from 'node:fs'
import { readdir, readFile, realpath, stat } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import * as z from 'zod'
import { Fault } from '../domain/fault.ts'
import type { Layer, LayerConditions, LayerFile, LayerName } from './layers.ts'
import { NOWHERE, parseConditions, parseRules } from './parse.ts'
import { type Problem, renderProblems } from './problem.ts'
import { PLAIN } from './schema.ts'

export interface ReadLayer {
  readonly layer: Layer
  readonly problems: readonly Problem[]
  /** Texts by path, for excerpts. */
  readonly sources: ReadonlyMap<string, string>
}

const CONDITIONS = 'conditions.yaml'
const isYaml = (name: string): boolean => /\.ya?ml$/.test(name)
/** Tests lie beside rules, and a cluster that several tests share beside them. */
const isBeside = (name: string): boolean => /\.(test|cluster)\.ya?ml$/.test(name)

/** Rule files and their tests below the folder, sorted; a layer may also be one file. Names that begin with a dot are the kubelet's (`..data`) or an editor's. */
async function yamlFiles(folder: string): Promise<readonly string[]> {
  const found: string[] = []
  const visit = async (at: string): Promise<void> => {
    const entries: Dirent[] = await readdir(at, { withFileTypes: true })
    for (const entry of entries.filter(({ name }) => !name.startsWith('.'))) {
      const path = join(at, entry.name)
      if (entry.isDirectory()) await visit(path)
      else if (isYaml(entry.name)) found.push(path)
    }
  }
  if ((await stat(folder)).isFile()) return [folder]
  await visit(folder)
  return found.sort()
}

/** The tests of rules below the folder. */
export const testFiles = async (folder: string): Promise<readonly string[]> => (await yamlFiles(folder)).filter((file) => /\.test\.ya?ml$/.test(file))

export async function readLayer(folder: string, name: LayerName): Promise<ReadLayer> {
  try {
    const names = (await yamlFiles(folder)).filter((file) => !isBeside(file))
    return await readFiles(folder, name, new Map(await Promise.all(names.map(async (path): Promise<[string, string]> => [path, await readFile(path, 'utf8')]))))
  } catch (error) {
    if (!isSystemError(error)) throw error
    const hint = 'a layer that was configured must be there; an empty folder is a layer without rules'
    return unread(name, { file: folder, message: `the ${name} rules cannot be read: ${error.message}`, hint })
  }
}
const isSystemError = (error: unknown): error is Error => error instanceof Error && 'code' in error && 'syscall' in error
const unread = (name: LayerName, about: Pick<Problem, 'file' | 'message' | 'hint'>): ReadLayer => ({
  layer: { name, files: [], conditions: undefined },
  problems: [{ severity: 'error', line: 0, column: 0, path: '', ...about }],
  sources: new Map(),
})

async function readFiles(folder: string, name: LayerName, sources: ReadonlyMap<string, string>): Promise<ReadLayer> {
  const problems: Problem[] = []
  const files: LayerFile[] = []
  let conditions: LayerConditions | undefined
  for (const [path, text] of sources) {
    if (relative(folder, path) === CONDITIONS) {
      const { value, locate, problems: found } = await parseConditions(text, path)
      problems.push(...found)
      if (value) conditions = { path, written: value, locate }
    } else {
      const { value, locate, problems: found } = await parseRules(text, path)
      problems.push(...found)
      if (value) files.push({ path, written: value, locate })
    }
  }
  return { layer: { name, files, conditions }, problems, sources }
}

const LIBRARY = z.strictObject({ conditions: PLAIN.conditions, files: z.array(PLAIN.file.extend({ path: z.string() })) })

/** The library for start-up without YAML: `rules/library.json`. Throws when a file is broken. */
export async function compileLibrary(folder: string): Promise<string> {
  const { layer, problems, sources } = await readLayer(folder, 'library')
  if (problems.length > 0) throw new Fault('RULES_INVALID', renderProblems(problems, sources))
  const files = layer.files.map(({ path, written }) => ({ path: relative(folder, path).split(sep).join('/'), ...written }))
  return `${JSON.stringify({ conditions: layer.conditions?.written ?? {}, files })}\n`
}

export async function readLibrary(path: string): Promise<ReadLayer> {
  if (!path.endsWith('.json')) return readLayer(path, 'library')
  try {
    const { conditions, files } = LIBRARY.parse(JSON.parse(await readFile(path, 'utf8')))
    const layerFiles = files.map(({ path: file, ...written }) => ({ path: file, written, locate: NOWHERE }))
    return { layer: { name: 'library', files: layerFiles, conditions: { path: CONDITIONS, written: conditions, locate: NOWHERE } }, problems: [], sources: new Map() }
  } catch (error) {
    const why = error instanceof z.ZodError ? z.prettifyError(error) : error instanceof Error ? error.message : String(error)
    return unread('library', { file: path, message: `the compiled library cannot be read: ${why}`, hint: 'it is made by `npm run gen`' })
  }
}

/** Changes when any file below the folder does, and when the kubelet swaps the `..data` link of a mounted ConfigMap. */
export async function signatureOf(folder: string): Promise<string> {
  const data = await realpath(join(folder, '..data')).catch(() => '')
  const names = await yamlFiles(folder).catch(() => undefined)
  if (!names) return 'missing'
  const stats = await Promise.all(names.map(async (path) => ({ path, at: await stat(path).catch(() => undefined) })))
  return [data, ...stats.map(({ path, at }) => `${path} ${at?.ino} ${at?.size} ${at?.mtimeMs}`)].join('\n')
}
