import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { copyOf, isPlain } from './fields.ts'
import { jsonPatch, mergePatch } from './patch.ts'

const refused = (object: object, ...ops: object[]) => {
  expect(() => jsonPatch({ ...object }, ops)).toThrow('the server rejected our request due to an error in our request')
}

describe('JSON Patch', () => {
  it('leaves the object as it was', () => {
    const object = { list: [1, { deep: true }] }
    jsonPatch(object, [
      { op: 'add', path: '/list/0', value: 0 },
      { op: 'replace', path: '/list/2/deep', value: false },
    ])
    expect(object).toEqual({ list: [1, { deep: true }] })
  })
  it('lets replace set a key that is not there, as the server’s library does, but no index', () => {
    expect(jsonPatch({}, [{ op: 'replace', path: '/a', value: 1 }])).toEqual({ a: 1 })
    refused({ list: [1] }, { op: 'replace', path: '/list/1', value: 2 })
  })
  it('counts indices from the end when they are negative', () => {
    expect(jsonPatch({ list: [1, 2, 3] }, [{ op: 'remove', path: '/list/-1' }])).toEqual({ list: [1, 2] })
    refused({ list: [1] }, { op: 'remove', path: '/list/-2' })
  })
  it('compares objects whatever the order of their fields, and lists by order', () => {
    expect(jsonPatch({ a: { x: 1, y: 2 } }, [{ op: 'test', path: '/a', value: { y: 2, x: 1 } }])).toEqual({ a: { x: 1, y: 2 } })
    refused({ a: [1, 2] }, { op: 'test', path: '/a', value: [2, 1] })
    refused({ a: '1' }, { op: 'test', path: '/a', value: 1 })
  })
  it('moves and copies', () => {
    expect(
      jsonPatch({ a: { b: 1 }, list: [1] }, [
        { op: 'move', from: '/a/b', path: '/list/0' },
        { op: 'copy', from: '/list', path: '/a/list' },
      ]),
    ).toEqual({ a: { list: [1, 1] }, list: [1, 1] })
    refused({}, { op: 'move', from: '/none', path: '/a' })
  })
  it('tests and replaces the whole document at the empty path', () => {
    expect(
      jsonPatch({ a: 1 }, [
        { op: 'test', path: '', value: { a: 1 } },
        { op: 'replace', path: '', value: { b: 2 } },
      ]),
    ).toEqual({ b: 2 })
    refused({ a: 1 }, { op: 'test', path: '', value: {} })
    refused({ a: 1 }, { op: 'remove', path: '' })
  })
  it('refuses operations and paths that do not exist', () => {
    refused({ a: 1 }, { op: 'surprise', path: '/a' })
    refused({ a: 1 }, { op: 'add', path: 'a', value: 1 })
    refused({ a: 1 }, { op: 'add', path: '/a/b', value: 1 })
    refused({ list: [] }, { op: 'add', path: '/list/x', value: 1 })
    refused({ list: [] }, { op: 'test', path: '/list/0', value: null })
  })
  it('sees no inherited fields, and sets a key named __proto__ as any other', () => {
    refused({}, { op: 'add', path: '/constructor/x', value: 1 })
    refused({}, { op: 'remove', path: '/toString' })
    refused({}, { op: 'add', path: '/__proto__/polluted', value: true })
    const patched = jsonPatch({}, [{ op: 'add', path: '/__proto__', value: { polluted: true } }])
    expect(Object.keys(patched)).toEqual(['__proto__'])
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false)
  })
  it('finds back what it added, wherever that was', () => {
    const key = fc.string({ minLength: 1 })
    fc.assert(
      fc.property(fc.dictionary(key, fc.jsonValue()), key, fc.jsonValue(), (object, name, value) => {
        const path = `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`
        const json = copyOf(value)
        const patched = jsonPatch(copyOf(object), [
          { op: 'add', path, value: json },
          { op: 'test', path, value: json },
        ])
        const taken = jsonPatch(patched, [{ op: 'remove', path }])
        expect(Object.hasOwn(patched, name) && !Object.hasOwn(taken, name)).toBe(true)
      }),
    )
  })
})

describe('merge patch', () => {
  it('takes null away, merges objects and replaces everything else', () => {
    expect(mergePatch({ a: { b: 1, c: 2 }, list: [1, 2], text: 'x' }, { a: { b: null, d: 3 }, list: [3], text: { now: 'object' } })).toEqual({
      a: { c: 2, d: 3 },
      list: [3],
      text: { now: 'object' },
    })
  })
  it('removes nulls inside what is new', () => {
    expect(mergePatch({}, { a: { b: null, c: 1 } })).toEqual({ a: { c: 1 } })
  })
  it('changes nothing when it is applied twice', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (object, patch) => {
        const once = mergePatch(copyOf(object), copyOf(patch))
        expect(mergePatch(copyOf(once), copyOf(patch))).toEqual(once)
        expect(isPlain(patch) ? isPlain(once) : true).toBe(true)
      }),
    )
  })
})
