// Which rules a command looks at: the layers that are configured, or the folders and files that it was given.
import { existsSync } from 'node:fs'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { assetPath } from '../config/assets.ts'
import { Fault } from '../domain/fault.ts'
import { layersOf } from '../edges.ts'
import type { LayerPaths } from '../rulebook/load.ts'
import { configured } from './configured.ts'

/** Options that every command over rules has. */
export interface RuleOptions {
  readonly rules?: string
  readonly operator?: string
  readonly tenant?: string
  readonly config?: string
}

export interface Selection {
  readonly layers: LayerPaths
  /** What is asked about; empty: everything in the layers. */
  readonly paths: readonly string[]
}

export const COMPILED_LIBRARY = assetPath('rules', 'library.json')
/** In a checkout the library is YAML, so that a problem has a line. */
const library = (): string => (existsSync(assetPath('rules', CONDITIONS)) ? shown(assetPath('rules')) : COMPILED_LIBRARY)
const CONDITIONS = 'conditions.yaml'

/** The layers in force, as the configuration and the options have them. */
export async function configuredLayers({ rules, operator, tenant, config }: RuleOptions): Promise<LayerPaths> {
  for (const folder of [rules, operator, tenant]) if (folder !== undefined) mustExist(folder)
  return { ...layersOf(await configured(config)), ...(rules && { library: rules }), ...(operator && { operatorDir: operator }), ...(tenant && { tenantDir: tenant }) }
}

/**
 * What each path belongs to. Rules below a folder that has a conditions.yaml of its own are a book of their own;
 * all others are judged as an operator's layer over the library, with which they will be loaded.
 */
export async function selections(paths: readonly string[], options: RuleOptions): Promise<readonly Selection[]> {
  const layers = await configuredLayers(options)
  const readable = layers.library === COMPILED_LIBRARY ? { ...layers, library: library() } : layers
  if (paths.length === 0) return [{ layers: readable, paths: [] }]
  const byRoot = new Map<string, { readonly layers: LayerPaths; readonly paths: string[] }>()
  for (const path of paths) {
    mustExist(path)
    const root = rootOf(path)
    const root_ = root ?? rulesBeside(path)
    const known = byRoot.get(root_) ?? { layers: root === undefined ? { ...layers, operatorDir: root_ } : { ...layers, library: root }, paths: [] }
    known.paths.push(path)
    byRoot.set(root_, known)
  }
  return [...byRoot.values()]
}

function mustExist(path: string): void {
  if (!existsSync(path)) throw new Fault('INPUT_INVALID', `${path} does not exist: give a folder of rules or a file`)
}

/** The nearest folder, at or above, that has a conditions.yaml; not beyond the project that the path lies in. */
function rootOf(path: string): string | undefined {
  for (let folder = resolve(path); ; folder = dirname(folder)) {
    if (existsSync(join(folder, CONDITIONS))) return shown(folder)
    if (folder === dirname(folder) || ['.git', 'package.json'].some((name) => existsSync(join(folder, name)))) return undefined
  }
}

/** `x.test.yaml` tests the rules of `x.yaml`. */
function rulesBeside(path: string): string {
  const beside = path.replace(/\.test(\.ya?ml)$/, '$1')
  return existsSync(beside) ? beside : path
}

/** As short as it can be written from here. */
function shown(path: string): string {
  const short = relative(process.cwd(), path)
  return short === '' ? '.' : short.startsWith('..') ? path : short
}

/** Whether a file is asked about: by itself, by its test, or by a folder above it. */
export function isSelected(file: string, { paths }: Selection): boolean {
  const at = resolve(file)
  return paths.length === 0 || paths.map((path) => resolve(rulesBeside(path))).some((path) => at === path || at.startsWith(path === sep ? sep : `${path}${sep}`))
}
