// How a kept object looks in an answer: built-in list items carry no kind, and both Event APIs show one object.
import { at, isPlain, type Plain, textAt } from './fields.ts'
import type { Resource } from './resources.ts'
import type { Stored } from './store.ts'

const texts = new WeakMap<Stored, Map<string, string>>()

/** The object as its resource's version shows it. */
export function shown(resource: Resource, object: Stored): Plain {
  if (resource.apiVersion === 'events.k8s.io/v1') return { ...eventsEvent({ ...object }), apiVersion: resource.apiVersion, kind: resource.kind }
  return { ...object, apiVersion: resource.apiVersion, kind: resource.kind }
}

/** The object's JSON without kind and apiVersion. Kept as long as the object is, since most answers repeat earlier ones. */
function bare(resource: Resource, object: Stored): string {
  const kept = texts.get(object) ?? new Map<string, string>()
  const known = kept.get(resource.apiVersion)
  if (known !== undefined) return known
  const { apiVersion: _, kind: __, ...rest } = shown(resource, object)
  const text = JSON.stringify(rest)
  kept.set(resource.apiVersion, text)
  texts.set(object, kept)
  return text
}
export const objectText = (resource: Resource, object: Stored): string => `{"kind":"${resource.kind}","apiVersion":"${resource.apiVersion}",${bare(resource, object).slice(1)}`
export const itemText = (resource: Resource, object: Stored): string => (resource.builtIn ? bare(resource, object) : objectText(resource, object))

const without = (object: Plain, ...keys: readonly string[]): Plain => Object.fromEntries(Object.entries(object).filter(([key]) => !keys.includes(key)))
const defined = (object: Plain): Plain => Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined))

/** core/v1 to events.k8s.io/v1: the same facts under newer names. */
function eventsEvent(core: Plain): Plain {
  return defined({
    ...without(core, 'involvedObject', 'message', 'source', 'firstTimestamp', 'lastTimestamp', 'count', 'reportingComponent'),
    eventTime: core['eventTime'] ?? null,
    regarding: core['involvedObject'],
    note: core['message'],
    reportingController: core['reportingComponent'] ?? '',
    reportingInstance: core['reportingInstance'] ?? '',
    deprecatedSource: core['source'],
    deprecatedFirstTimestamp: core['firstTimestamp'],
    deprecatedLastTimestamp: core['lastTimestamp'],
    deprecatedCount: core['count'],
  })
}
/** And back, for what a client wrote. */
export function coreEvent(event: Plain): Plain {
  const reporting = textAt(event, 'reportingController')
  return defined({
    ...without(event, 'regarding', 'note', 'reportingController', 'deprecatedSource', 'deprecatedFirstTimestamp', 'deprecatedLastTimestamp', 'deprecatedCount'),
    apiVersion: 'v1',
    involvedObject: isPlain(event['regarding']) ? event['regarding'] : {},
    message: event['note'],
    reportingComponent: reporting ?? '',
    reportingInstance: at(event, 'reportingInstance') ?? '',
    source: event['deprecatedSource'] ?? {},
    firstTimestamp: event['deprecatedFirstTimestamp'] ?? null,
    lastTimestamp: event['deprecatedLastTimestamp'] ?? null,
    count: event['deprecatedCount'],
  })
}
