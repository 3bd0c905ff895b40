// Label selectors, as text and as objects, and the field selectors that each kind supports.
import { at, listAt, mapAt, type Plain, textAt, textsAt } from './fields.ts'
import type { Resource } from './resources.ts'
import { badRequest } from './status.ts'

export type Labels = Readonly<Record<string, string>>
export type Matches<T> = (subject: T) => boolean

const SET = /^([^\s!=(),<>]+)\s+(in|notin)\s+\(([^()]*)\)$/
const COMPARED = /^([^\s!=(),<>]+)\s*(==|=|!=|>|<)\s*([^\s!=(),<>]*)$/
const EXISTS = /^(!?)\s*([^\s!=(),<>]+)$/

function requirement(text: string): Matches<Labels> {
  const value = (labels: Labels, key: string) => (Object.hasOwn(labels, key) ? labels[key] : undefined)
  const set = SET.exec(text)
  if (set) {
    const [, key = '', operator, list = ''] = set
    const values = list.split(',').map((item) => item.trim())
    return (labels) => values.includes(value(labels, key) ?? '\0') === (operator === 'in')
  }
  const compared = COMPARED.exec(text)
  if (compared) {
    const [, key = '', operator, wanted = ''] = compared
    if (operator === '>' || operator === '<') return (labels) => (operator === '>' ? Number(value(labels, key)) > Number(wanted) : Number(value(labels, key)) < Number(wanted))
    return (labels) => (value(labels, key) === wanted) === (operator !== '!=')
  }
  const exists = EXISTS.exec(text)
  if (!exists) throw badRequest(`unable to parse requirement: found ${JSON.stringify(text)}, expected: identifier, or '!'`)
  const [, not, key = ''] = exists
  return (labels) => Object.hasOwn(labels, key) === (not === '')
}

/** Commas inside parentheses belong to a set. */
const parts = (selector: string): string[] =>
  selector
    .split(/,(?![^(]*\))/)
    .map((part) => part.trim())
    .filter((part) => part !== '')

export function labelMatcher(selector: string): Matches<Labels> {
  const all = parts(selector).map(requirement)
  return (labels) => all.every((each) => each(labels))
}

/** A LabelSelector object. One that is missing matches nothing; an empty one matches everything. */
export function selects(selector: unknown, labels: Labels): boolean {
  if (selector === undefined || selector === null) return false
  const wanted = Object.entries(mapAt(selector, 'matchLabels'))
  return wanted.every(([key, value]) => labels[key] === value) && listAt(selector, 'matchExpressions').every((each) => expressionHolds(each, labels))
}
function expressionHolds(expression: unknown, labels: Labels): boolean {
  const key = textAt(expression, 'key') ?? ''
  const has = Object.hasOwn(labels, key)
  const among = has && textsAt(expression, 'values').includes(labels[key] ?? '')
  switch (textAt(expression, 'operator')) {
    case 'In':
      return among
    case 'NotIn':
      return !among
    case 'Exists':
      return has
    case 'DoesNotExist':
      return !has
    default:
      return false
  }
}

const OBJECT = ['kind', 'namespace', 'name', 'uid', 'apiVersion', 'resourceVersion', 'fieldPath']
const FIELDS: Readonly<Record<string, readonly string[]>> = {
  'v1 pods': [
    'spec.nodeName',
    'spec.restartPolicy',
    'spec.schedulerName',
    'spec.serviceAccountName',
    'spec.hostNetwork',
    'status.phase',
    'status.podIP',
    'status.nominatedNodeName',
  ],
  'v1 events': [...OBJECT.map((field) => `involvedObject.${field}`), 'reason', 'reportingComponent', 'source', 'type'],
  'events.k8s.io/v1 events': [...OBJECT.map((field) => `regarding.${field}`), 'reason', 'reportingController', 'type'],
  'v1 namespaces': ['status.phase'],
  'v1 nodes': ['spec.unschedulable'],
  'v1 secrets': ['type'],
  'v1 replicationcontrollers': ['status.replicas'],
  'apps/v1 replicasets': ['status.replicas'],
  'batch/v1 jobs': ['status.successful'],
}
const RENAMED: Readonly<Record<string, string>> = { 'status.successful': 'status.succeeded', source: 'source.component' }

const fieldText = (object: Plain, path: string): string => {
  const found = at(object, ...(RENAMED[path] ?? path).split('.'))
  return found === undefined || found === null ? '' : String(found)
}

export function fieldMatcher(selector: string, resource: Resource): Matches<Plain> {
  const supported = ['metadata.name', 'metadata.namespace', ...(FIELDS[`${resource.apiVersion} ${resource.plural}`] ?? [])]
  const all = parts(selector).map((part) => {
    const [, path = '', operator, wanted = ''] = /^([^!=]+)(==|=|!=)(.*)$/.exec(part) ?? []
    if (path === '') throw badRequest(`invalid selector: '${selector}'; can't understand '${part}'`)
    if (!supported.includes(path)) throw badRequest(`field label not supported: ${path}`)
    return (object: Plain) => (fieldText(object, path) === wanted) === (operator !== '!=')
  })
  return (object) => all.every((each) => each(object))
}
/** The one name that a field selector asks for: RBAC's resourceNames can then allow a list or a watch. */
export const selectedName = (selector: string): string | undefined => /(?:^|,)metadata\.name==?([^,!=]+)(?:,|$)/.exec(selector)?.[1]
