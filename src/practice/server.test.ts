// What only the practice server does: its log of requests, its clock, forgotten versions, pod logs, custom kinds.
import { describe, expect, it } from 'vitest'
import { manualPorts } from '../../test/manual-ports.ts'
import type { HttpRequest } from '../domain/ports.ts'
import { httpOf } from './http.ts'
import { makePractice } from './server.ts'

const MAPS = '/api/v1/namespaces/shop/configmaps'
const map = (name: string) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'shop' }, data: {} })
const podNamed = (name: string, ...containers: string[]) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'shop' },
  spec: { nodeName: 'node-1', containers: containers.map((container) => ({ name: container, image: 'i:1' })) },
})

function serving(...manifests: object[]) {
  const ports = manualPorts()
  const practice = makePractice({ ports })
  practice.load(manifests)
  const http = httpOf(practice.fetch)
  const ask = (method: HttpRequest['method'], path: string, body?: unknown, headers: Record<string, string> = {}) =>
    http({
      method,
      url: `http://practice${path}`,
      headers: { authorization: `Bearer ${practice.adminToken}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
  const json = async (path: string) => JSON.parse(await (await ask('GET', path)).text())
  return { ports, practice, http, ask, json }
}

describe('the request log', () => {
  it('has every request in order: when, who, what, and how it was answered', async () => {
    const { ports, practice, ask } = serving()
    practice.addUser({ token: 't', name: 'somebody' })
    await ask('POST', `${MAPS}?dryRun=All`, map('a'))
    await ports.advance(1_000)
    await ask('PATCH', `${MAPS}/a`, [], { authorization: 'Bearer t', 'content-type': 'application/json-patch+json; charset=utf-8' })
    await ask('GET', `${MAPS}?watch=true`, undefined, { authorization: 'Bearer wrong' })
    await ask('GET', '/version')
    const [create, patch, watch, version] = practice.requests
    const at = 1_768_478_400_000
    expect(create).toEqual({
      at,
      user: 'admin',
      verb: 'create',
      method: 'POST',
      path: MAPS,
      query: 'dryRun=All',
      dryRun: true,
      contentType: 'application/json',
      body: map('a'),
      status: 404,
    })
    expect(patch).toEqual({
      at: at + 1_000,
      user: 'somebody',
      verb: 'patch',
      method: 'PATCH',
      path: `${MAPS}/a`,
      query: '',
      dryRun: false,
      contentType: 'application/json-patch+json',
      body: [],
      status: 403,
    })
    expect(watch).toMatchObject({ user: 'system:anonymous', verb: 'watch', status: 401 })
    expect(version).toMatchObject({ verb: 'other', path: '/version', status: 200 })
  })
  it('knows a dry run that a body asks for', async () => {
    const { practice, ask } = serving(podNamed('web-1', 'app'))
    await ask('DELETE', '/api/v1/namespaces/shop/pods/web-1', { dryRun: ['All'] })
    await ask('POST', '/api/v1/namespaces/shop/pods/web-1/eviction', { metadata: { name: 'web-1' }, deleteOptions: { dryRun: ['All'] } })
    expect(practice.requests.map(({ dryRun, status }) => [dryRun, status])).toEqual([
      [true, 200],
      [true, 201],
    ])
  })
})

describe('the practice server', () => {
  it('dates its answers by its own clock, refusals too', async () => {
    const { ports, ask } = serving()
    ports.jump(60_000)
    expect((await ask('GET', '/version')).headers['date']).toBe('Thu, 15 Jan 2026 12:01:00 GMT')
    expect((await ask('GET', `${MAPS}/none`)).headers['date']).toBe('Thu, 15 Jan 2026 12:01:00 GMT')
  })
  it('refuses those without a token with 401, but for version and health', async () => {
    const { http } = serving()
    const status = async (path: string) => (await http({ method: 'GET', url: `http://practice${path}` })).status
    expect([await status(MAPS), await status('/apis'), await status('/version'), await status('/readyz'), await status('/livez')]).toEqual([401, 401, 200, 200, 200])
  })
  it('tells a watch of a forgotten version 410 as an event, and a list that goes on from one as a status', async () => {
    const { practice, ask, json } = serving(map('a'), map('b'))
    const first = await json(`${MAPS}?limit=1`)
    practice.store.compact()
    const watch = await ask('GET', `${MAPS}?watch=1&resourceVersion=1`)
    expect(watch.status).toBe(200)
    expect(JSON.parse(await watch.text())).toMatchObject({
      type: 'ERROR',
      object: { kind: 'Status', code: 410, reason: 'Expired', message: `too old resource version: 1 (${practice.store.oldest})` },
    })
    practice.store.create({ ...map('c') })
    practice.store.compact()
    const rest = await ask('GET', `${MAPS}?limit=1&continue=${first.metadata.continue}`)
    const refused = JSON.parse(await rest.text())
    expect(refused).toMatchObject({ code: 410, reason: 'Expired', metadata: { continue: expect.any(String) } })
    const again = await json(`${MAPS}?continue=${refused.metadata.continue}`)
    expect(again.items.map((item: { metadata: { name: string } }) => item.metadata.name)).toEqual(['b', 'c'])
  })
  it('marks a watch every minute and shortly before its end, by the clock', async () => {
    const { ports, practice, ask } = serving(map('a'))
    const watch = await ask('GET', `${MAPS}?watch=1&resourceVersion=${practice.store.version}&allowWatchBookmarks=true&timeoutSeconds=130`)
    const reading = watch.text()
    await ports.advance(130_000)
    const types = (await reading)
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).type)
    expect(types).toEqual(['BOOKMARK', 'BOOKMARK', 'BOOKMARK'])
    expect([practice.watches(), ports.waiting]).toEqual([0, 0])
  })
  it('lets go of a watch whose client gave up', async () => {
    const { ports, practice, http } = serving(map('a'))
    const controller = new AbortController()
    const watch = await http({ method: 'GET', url: `http://practice${MAPS}?watch=1`, headers: { authorization: `Bearer ${practice.adminToken}` }, signal: controller.signal })
    const reading = (async () => {
      for await (const chunk of watch.chunks()) expect(chunk).toContain('ADDED')
    })()
    await ports.settle()
    expect(practice.watches()).toBe(1)
    controller.abort(new Error('enough'))
    await expect(reading).rejects.toThrow('enough')
    expect([practice.watches(), ports.waiting]).toEqual([0, 0])
  })
  it('keeps a pod that ends slowly, marked, and removes it at once when asked to', async () => {
    const { practice, ask, json } = serving(podNamed('web-1', 'app'))
    practice.store.endsSlowly = () => true
    const path = '/api/v1/namespaces/shop/pods/web-1'
    await ask('DELETE', path)
    expect((await json(path)).metadata).toMatchObject({ deletionTimestamp: '2026-01-15T12:00:30Z', deletionGracePeriodSeconds: 30 })
    await ask('DELETE', path, { gracePeriodSeconds: 0 })
    expect((await ask('GET', path)).status).toBe(404)
  })
  it('orphans the pods of a Job unless it is told to take them along, and leaves others to the garbage collector', async () => {
    const owned = (kind: string) => ({
      ...podNamed(`of-${kind.toLowerCase()}`, 'app'),
      metadata: {
        name: `of-${kind.toLowerCase()}`,
        namespace: 'shop',
        ownerReferences: [{ apiVersion: kind === 'Job' ? 'batch/v1' : 'apps/v1', kind, name: 'x', uid: '', controller: true }],
      },
    })
    const { ask, practice } = serving(
      { apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'x', namespace: 'shop' } },
      { apiVersion: 'apps/v1', kind: 'ReplicaSet', metadata: { name: 'x', namespace: 'shop' } },
      owned('Job'),
      owned('ReplicaSet'),
    )
    const owners = (name: string) => practice.store.get('Pod', 'shop', name)?.metadata.ownerReferences?.length ?? 0
    await ask('DELETE', '/apis/batch/v1/namespaces/shop/jobs/x')
    await ask('DELETE', '/apis/apps/v1/namespaces/shop/replicasets/x')
    expect([owners('of-job'), owners('of-replicaset')]).toEqual([0, 1])
  })
  it('takes everything in a namespace along', async () => {
    const { ask, practice } = serving(map('a'), podNamed('web-1', 'app'), { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } })
    await ask('DELETE', '/api/v1/namespaces/shop')
    expect([practice.store.list('ConfigMap'), practice.store.list('Pod')]).toEqual([[], []])
  })
})

describe('pod logs', () => {
  const log = (name: string, query = '') => `/api/v1/namespaces/shop/pods/${name}/log${query}`
  it('are cut by lines from the end and by bytes from the beginning', async () => {
    const { practice, ask } = serving(podNamed('web-1', 'app'))
    practice.logs.set('web-1', 'app', false, 'one\ntwo\nthree\n')
    practice.logs.append('web-1', 'app', 'four\n')
    const read = async (query: string) => (await ask('GET', log('web-1', query))).text()
    expect(await read('')).toBe('one\ntwo\nthree\nfour\n')
    expect(await read('?tailLines=2')).toBe('three\nfour\n')
    expect(await read('?tailLines=0')).toBe('')
    expect(await read('?tailLines=2&limitBytes=8')).toBe('three\nfo')
    expect((await ask('GET', log('web-1', '?tailLines=-1'))).status).toBe(422)
  })
  it('of the previous container are there or refused', async () => {
    const { practice, ask } = serving(podNamed('web-1', 'app'))
    const none = await ask('GET', log('web-1', '?previous=true'))
    expect([none.status, JSON.parse(await none.text()).message]).toEqual([400, 'previous terminated container "app" in pod "web-1" not found'])
    practice.logs.set('web-1', 'app', true, 'out of memory\n')
    expect(await (await ask('GET', log('web-1', '?previous=true'))).text()).toBe('out of memory\n')
  })
  it('want a container where there are several, and a known one', async () => {
    const { ask } = serving(podNamed('web-1', 'app', 'proxy'))
    const message = async (query: string) => JSON.parse(await (await ask('GET', log('web-1', query))).text()).message
    expect(await message('')).toBe('a container name must be specified for pod web-1, choose one of: [app proxy]')
    expect(await message('?container=none')).toBe('container none is not valid for pod web-1')
  })
})

describe('custom kinds', () => {
  const definition = {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'kuerbisse.example.com' },
    spec: { group: 'example.com', scope: 'Namespaced', names: { kind: 'Kuerbis', plural: 'kuerbisse' }, versions: [{ name: 'v1', served: true, subresources: { scale: {} } }] },
  }
  const custom = (kind: string, group: string, name: string, namespace?: string) => ({
    apiVersion: `${group}/v1`,
    kind,
    metadata: { name, ...(namespace ? { namespace } : {}) },
    spec: { replicas: 1 },
  })

  it('are served under the plural of their definition, loaded before or after them', async () => {
    const { json, ask } = serving(custom('Kuerbis', 'example.com', 'a', 'shop'), definition)
    const list = await json('/apis/example.com/v1/namespaces/shop/kuerbisse')
    expect(list).toMatchObject({ kind: 'KuerbisList', items: [{ kind: 'Kuerbis', apiVersion: 'example.com/v1', metadata: { name: 'a' } }] })
    expect(
      (await ask('PATCH', '/apis/example.com/v1/namespaces/shop/kuerbisse/a/scale', { spec: { replicas: 3 } }, { 'content-type': 'application/merge-patch+json' })).status,
    ).toBe(200)
    expect((await ask('GET', '/apis/example.com/v1/namespaces/shop/kuerbisse/a/status')).status).toBe(404)
    const wrong = await ask('PATCH', '/apis/example.com/v1/namespaces/shop/kuerbisse/a', {}, { 'content-type': 'application/strategic-merge-patch+json' })
    expect(JSON.parse(await wrong.text()).message).toBe(
      'the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml',
    )
  })
  it('are served under the plural that their kind suggests when nobody defined them', async () => {
    const { json } = serving(
      custom('Application', 'argoproj.io', 'web', 'shop'),
      custom('Policy', 'example.com', 'p', 'shop'),
      custom('Ingress', 'example.com', 'i'),
      custom('Ingress', 'example.com', 'j', 'shop'),
    )
    expect((await json('/apis/argoproj.io/v1/namespaces/shop/applications/web')).kind).toBe('Application')
    expect((await json('/apis/example.com/v1/namespaces/shop/policies/p')).kind).toBe('Policy')
    expect((await json('/apis/example.com/v1/ingresses')).items).toHaveLength(2)
    expect((await json('/apis/networking.k8s.io/v1/ingresses')).items).toHaveLength(0)
    expect((await json('/apis')).groups.map(({ name }: { name: string }) => name)).toEqual(expect.arrayContaining(['argoproj.io', 'example.com']))
  })
  it('come with a definition that a client creates', async () => {
    const { ask } = serving()
    const path = '/apis/example.com/v1/namespaces/default/kuerbisse'
    expect((await ask('GET', path)).status).toBe(404)
    expect((await ask('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', definition)).status).toBe(201)
    expect((await ask('POST', path, custom('Kuerbis', 'example.com', 'a'))).status).toBe(201)
  })
})

describe('speed', () => {
  it('answers a request well within a millisecond, with a thousand other objects there', async () => {
    const others = Array.from({ length: 1_000 }, (_, index) => podNamed(`other-${index}`, 'app'))
    const { ask } = serving(podNamed('web-1', 'app'), ...others)
    const times: number[] = []
    for (let i = 0; i < 400; i++) {
      const began = performance.now()
      await (await ask('GET', '/api/v1/namespaces/shop/pods/web-1')).text()
      await (await ask('PATCH', '/api/v1/namespaces/shop/pods/web-1', { metadata: { labels: { turn: String(i) } } }, { 'content-type': 'application/merge-patch+json' })).text()
      times.push((performance.now() - began) / 2)
    }
    expect(times.sort((a, b) => a - b)[200]).toBeLessThan(1)
  })
})
