// Three layers make one book: the library, the operator's folder, the tenant's. What a tenant may not do is checked here.
import { overlap } from '../rooms/decide/book.ts'
import type { Condition, RuleFile } from '../rooms/decide/written.ts'
import { type Locate, NOWHERE, problemAt } from './parse.ts'
import type { Problem } from './problem.ts'
import type { WrittenFile } from './schema.ts'

export const LAYERS = ['library', 'operator', 'tenant'] as const
export type LayerName = (typeof LAYERS)[number]

export interface LayerFile {
  readonly path: string
  readonly written: WrittenFile
  readonly locate: Locate
}
export interface LayerConditions {
  readonly path: string
  readonly written: Readonly<Record<string, Condition>>
  readonly locate: Locate
}
export interface Layer {
  readonly name: LayerName
  readonly files: readonly LayerFile[]
  readonly conditions: LayerConditions | undefined
}

export interface Stacked {
  readonly files: readonly RuleFile[]
  readonly conditions: ReadonlyMap<string, Condition>
  readonly problems: readonly Problem[]
}

/** `tenantActions`: what the operator allows a tenant's rules to do; undefined allows every action. */
export function stack(layers: readonly Layer[], tenantActions?: readonly string[]): Stacked {
  const files = layers.flatMap((layer) => layer.files.map((file) => ranked(file, layer.name)))
  return { files, conditions: namedIn(layers), problems: [...layers.flatMap((layer) => layerProblems(layer, layers, tenantActions)), ...redefined(layers)] }
}

function ranked({ path, written }: LayerFile, layer: LayerName): RuleFile {
  const { sealed: _, ...rest } = written
  return { ...rest, path, rank: LAYERS.indexOf(layer) }
}

/** Where each file stands in its text, for findings of the compiler. */
export const locateOf = (layers: readonly Layer[], path: string): Locate => {
  const all = layers.flatMap((layer) => [...layer.files, ...(layer.conditions ? [layer.conditions] : [])])
  return all.find((file) => file.path === path)?.locate ?? NOWHERE
}

function layerProblems(layer: Layer, layers: readonly Layer[], tenantActions: readonly string[] | undefined): readonly Problem[] {
  const misplaced =
    layer.name === 'operator'
      ? []
      : layer.files
          .filter((file) => file.written.sealed)
          .map((file) => problemAt(file.path, file.locate, { at: ['sealed'], message: `sealed is for the operator layer; this is the ${layer.name}` }))
  if (layer.name !== 'tenant') return misplaced
  const operator = layers.find(({ name }) => name === 'operator')?.files.filter((file) => file.written.sealed) ?? []
  return [...misplaced, ...layer.files.flatMap((file) => [...unsealing(file, operator), ...forbidden(file, tenantActions)])]
}

function unsealing(file: LayerFile, sealed: readonly LayerFile[]): readonly Problem[] {
  return sealed
    .filter((other) => overlap(ranked(file, 'tenant'), ranked(other, 'operator')))
    .map((other) => problemAt(file.path, file.locate, { at: ['alerts'], message: `the operator has sealed these alerts, in ${other.path}` }))
}

function forbidden({ path, written, locate }: LayerFile, allowed: readonly string[] | undefined): readonly Problem[] {
  if (!allowed) return []
  const used = [
    ...written.rules.map((rule, at) => ({ action: rule.then.action, at: ['rules', at, 'then', 'action'] })),
    ...(written.otherwise && written.otherwise !== 'notify' ? written.otherwise.ask.map((action, at) => ({ action, at: ['otherwise', 'ask', at] })) : []),
  ]
  return used
    .filter(({ action }) => action !== 'notify_only' && !allowed.includes(action))
    .map(({ action, at }) =>
      problemAt(path, locate, { at, message: `the operator does not allow ${action} here`, ...(allowed.length > 0 && { hint: `allowed: ${allowed.join(', ')}` }) }),
    )
}

function namedIn(layers: readonly Layer[]): ReadonlyMap<string, Condition> {
  return new Map(layers.toReversed().flatMap((layer) => Object.entries(layer.conditions?.written ?? {})))
}
/** A later layer that redefines a condition would change rules of a lower layer, sealed ones too. */
function redefined(layers: readonly Layer[]): readonly Problem[] {
  const first = new Map<string, string>()
  return layers.flatMap(({ conditions }) =>
    Object.keys(conditions?.written ?? {}).flatMap((name) => {
      const other = first.get(name)
      if (conditions && other === undefined) first.set(name, conditions.path)
      return conditions && other !== undefined
        ? [problemAt(conditions.path, conditions.locate, { at: [name], message: `condition ${name} exists already, in ${other}`, hint: 'choose another name' })]
        : []
    }),
  )
}
