// What the API server says about labels, annotations and the size of data: kinds do not matter here.
import { mapAt } from './fields.ts'
import { type Flaw, invalidValue } from './status.ts'
import type { Stored } from './store.ts'

const NAME = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/
const NAME_SAYS =
  "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
const VALUE = /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/
const VALUE_SAYS =
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
const CONFIG_KEY = /^[-._a-zA-Z0-9]+$/
const CONFIG_KEY_SAYS =
  "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
const MOST_ANNOTATIONS = 256 * 1024
const MOST_DATA = 1024 * 1024

const tooLong = (field: string, most: number): Flaw => ({ field, reason: 'FieldValueTooLong', message: `Too long: may not be more than ${most} bytes` })
const bytes = (map: Readonly<Record<string, string>>): number => Object.entries(map).reduce((sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(value), 0)

/** `prefix/name`, where the prefix is optional. */
function keyFlaws(field: string, key: string): readonly Flaw[] {
  const name = key.slice(key.indexOf('/') + 1)
  if (!NAME.test(name)) return [invalidValue(field, key, NAME_SAYS)]
  return name.length > 63 ? [invalidValue(field, key, 'name part must be no more than 63 bytes')] : []
}
function valueFlaws(field: string, value: string): readonly Flaw[] {
  if (value.length > 63) return [invalidValue(field, value, 'must be no more than 63 bytes')]
  return VALUE.test(value) ? [] : [invalidValue(field, value, VALUE_SAYS)]
}

export function metadataFlaws(object: Stored): readonly Flaw[] {
  const { labels = {}, annotations = {} } = object.metadata
  return [
    ...Object.entries(labels).flatMap(([key, value]) => [...keyFlaws('metadata.labels', key), ...valueFlaws('metadata.labels', value)]),
    ...Object.keys(annotations).flatMap((key) => keyFlaws('metadata.annotations', key.toLowerCase())),
    ...(bytes(annotations) > MOST_ANNOTATIONS ? [tooLong('metadata.annotations', MOST_ANNOTATIONS)] : []),
  ]
}
export function dataFlaws(object: Stored): readonly Flaw[] {
  const data = mapAt(object, 'data')
  const keys = Object.keys(data).filter((key) => !CONFIG_KEY.test(key))
  return [...keys.map((key) => invalidValue(`data[${key}]`, key, CONFIG_KEY_SAYS)), ...(bytes(data) > MOST_DATA ? [tooLong('[]', MOST_DATA)] : [])]
}
