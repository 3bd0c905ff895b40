// Values that the API server cannot decode: a number written as text, a label that is no text, a quantity that is none.
import { parseQuantity } from '../domain/quantity.ts'
import { at, isPlain, listAt, plainAt } from './fields.ts'
import type { Resource } from './resources.ts'

const WHOLE = ['replicas', 'minReplicas', 'maxReplicas', 'revisionHistoryLimit', 'progressDeadlineSeconds', 'minReadySeconds', 'backoffLimit', 'parallelism', 'completions']
const QUANTITY = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"

/** As the decoder of the real server names a JSON value. */
const named = (value: unknown): string => {
  if (Array.isArray(value)) return 'array'
  if (typeof value === 'number') return Number.isInteger(value) ? 'number' : `number ${value}`
  return typeof value === 'boolean' ? 'bool' : typeof value
}
const misfit = (value: unknown, field: string, type: string): string => `json: cannot unmarshal ${named(value)} into Go struct field ${field} of type ${type}`
const isText = (value: unknown): boolean => typeof value === 'string' || value === null

/** The first value of a wrong type, in the decoder's words. */
export function undecodable({ kind, builtIn }: Resource, object: unknown): string | undefined {
  if (!builtIn) return undefined
  for (const map of ['labels', 'annotations']) {
    const wrong = Object.values(plainAt(object, 'metadata', map)).find((value) => !isText(value))
    if (wrong !== undefined) return misfit(wrong, `ObjectMeta.metadata.${map}`, 'string')
  }
  const data = kind === 'ConfigMap' ? Object.values(plainAt(object, 'data')).find((value) => !isText(value)) : undefined
  if (data !== undefined) return misfit(data, 'ConfigMap.data', 'string')
  for (const field of WHOLE) {
    const value = at(object, 'spec', field)
    if (value !== undefined && value !== null && !Number.isInteger(value)) return misfit(value, `${kind}Spec.spec.${field}`, 'int32')
  }
  return hasBadQuantity(object) ? QUANTITY : undefined
}
function hasBadQuantity(object: unknown): boolean {
  const specs = [at(object, 'spec'), at(object, 'spec', 'template', 'spec'), at(object, 'spec', 'jobTemplate', 'spec', 'template', 'spec')]
  const resources = specs.flatMap((spec) => [...listAt(spec, 'containers'), ...listAt(spec, 'initContainers'), spec]).map((holder) => plainAt(holder, 'resources'))
  const amounts = [...resources.flatMap((each) => [plainAt(each, 'requests'), plainAt(each, 'limits')]), plainAt(object, 'spec', 'hard')]
  return amounts.some((each) =>
    Object.values(each).some((value) => !isPlain(value) && (typeof value === 'string' || typeof value === 'number' ? parseQuantity(value) : undefined) === undefined),
  )
}
