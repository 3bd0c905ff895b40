// Label selectors as Kubernetes means them: an absent selector matches nothing, an empty one everything.
import type { Labels } from './alert.ts'

export interface LabelSelector {
  matchLabels?: Record<string, string>
  matchExpressions?: { key: string; operator: string; values?: string[] }[]
}

function holds({ key, operator, values }: { key: string; operator: string; values?: string[] }, labels: Labels): boolean {
  const value = labels[key]
  if (operator === 'Exists') return value !== undefined
  if (operator === 'DoesNotExist') return value === undefined
  if (operator === 'In') return value !== undefined && (values ?? []).includes(value)
  if (operator === 'NotIn') return value === undefined || !(values ?? []).includes(value)
  return false
}

export const matchesSelector = (selector: LabelSelector | undefined, labels: Labels = {}): boolean =>
  selector !== undefined &&
  Object.entries(selector.matchLabels ?? {}).every(([key, value]) => labels[key] === value) &&
  (selector.matchExpressions ?? []).every((expression) => holds(expression, labels))

function written({ key, operator, values }: { key: string; operator: string; values?: string[] }): string {
  if (operator === 'Exists') return key
  if (operator === 'DoesNotExist') return `!${key}`
  return `${key} ${operator === 'In' ? 'in' : 'notin'} (${(values ?? []).join(',')})`
}

/** As the API takes it in `labelSelector=`. */
export const formatSelector = (selector: LabelSelector): string =>
  [...Object.entries(selector.matchLabels ?? {}).map(([key, value]) => `${key}=${value}`), ...(selector.matchExpressions ?? []).map(written)].join(',')
