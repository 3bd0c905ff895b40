// Plain data by dotted path, and what the JSON schema says of each place in it.

export type Tree = Readonly<Record<string, unknown>>
export const isTree = (value: unknown): value is Tree => typeof value === 'object' && value !== null && !Array.isArray(value)

/** A copy with the value set at the path, sections made where there are none. */
export function withValue(tree: Tree, [name = '', ...rest]: readonly string[], value: unknown): Tree {
  const below = tree[name]
  return { ...tree, [name]: rest.length === 0 ? value : withValue(isTree(below) ? below : {}, rest, value) }
}

/** A copy without what stands at the path. */
export function withoutValue(tree: Tree, [name = '', ...rest]: readonly string[]): Tree {
  const below = tree[name]
  if (rest.length > 0) return isTree(below) ? { ...tree, [name]: withoutValue(below, rest) } : tree
  return Object.fromEntries(Object.entries(tree).filter(([key]) => key !== name))
}

/** The schema nodes that may describe what stands under a name or place. */
export function below(nodes: readonly Tree[], step: string | number): readonly Tree[] {
  return nodes.flatMap(alternatives).flatMap((node) => {
    const named = typeof step === 'string' && isTree(node['properties']) ? node['properties'][step] : undefined
    const other = named ?? (typeof step === 'number' ? node['items'] : node['additionalProperties'])
    return isTree(other) ? [other] : []
  })
}
const alternatives = (node: Tree): readonly Tree[] => [
  node,
  ...[node['anyOf'], node['oneOf'], node['allOf']].flatMap((several) => (Array.isArray(several) ? several.filter(isTree).flatMap(alternatives) : [])),
]
const all = (nodes: readonly Tree[]): readonly Tree[] => nodes.flatMap(alternatives)

export const isSecret = (nodes: readonly Tree[]): boolean => all(nodes).some((node) => node['writeOnly'] === true)
export const wantsNumber = (nodes: readonly Tree[]): boolean => all(nodes).some(({ type }) => type === 'number' || type === 'integer')
export const wantsBoolean = (nodes: readonly Tree[]): boolean => all(nodes).some(({ type }) => type === 'boolean')

/** Every scalar, with what the schema says of its place, through a function. */
export function mapScalars(
  value: unknown,
  nodes: readonly Tree[],
  change: (scalar: unknown, nodes: readonly Tree[], path: readonly (string | number)[]) => unknown,
  path: readonly (string | number)[] = [],
): unknown {
  if (Array.isArray(value)) return value.map((each: unknown, place) => mapScalars(each, below(nodes, place), change, [...path, place]))
  if (isTree(value)) return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, mapScalars(each, below(nodes, name), change, [...path, name])]))
  return change(value, nodes, path)
}
