import { describe, expect, it } from 'vitest'
import { manualPorts } from '../../test/manual-ports.ts'
import { type Change, Store, type Stored } from './store.ts'

const map = (name: string, data: object = {}, namespace = 'shop'): Stored => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace }, ...{ data } })
const deployment = (replicas: number): Stored => ({ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web', namespace: 'shop' }, spec: { replicas } })
const fresh = () => {
  const ports = manualPorts()
  const store = new Store(ports.clock)
  const heard: string[] = []
  store.onChange(({ type, object, version }) => heard.push(`${type} ${object.metadata.name} ${version}`))
  return { ports, store, heard }
}

describe('the practice store', () => {
  it('gives uid, time and version, and hands out copies that change nothing', () => {
    const { store } = fresh()
    const made = store.create(deployment(1))
    expect(made.metadata).toMatchObject({ generation: 1, creationTimestamp: '2026-01-15T12:00:00Z', uid: expect.any(String), resourceVersion: '2' })
    Object.assign(made, { spec: { replicas: 9 } })
    expect(store.get('Deployment', 'shop', 'web')?.spec).toEqual({ replicas: 1 })
  })
  it('raises the generation when the spec changes and only then', () => {
    const { store } = fresh()
    store.create(deployment(1))
    expect(store.update({ ...deployment(1), status: { replicas: 1 } }).metadata.generation).toBe(1)
    expect(store.update(deployment(2)).metadata.generation).toBe(2)
  })
  it('keeps the version of an object that did not change, whatever the order of its fields, and tells nobody', () => {
    const { store, heard } = fresh()
    const made = store.create(map('a', { one: '1', two: '2' }))
    const again = store.update({ ...made, ...{ data: { two: '2', one: '1' } } })
    expect(again.metadata.resourceVersion).toBe(made.metadata.resourceVersion)
    expect(heard).toEqual(['ADDED a 2'])
  })
  it('lists by namespace and name, in the order of names, whatever the order of their making', () => {
    const { store } = fresh()
    for (const [name, namespace] of [
      ['b', 'shop'],
      ['c', 'other'],
      ['a', 'shop'],
    ] as const)
      store.create(map(name, {}, namespace))
    expect(store.list('ConfigMap').map(({ metadata }) => metadata.name)).toEqual(['c', 'a', 'b'])
    expect(store.list('ConfigMap', 'shop').map(({ metadata }) => metadata.name)).toEqual(['a', 'b'])
    store.remove('ConfigMap', 'shop', 'a')
    expect(store.list('ConfigMap', 'shop').map(({ metadata }) => metadata.name)).toEqual(['b'])
  })
  it('keeps a custom kind apart from the built-in kind of the same name', () => {
    const { store } = fresh()
    store.create({ apiVersion: 'v1', kind: 'Service', metadata: { name: 'web', namespace: 'shop' } })
    store.create({ apiVersion: 'serving.knative.dev/v1', kind: 'Service', metadata: { name: 'web', namespace: 'shop' } })
    expect(store.get('Service', 'shop', 'web')?.apiVersion).toBe('v1')
    expect(store.get('Service.serving.knative.dev', 'shop', 'web')?.apiVersion).toBe('serving.knative.dev/v1')
  })
  it('tells every listener the same order, also when a listener writes', () => {
    const { store } = fresh()
    store.onChange(({ object }) => {
      if (object.metadata.name === 'first') store.create(map('second'))
    })
    const order: string[] = []
    store.onChange(({ object }) => order.push(object.metadata.name))
    store.create(map('first'))
    expect(order).toEqual(['first', 'second'])
  })
  it('replays changes with what was before them, until it forgets', () => {
    const { store } = fresh()
    store.create(map('a'))
    const { version } = store
    store.update(map('a', { changed: 'yes' }))
    store.remove('ConfigMap', 'shop', 'a')
    const shown = ({ type, before }: Change) => [type, before?.metadata.resourceVersion]
    expect(store.changesAfter(version).map(shown)).toEqual([
      ['MODIFIED', '2'],
      ['DELETED', '3'],
    ])
    store.compact()
    expect([store.changesAfter(version), store.oldest]).toEqual([[], store.version])
  })
  it('forgets the oldest changes by itself when there are many', () => {
    const { store } = fresh()
    store.create(map('a'))
    for (let i = 0; i < 5_100; i++) store.update(map('a', { turn: String(i) }))
    expect(store.oldest).toBeGreaterThan(0)
    expect(store.changesAfter(store.oldest)).toHaveLength(5_000)
  })
  it('refuses to make what exists and to change what does not', () => {
    const { store } = fresh()
    store.create(map('a'))
    expect(() => store.create(map('a'))).toThrow('exists')
    expect(() => store.update(map('b'))).toThrow('does not exist')
    expect(store.remove('ConfigMap', 'shop', 'b')).toBeUndefined()
  })
})
