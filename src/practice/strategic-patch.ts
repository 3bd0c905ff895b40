// Strategic merge patch of the built-in kinds: a merge patch that knows which lists are keyed.
import { equal, isPlain, type Plain, textAt } from './fields.ts'
import { Refusal } from './status.ts'

/** Lists whose items are merged by a field of theirs; every other list is replaced. */
const KEYS: Readonly<Record<string, string>> = {
  containers: 'name',
  initContainers: 'name',
  ephemeralContainers: 'name',
  env: 'name',
  volumes: 'name',
  volumeMounts: 'mountPath',
  volumeDevices: 'devicePath',
  imagePullSecrets: 'name',
  conditions: 'type',
  ownerReferences: 'uid',
  hostAliases: 'ip',
  topologySpreadConstraints: 'topologyKey',
  secrets: 'name',
}
/** Lists of plain values that are merged as sets. */
const SETS = ['finalizers']

const keyOf = (name: string, items: readonly unknown[]): string | undefined => {
  if (name !== 'ports') return KEYS[name]
  return items.some((item) => isPlain(item) && 'containerPort' in item) ? 'containerPort' : 'port'
}
const DIRECTIVE = /^\$(patch|retainKeys|setElementOrder\/|deleteFromPrimitiveList\/)/

export function strategicMerge(object: unknown, patch: Plain): Plain {
  if (patch['$patch'] === 'replace') return plain(patch)
  if (patch['$patch'] === 'delete') return {}
  const retained = Array.isArray(patch['$retainKeys']) ? patch['$retainKeys'] : undefined
  const was = isPlain(object) ? object : {}
  const merged = new Map(Object.entries(was).filter(([key]) => retained === undefined || retained.includes(key)))
  for (const [key, value] of Object.entries(patch)) {
    if (DIRECTIVE.test(key)) deleteItems(merged, key, value)
    else if (value === null) merged.delete(key)
    else merged.set(key, mergeField(key, was[key], value))
  }
  return Object.fromEntries(merged)
}
function deleteItems(merged: Map<string, unknown>, directive: string, value: unknown): void {
  const [name, list] = directive.split('/')
  const items = merged.get(list ?? '')
  if (name === '$deleteFromPrimitiveList' && list !== undefined && Array.isArray(items) && Array.isArray(value))
    merged.set(
      list,
      items.filter((item) => !value.includes(item)),
    )
}
function mergeField(name: string, was: unknown, value: unknown): unknown {
  if (isPlain(value)) return strategicMerge(was, value)
  if (!Array.isArray(value)) return value
  const items: readonly unknown[] = Array.isArray(was) ? was : []
  if (SETS.includes(name)) return [...items, ...value.filter((item) => !items.some((each) => equal(each, item)))]
  const key = keyOf(name, [...items, ...value])
  if (key === undefined || !value.every(isPlain)) return value
  return mergeList(items, value, key)
}

/** Items that the patch names come in its order; the others keep their places before what followed them. */
function mergeList(items: readonly unknown[], patches: readonly Plain[], key: string): readonly unknown[] {
  for (const patch of patches)
    if (patch[key] === undefined && patch['$patch'] !== 'replace') throw new Refusal(500, '', `map: ${shown(patch)} does not contain declared merge key: ${key}`)
  if (patches.some((patch) => patch['$patch'] === 'replace')) return patches.filter((patch) => patch[key] !== undefined)
  const place = (patch: Plain): number => items.findIndex((item) => isPlain(item) && equal(item[key], patch[key]))
  const kept = items.map((item, index) => ({ item, index })).filter(({ index }) => !patches.some((patch) => place(patch) === index))
  const result: unknown[] = []
  for (const patch of patches) {
    if (patch['$patch'] === 'delete') continue
    const index = place(patch)
    while (index >= 0 && kept[0] && kept[0].index < index) result.push(kept.shift()?.item)
    result.push(strategicMerge(items[index], patch))
  }
  return [...result, ...kept.map(({ item }) => item)]
}
const shown = (patch: Plain): string =>
  `map[${Object.keys(patch)
    .sort()
    .map((name) => `${name}:${textAt(patch, name) ?? ''}`)
    .join(' ')}]`
const plain = (patch: Plain): Plain => Object.fromEntries(Object.entries(patch).filter(([key]) => !DIRECTIVE.test(key)))
