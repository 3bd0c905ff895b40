// What we rely on of a Kubernetes API server, as sentences that hold for the practice one and for a real one alike.
import { beforeAll, describe, expect, it } from 'vitest'
import type { Http } from '../../src/domain/ports.ts'

export interface ApiServer {
  readonly http: Http
  /** `http://…` or `https://…`, without a path. */
  readonly server: string
  /** Bearer token of a user who may do everything. */
  readonly admin: string
  /** A user who may nothing until a test gives it a role. */
  readonly limited: { readonly token: string; readonly name: string }
  /** A namespace of this name is made by the suite. */
  readonly namespace: string
}

interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: unknown
}
interface Options {
  readonly type?: string
  readonly token?: string
  readonly agent?: string
}

const JSON_PATCH = { type: 'application/json-patch+json' }
const MERGE = { type: 'application/merge-patch+json' }

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

const container = (memory = '64Mi') => ({ name: 'app', image: 'registry.example/app:1', resources: { requests: { memory }, limits: { memory: '128Mi' } } })
const deployment = (name: string, more: object = {}) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name },
  spec: { selector: { matchLabels: { app: name } }, template: { metadata: { labels: { app: name } }, spec: { containers: [container()] } }, ...more },
})
const pod = (name: string, labels: object = {}, memory?: string) => ({ apiVersion: 'v1', kind: 'Pod', metadata: { name, labels }, spec: { containers: [container(memory)] } })
const configMap = (name: string, labels: object = {}, data: object = { key: 'value' }) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, labels }, data })
const failure = (code: number, reason: string, more: object = {}) => ({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', code, reason, ...more })

export function kubernetesContract(name: string, setup: () => Promise<ApiServer>): void {
  describe(`${name} keeps the Kubernetes contract:`, () => {
    let api: ApiServer
    const call = async (method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string, body?: unknown, options: Options = {}): Promise<Answer> => {
      const answer = await api.http({
        method,
        url: api.server + path,
        headers: {
          authorization: `Bearer ${options.token ?? api.admin}`,
          'user-agent': options.agent ?? 'contract/1.0',
          ...(body === undefined ? {} : { 'content-type': options.type ?? 'application/json' }),
        },
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      })
      return { status: answer.status, headers: answer.headers, body: parsed(await answer.text()) }
    }
    const at = (group: string, plural: string, rest = '') => `${group === 'v1' ? '/api/v1' : `/apis/${group}`}/namespaces/${api.namespace}/${plural}${rest}`
    const deployments = (rest = '') => at('apps/v1', 'deployments', rest)
    const pods = (rest = '') => at('v1', 'pods', rest)
    const configMaps = (rest = '') => at('v1', 'configmaps', rest)
    const made = async (path: string, object: unknown) => {
      const answer = await call('POST', path, object)
      expect(answer.status, JSON.stringify(answer.body)).toBe(201)
      return answer.body
    }
    const field = (value: unknown, ...path: (string | number)[]): unknown =>
      path.reduce<unknown>((here, key) => (typeof here === 'object' && here !== null ? Object.entries(here).find(([name]) => name === String(key))?.[1] : undefined), value)
    const text = (value: unknown, ...path: (string | number)[]): string => String(field(value, ...path))
    const names = (list: unknown): string[] => {
      const items = field(list, 'items')
      return Array.isArray(items) ? items.map((item) => text(item, 'metadata', 'name')) : []
    }

    beforeAll(async () => {
      api = await setup()
      await made('/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: api.namespace } })
      await call('POST', at('v1', 'serviceaccounts'), { metadata: { name: 'default' } })
    })

    describe('reading', () => {
      it('answers 404 with a Status that names resource and object', async () => {
        const { status, body } = await call('GET', deployments('/none'))
        expect(status).toBe(404)
        expect(body).toEqual(failure(404, 'NotFound', { message: 'deployments.apps "none" not found', details: { name: 'none', group: 'apps', kind: 'deployments' } }))
      })
      it('tells an unknown resource of a known group from a group that is not served', async () => {
        const resource = await call('GET', '/apis/apps/v1/surprises')
        expect(resource.status).toBe(404)
        expect(resource.body).toEqual(failure(404, 'NotFound', { message: 'the server could not find the requested resource', details: {} }))
        const group = await call('GET', '/apis/surprise.example/v1/surprises')
        expect([group.status, group.body]).toEqual([404, '404 page not found\n'])
      })
      it('leaves kind and apiVersion away from the items of a built-in list, and gives the list a resourceVersion', async () => {
        await made(configMaps(), configMap('listed'))
        const { body } = await call('GET', configMaps('?fieldSelector=metadata.name%3Dlisted'))
        expect(body).toMatchObject({ kind: 'ConfigMapList', apiVersion: 'v1', metadata: { resourceVersion: expect.stringMatching(/^\d+$/) } })
        expect(names(body)).toEqual(['listed'])
        expect(field(body, 'items', 0, 'kind')).toBeUndefined()
      })
      it('selects by labels: equality, inequality, sets and existence', async () => {
        await made(configMaps(), configMap('red', { colour: 'red', shade: 'dark' }))
        await made(configMaps(), configMap('blue', { colour: 'blue' }))
        const selected = async (selector: string) => names((await call('GET', configMaps(`?labelSelector=${encodeURIComponent(selector)}`))).body)
        expect(await selected('colour=red')).toEqual(['red'])
        expect(await selected('colour==blue')).toEqual(['blue'])
        expect(await selected('colour in (red, blue)')).toEqual(['blue', 'red'])
        expect(await selected('colour,colour!=red')).toEqual(['blue'])
        expect(await selected('colour,!shade')).toEqual(['blue'])
        expect(await selected('colour,shade notin (dark)')).toEqual(['blue'])
        expect(await selected('colour in (red),shade=dark')).toEqual(['red'])
      })
      it('refuses field selectors that the kind does not support', async () => {
        const { status, body } = await call('GET', pods('?fieldSelector=spec.surprise%3D1'))
        expect([status, body]).toEqual([400, failure(400, 'BadRequest', { message: 'field label not supported: spec.surprise' })])
      })
      it('pages a list with limit and continue, all pages of one resourceVersion', async () => {
        for (const letter of ['a', 'b', 'c']) await made(configMaps(), configMap(`page-${letter}`, { paged: 'yes' }))
        const first = (await call('GET', configMaps('?labelSelector=paged%3Dyes&limit=2'))).body
        expect(names(first)).toEqual(['page-a', 'page-b'])
        await made(configMaps(), configMap('page-d', { paged: 'yes' }))
        const second = (await call('GET', configMaps(`?labelSelector=paged%3Dyes&limit=2&continue=${encodeURIComponent(text(first, 'metadata', 'continue'))}`))).body
        expect(names(second)).toEqual(['page-c'])
        expect(field(second, 'metadata', 'continue')).toBeUndefined()
        expect(field(second, 'metadata', 'resourceVersion')).toBe(field(first, 'metadata', 'resourceVersion'))
      })
      it('refuses a continue token that it did not give', async () => {
        const { status, body } = await call('GET', configMaps('?limit=1&continue=surprise'))
        expect(status).toBe(400)
        expect(text(body, 'message')).toMatch(/^invalid continue token: continue key is not valid/)
      })
      it('answers 504 for a resourceVersion from the future and 400 for one that is no number', async () => {
        const future = await call('GET', configMaps('?resourceVersion=900000000000'))
        expect(future.status).toBe(504)
        expect(future.body).toMatchObject({
          reason: 'Timeout',
          details: { causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }], retryAfterSeconds: 1 },
        })
        expect((await call('GET', configMaps('?resourceVersion=surprise'))).status).toBe(400)
      })
    })

    describe('creating', () => {
      it('gives uid, creationTimestamp, resourceVersion, generation 1 and defaults, and takes no status', async () => {
        const body = await made(deployments(), { ...deployment('created'), status: { replicas: 7 } })
        expect(body).toMatchObject({
          metadata: {
            name: 'created',
            namespace: api.namespace,
            generation: 1,
            uid: expect.any(String),
            resourceVersion: expect.any(String),
            creationTimestamp: expect.stringMatching(/Z$/),
          },
          spec: {
            replicas: 1,
            revisionHistoryLimit: 10,
            progressDeadlineSeconds: 600,
            strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%' } },
          },
          status: {},
        })
        expect(field(body, 'status', 'replicas')).toBeUndefined()
        expect(field(body, 'spec', 'template', 'spec', 'restartPolicy')).toBe('Always')
      })
      it('counts no generation for kinds without one', async () => {
        expect(field(await made(configMaps(), configMap('ungenerated')), 'metadata', 'generation')).toBeUndefined()
      })
      it('answers 409 AlreadyExists for a name that is taken', async () => {
        await made(configMaps(), configMap('taken'))
        const { status, body } = await call('POST', configMaps(), configMap('taken'))
        expect([status, body]).toEqual([409, failure(409, 'AlreadyExists', { message: 'configmaps "taken" already exists', details: { name: 'taken', kind: 'configmaps' } })])
      })
      it('makes a name from generateName', async () => {
        const body = await made(configMaps(), { metadata: { generateName: 'made-' }, data: {} })
        expect(text(body, 'metadata', 'name')).toMatch(/^made-[a-z0-9]{5}$/)
      })
      it('answers 404 for a namespace that does not exist', async () => {
        const { status, body } = await call('POST', '/api/v1/namespaces/nowhere-at-all/configmaps', configMap('lost'))
        expect([status, text(body, 'message')]).toEqual([404, 'namespaces "nowhere-at-all" not found'])
      })
      it('keeps nothing of a dry run, but answers as if it had', async () => {
        const { status, body } = await call('POST', `${configMaps()}?dryRun=All`, configMap('rehearsed'))
        expect(status).toBe(201)
        expect(body).toMatchObject({ metadata: { name: 'rehearsed', uid: expect.any(String) } })
        expect(field(body, 'metadata', 'resourceVersion')).toBeUndefined()
        expect((await call('GET', configMaps('/rehearsed'))).status).toBe(404)
      })
      it('names every flaw of an invalid object with its field', async () => {
        const { status, body } = await call('POST', pods(), { metadata: { name: 'Not_A_Name' }, spec: { containers: [] } })
        expect(status).toBe(422)
        expect(body).toMatchObject({ reason: 'Invalid', details: { name: 'Not_A_Name', kind: 'Pod' } })
        expect(field(body, 'details', 'causes')).toEqual([
          { reason: 'FieldValueInvalid', field: 'metadata.name', message: expect.stringContaining('a lowercase RFC 1123 subdomain') },
          { reason: 'FieldValueRequired', field: 'spec.containers', message: 'Required value' },
        ])
      })
      it('refuses a body of another kind, an unreadable body and one of an unknown media type', async () => {
        const kind = await call('POST', pods(), { apiVersion: 'v1', kind: 'Service', metadata: { name: 'x' } })
        expect([kind.status, text(kind.body, 'message')]).toEqual([
          400,
          'Service in version "v1" cannot be handled as a Pod: converting (v1.Service) to (core.Pod): unknown conversion',
        ])
        expect((await call('POST', pods(), '{"kind":')).body).toMatchObject({ code: 400, reason: 'BadRequest' })
        const media = await call('POST', pods(), 'kind: Pod', { type: 'text/plain' })
        expect(media.body).toMatchObject({ code: 415, reason: 'UnsupportedMediaType', message: expect.stringContaining('accepted media types include: application/json') })
      })
      it('does not take a method that a path has not', async () => {
        const expected = failure(405, 'MethodNotAllowed', { message: 'the server does not allow this method on the requested resource', details: {} })
        expect((await call('POST', deployments('/created'), {})).body).toEqual(expected)
        expect((await call('PUT', deployments(), {})).body).toEqual(expected)
      })
    })

    describe('JSON Patch', () => {
      it('applies all operations when every test holds', async () => {
        const before = await made(deployments(), deployment('patched', { replicas: 2 }))
        const ops = [
          { op: 'test', path: '/metadata/uid', value: field(before, 'metadata', 'uid') },
          { op: 'test', path: '/spec/replicas', value: 2 },
          { op: 'replace', path: '/spec/replicas', value: 3 },
          { op: 'add', path: '/spec/template/metadata/annotations', value: { 'kubectl.kubernetes.io/restartedAt': 'now' } },
          { op: 'copy', from: '/metadata/name', path: '/spec/template/metadata/labels/copied' },
          { op: 'move', from: '/spec/template/metadata/labels/copied', path: '/spec/template/metadata/labels/moved' },
          { op: 'remove', path: '/spec/revisionHistoryLimit' },
        ]
        const { status, body } = await call('PATCH', deployments('/patched'), ops, JSON_PATCH)
        expect(status, JSON.stringify(body)).toBe(200)
        expect(body).toMatchObject({
          metadata: { generation: 2 },
          spec: { replicas: 3, revisionHistoryLimit: 10, template: { metadata: { labels: { app: 'patched', moved: 'patched' } } } },
        })
        expect(field(body, 'metadata', 'resourceVersion')).not.toBe(field(before, 'metadata', 'resourceVersion'))
      })
      it('answers 422 and changes nothing when a test fails', async () => {
        const before = await made(deployments(), deployment('tested'))
        const ops = [
          { op: 'replace', path: '/spec/replicas', value: 5 },
          { op: 'test', path: '/metadata/uid', value: 'somebody else' },
        ]
        const { status, body } = await call('PATCH', deployments('/tested'), ops, JSON_PATCH)
        expect([status, body]).toEqual([422, failure(422, 'Invalid', { message: 'the server rejected our request due to an error in our request', details: {} })])
        expect((await call('GET', deployments('/tested'))).body).toEqual(before)
      })
      it('takes a test for null as a test for absence', async () => {
        await made(configMaps(), configMap('absent'))
        const probe = (value: unknown) => call('PATCH', configMaps('/absent'), [{ op: 'test', path: '/data/missing', value }], JSON_PATCH)
        expect([(await probe(null)).status, (await probe('x')).status]).toEqual([200, 422])
      })
      it('answers 422 for a path that is not there, and escapes slashes as ~1', async () => {
        await made(configMaps(), configMap('escaped', {}, { 'a.b': '1' }))
        const apply = (...ops: object[]) => call('PATCH', configMaps('/escaped'), ops, JSON_PATCH)
        expect((await apply({ op: 'remove', path: '/data/none' })).status).toBe(422)
        expect((await apply({ op: 'add', path: '/metadata/annotations/x', value: 'y' })).status).toBe(422)
        const added = await apply({ op: 'add', path: '/metadata/annotations', value: {} }, { op: 'add', path: '/metadata/annotations/example.com~1why', value: 'y' })
        expect(field(added.body, 'metadata', 'annotations', 'example.com/why')).toBe('y')
      })
      it('adds to and removes from lists by index', async () => {
        const path = '/spec/template/spec/containers'
        await made(deployments(), deployment('lists'))
        const second = { name: 'second', image: 'registry.example/second:1' }
        const added = await call('PATCH', deployments('/lists'), [{ op: 'add', path: `${path}/-`, value: second }], JSON_PATCH)
        expect(field(added.body, 'spec', 'template', 'spec', 'containers', 1, 'name')).toBe('second')
        const removed = await call('PATCH', deployments('/lists'), [{ op: 'remove', path: `${path}/0` }], JSON_PATCH)
        expect(field(removed.body, 'spec', 'template', 'spec', 'containers', 0, 'name')).toBe('second')
        expect((await call('PATCH', deployments('/lists'), [{ op: 'remove', path: `${path}/7` }], JSON_PATCH)).status).toBe(422)
      })
      it('answers 400 for a body that is no list of operations and 415 for a type that is no patch', async () => {
        await made(configMaps(), configMap('unpatched'))
        expect((await call('PATCH', configMaps('/unpatched'), { data: {} }, JSON_PATCH)).body).toMatchObject({ code: 400, reason: 'BadRequest' })
        const { status, body } = await call('PATCH', configMaps('/unpatched'), {})
        expect([status, body]).toEqual([415, failure(415, 'UnsupportedMediaType', { message: '415: Unsupported Media Type', details: {} })])
      })
      it('keeps name, namespace and uid as they are', async () => {
        await made(configMaps(), configMap('fixed'))
        const { status, body } = await call('PATCH', configMaps('/fixed'), [{ op: 'replace', path: '/metadata/uid', value: 'other' }], JSON_PATCH)
        expect(status).toBe(422)
        expect(field(body, 'details', 'causes')).toContainEqual({ reason: 'FieldValueInvalid', field: 'metadata.uid', message: 'Invalid value: "other": field is immutable' })
      })
      it('answers 404 for an object that is gone', async () => {
        expect((await call('PATCH', configMaps('/none'), [], JSON_PATCH)).body).toMatchObject({ code: 404, reason: 'NotFound' })
      })
    })

    describe('merge patch and update', () => {
      it('merges, takes null for removal, and leaves the resourceVersion when nothing changed', async () => {
        await made(configMaps(), configMap('merged', {}, { keep: '1', drop: '2' }))
        const patched = await call('PATCH', configMaps('/merged'), { data: { drop: null, added: '3' } }, MERGE)
        expect(field(patched.body, 'data')).toEqual({ keep: '1', added: '3' })
        const again = await call('PATCH', configMaps('/merged'), { data: { added: '3' } }, MERGE)
        expect(field(again.body, 'metadata', 'resourceVersion')).toBe(field(patched.body, 'metadata', 'resourceVersion'))
      })
      it('answers 409 when the patch names another resourceVersion', async () => {
        await made(configMaps(), configMap('versioned'))
        const { status, body } = await call('PATCH', configMaps('/versioned'), { metadata: { resourceVersion: '1' }, data: { key: 'other' } }, MERGE)
        const message = 'Operation cannot be fulfilled on configmaps "versioned": the object has been modified; please apply your changes to the latest version and try again'
        expect([status, body]).toEqual([409, failure(409, 'Conflict', { message, details: { name: 'versioned', kind: 'configmaps' } })])
      })
      it('answers 409 to an update of an older version', async () => {
        const before = await made(configMaps(), configMap('raced'))
        const updated = await call('PUT', configMaps('/raced'), { ...Object(before), data: { key: 'first' } })
        expect(updated.status).toBe(200)
        expect((await call('PUT', configMaps('/raced'), { ...Object(before), data: { key: 'second' } })).body).toMatchObject({ code: 409, reason: 'Conflict' })
      })
      it('wants the name of the URL in the body', async () => {
        const { status, body } = await call('PUT', configMaps('/raced'), configMap('other'))
        expect([status, text(body, 'message')]).toEqual([400, 'the name of the object (other) does not match the name on the URL (raced)'])
      })
      it('creates a Lease by update, and then wants a version', async () => {
        const leases = at('coordination.k8s.io/v1', 'leases', '/held')
        const lease = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name: 'held' }, spec: { holderIdentity: 'me' } }
        const first = await call('PUT', leases, lease)
        expect(first.status).toBe(201)
        const second = await call('PUT', leases, lease)
        expect(second.status).toBe(422)
        expect(text(second.body, 'message')).toBe('leases.coordination.k8s.io "held" is invalid: metadata.resourceVersion: Invalid value: 0: must be specified for an update')
        expect((await call('PUT', leases, { ...Object(first.body), spec: { holderIdentity: 'you' } })).status).toBe(200)
      })
      it('keeps nothing of a patch that is a dry run', async () => {
        const before = await made(deployments(), deployment('tried'))
        const { status, body } = await call('PATCH', `${deployments('/tried')}?dryRun=All`, { spec: { replicas: 4 } }, MERGE)
        expect([status, field(body, 'spec', 'replicas'), field(body, 'metadata', 'generation')]).toEqual([200, 4, 2])
        expect((await call('GET', deployments('/tried'))).body).toEqual(before)
      })
      it('refuses to change a selector', async () => {
        await made(deployments(), deployment('selected'))
        const { status, body } = await call('PATCH', deployments('/selected'), { spec: { selector: { matchLabels: { app: 'other' } } } }, MERGE)
        expect(status).toBe(422)
        expect(field(body, 'details', 'causes')).toEqual([
          { reason: 'FieldValueInvalid', field: 'spec.template.metadata.labels', message: expect.stringContaining('`selector` does not match template `labels`') },
          { reason: 'FieldValueInvalid', field: 'spec.selector', message: expect.stringContaining('field is immutable') },
        ])
      })
      it('refuses to change what a StatefulSet fixes, and says what may change', async () => {
        const { spec } = deployment('state')
        await made(at('apps/v1', 'statefulsets'), { apiVersion: 'apps/v1', kind: 'StatefulSet', metadata: { name: 'state' }, spec: { ...spec, serviceName: 'state' } })
        const { status, body } = await call('PATCH', at('apps/v1', 'statefulsets', '/state'), { spec: { serviceName: 'other' } }, MERGE)
        expect([status, field(body, 'details', 'causes', 0, 'reason')]).toEqual([422, 'FieldValueForbidden'])
        expect(text(body, 'message')).toContain("updates to statefulset spec for fields other than 'replicas'")
      })
      it('changes status only through status, and the rest only through the object', async () => {
        await made(deployments(), deployment('halves'))
        const main = await call('PATCH', deployments('/halves'), { spec: { replicas: 2 }, status: { replicas: 9 } }, MERGE)
        expect([field(main.body, 'spec', 'replicas'), field(main.body, 'status', 'replicas')]).toEqual([2, undefined])
        const status = await call('PATCH', deployments('/halves/status'), { spec: { replicas: 5 }, status: { replicas: 9, observedGeneration: 2 } }, MERGE)
        expect([field(status.body, 'spec', 'replicas'), field(status.body, 'status', 'replicas'), field(status.body, 'metadata', 'generation')]).toEqual([2, 9, 2])
      })
    })

    describe('strategic merge patch', () => {
      const STRATEGIC = { type: 'application/strategic-merge-patch+json' }
      const env = (...pairs: string[]) => pairs.map((pair) => ({ name: pair.split('=')[0], value: pair.split('=')[1] }))
      const two = {
        containers: [
          { ...container(), env: env('A=1', 'B=2'), args: ['x'], ports: [{ containerPort: 80 }] },
          { name: 'second', image: 'i:1' },
        ],
      }
      const patched = async (name: string, spec: object) => {
        await made(deployments(), deployment(name, { template: { metadata: { labels: { app: name } }, spec: two } }))
        const { status, body } = await call('PATCH', deployments(`/${name}`), { spec: { template: { spec } } }, STRATEGIC)
        return { status, body, containers: field(body, 'spec', 'template', 'spec', 'containers') }
      }
      it('merges keyed lists by key, in place, and replaces the others', async () => {
        const { containers } = await patched('keyed', { containers: [{ name: 'app', image: 'i:2', env: env('B=3', 'C=4'), args: ['y'] }] })
        expect(containers).toMatchObject([
          { name: 'app', image: 'i:2', env: env('A=1', 'B=3', 'C=4'), args: ['y'], resources: { limits: { memory: '128Mi' } } },
          { name: 'second', image: 'i:1' },
        ])
      })
      it('puts new items before the ones it does not name', async () => {
        const { containers } = await patched('ahead', { containers: [{ name: 'app', ports: [{ containerPort: 81 }] }] })
        expect(field(containers, 0, 'ports')).toEqual([
          { containerPort: 81, protocol: 'TCP' },
          { containerPort: 80, protocol: 'TCP' },
        ])
      })
      it('deletes and replaces where it is told to', async () => {
        const gone = await patched('gone', {
          containers: [
            { name: 'app', env: [{ name: 'A', $patch: 'delete' }] },
            { name: 'second', $patch: 'delete' },
          ],
        })
        expect(gone.containers).toMatchObject([{ name: 'app', env: env('B=2') }])
        expect(field(gone.containers, 1)).toBeUndefined()
        const { body } = await call('PATCH', deployments('/gone'), { spec: { strategy: { $patch: 'replace', type: 'Recreate' } } }, STRATEGIC)
        expect(field(body, 'spec', 'strategy')).toEqual({ type: 'Recreate' })
      })
      it('is refused when an item has no key', async () => {
        const { status, body } = await patched('unkeyed', { containers: [{ image: 'i:2' }] })
        expect([status, text(body, 'message')]).toEqual([500, 'map: map[image:i:2] does not contain declared merge key: name'])
      })
    })

    describe('what cannot be', () => {
      it('is refused with 400 in an object and with 422 in a patch when its type is wrong', async () => {
        const { spec } = deployment('typed')
        const created = await call('POST', deployments(), { ...deployment('typed'), spec: { ...spec, replicas: '2' } })
        const why = 'json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32'
        expect([created.status, text(created.body, 'message')]).toEqual([400, `Deployment in version "v1" cannot be handled as a Deployment: ${why}`])
        await made(deployments(), deployment('typed'))
        const cases: [unknown, string][] = [
          [[{ op: 'replace', path: '/spec/replicas', value: '2' }], why],
          [[{ op: 'replace', path: '/spec/replicas', value: 1.5 }], 'cannot unmarshal number 1.5 into Go struct field DeploymentSpec.spec.replicas of type int32'],
          [[{ op: 'add', path: '/metadata/annotations', value: { n: 5 } }], 'json: cannot unmarshal number into Go struct field ObjectMeta.metadata.annotations of type string'],
          [[{ op: 'replace', path: '/spec/template/spec/containers/0/resources/limits/memory', value: '12x' }], 'quantities must match the regular expression'],
        ]
        for (const [ops, message] of cases) {
          const { status, body } = await call('PATCH', deployments('/typed'), ops, JSON_PATCH)
          expect([status, field(body, 'details', 'causes', 0, 'field'), text(body, 'message')]).toEqual([422, 'patch', expect.stringContaining(message)])
        }
      })
      it('is refused as a label, an annotation or a key of data', async () => {
        await made(configMaps(), configMap('labelled'))
        const message = async (metadata: object) => text((await call('PATCH', configMaps('/labelled'), { metadata }, MERGE)).body, 'message')
        expect(await message({ labels: { a: 'no label!' } })).toMatch(
          /^ConfigMap "labelled" is invalid: metadata\.labels: Invalid value: "no label!": a valid label must be an empty string or consist of/,
        )
        expect(await message({ labels: { a: 'x'.repeat(64) } })).toBe(
          `ConfigMap "labelled" is invalid: metadata.labels: Invalid value: "${'x'.repeat(64)}": must be no more than 63 bytes`,
        )
        expect(await message({ labels: { 'a b': 'x' } })).toMatch(/metadata\.labels: Invalid value: "a b": name part must consist of/)
        expect(await message({ annotations: { 'example.com/a b': 'x' } })).toMatch(/metadata\.annotations: Invalid value: "example\.com\/a b": name part must consist of/)
        const keyed = await call('POST', configMaps(), configMap('keyed-data', {}, { 'a b': '1' }))
        expect(text(keyed.body, 'details', 'causes', 0, 'field')).toBe('data[a b]')
      })
      it('is refused when it is too large', async () => {
        const annotations = { n: 'x'.repeat(262_145) }
        const noted = await call('PATCH', configMaps('/labelled'), { metadata: { annotations } }, MERGE)
        expect(text(noted.body, 'message')).toBe('ConfigMap "labelled" is invalid: metadata.annotations: Too long: may not be more than 262144 bytes')
        const map = await call('POST', configMaps(), configMap('large', {}, { n: 'x'.repeat(1_048_577) }))
        expect([map.status, field(map.body, 'details', 'causes', 0, 'reason')]).toEqual([422, 'FieldValueTooLong'])
        const body = await call('POST', configMaps(), configMap('huge', {}, { n: 'x'.repeat(3_200_000) }))
        expect(body.body).toEqual(failure(413, 'RequestEntityTooLarge', { message: 'Request entity too large: limit is 3145728' }))
      })
      it('is refused as a request above its limit, or a negative amount', async () => {
        const path = '/spec/template/spec/containers/0/resources'
        const above = await call('PATCH', deployments('/typed'), [{ op: 'replace', path: `${path}/requests/memory`, value: '1Gi' }], JSON_PATCH)
        expect(field(above.body, 'details', 'causes', 0)).toEqual({
          reason: 'FieldValueInvalid',
          field: 'spec.template.spec.containers[0].resources.requests',
          message: 'Invalid value: "1Gi": must be less than or equal to memory limit of 128Mi',
        })
        const negative = await call('PATCH', deployments('/typed'), [{ op: 'replace', path, value: { limits: { memory: '-1Mi' } } }], JSON_PATCH)
        expect(field(negative.body, 'details', 'causes', 0)).toEqual({
          reason: 'FieldValueInvalid',
          field: 'spec.template.spec.containers[0].resources.limits[memory]',
          message: 'Invalid value: "-1Mi": must be greater than or equal to 0',
        })
      })
    })

    describe('custom kinds', () => {
      it('are served once they are defined, with kind and apiVersion on every item, and know no strategic merge patch', async () => {
        const plural = `widgets${api.namespace.replaceAll('-', '')}`
        const group = 'contract.example.com'
        const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } }
        const spec = {
          group,
          scope: 'Namespaced',
          names: { plural, singular: plural, kind: 'Widget', listKind: 'WidgetList' },
          versions: [{ name: 'v1', served: true, storage: true, schema }],
        }
        await made('/apis/apiextensions.k8s.io/v1/customresourcedefinitions', {
          apiVersion: 'apiextensions.k8s.io/v1',
          kind: 'CustomResourceDefinition',
          metadata: { name: `${plural}.${group}` },
          spec,
        })
        const path = at(`${group}/v1`, plural)
        const widget = { apiVersion: `${group}/v1`, kind: 'Widget', metadata: { name: 'one' }, spec: { size: 1 } }
        await expect.poll(async () => (await call('POST', path, widget)).status, { timeout: 15_000, interval: 250 }).toBe(201)
        expect((await call('GET', path)).body).toMatchObject({ kind: 'WidgetList', items: [{ kind: 'Widget', apiVersion: `${group}/v1`, metadata: { generation: 1 } }] })
        expect((await call('PATCH', `${path}/one`, [{ op: 'replace', path: '/spec/size', value: 2 }], JSON_PATCH)).body).toMatchObject({
          spec: { size: 2 },
          metadata: { generation: 2 },
        })
        const { status, body } = await call('PATCH', `${path}/one`, {}, { type: 'application/strategic-merge-patch+json' })
        expect([status, text(body, 'message')]).toEqual([
          415,
          'the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml',
        ])
        expect((await call('DELETE', `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${plural}.${group}`)).status).toBe(200)
      })
    })

    describe('who changed a field', () => {
      const owners = (body: unknown, ...path: string[]): string[] => {
        const entries = field(body, 'metadata', 'managedFields')
        return Array.isArray(entries) ? entries.filter((entry) => field(entry, 'fieldsV1', ...path) !== undefined).map((entry) => text(entry, 'manager')) : []
      }
      it('is the manager of the request, or else the first word of its user agent', async () => {
        const body = await made(deployments(), deployment('owned'))
        expect(owners(body, 'f:spec', 'f:replicas')).toEqual(['contract'])
        const scaled = await call('PATCH', `${deployments('/owned')}?fieldManager=alerts-slm`, { spec: { replicas: 2 } }, MERGE)
        expect(owners(scaled.body, 'f:spec', 'f:replicas')).toEqual(['alerts-slm'])
        expect(owners(scaled.body, 'f:spec', 'f:selector')).toEqual(['contract'])
      })
      it('is told per container and per environment variable', async () => {
        await made(deployments(), deployment('inside'))
        const path = `${deployments('/inside')}?fieldManager=alerts-slm`
        const ops = [{ op: 'replace', path: '/spec/template/spec/containers/0/resources/limits/memory', value: '256Mi' }]
        const { body } = await call('PATCH', path, ops, JSON_PATCH)
        const memory = ['f:spec', 'f:template', 'f:spec', 'f:containers', 'k:{"name":"app"}', 'f:resources', 'f:limits', 'f:memory']
        expect(owners(body, ...memory)).toEqual(['alerts-slm'])
        expect(owners(body, ...memory.slice(0, 5), 'f:image')).toEqual(['contract'])
      })
      it('is told apart for status and scale', async () => {
        await made(deployments(), deployment('parts'))
        await call('PATCH', `${deployments('/parts/status')}?fieldManager=controller`, { status: { replicas: 1 } }, MERGE)
        const { status } = await call('PATCH', `${deployments('/parts/scale')}?fieldManager=scaler`, { spec: { replicas: 3 } }, MERGE)
        expect(status).toBe(200)
        const { body } = await call('GET', deployments('/parts'))
        const entries = field(body, 'metadata', 'managedFields')
        expect(Array.isArray(entries) ? entries.map((entry) => [text(entry, 'manager'), field(entry, 'subresource')]) : []).toEqual(
          expect.arrayContaining([
            ['contract', undefined],
            ['controller', 'status'],
            ['scaler', 'scale'],
          ]),
        )
        expect(owners(body, 'f:spec', 'f:replicas')).toEqual(['scaler'])
      })
    })

    describe('scale', () => {
      it('shows replicas and selector, and changes replicas only', async () => {
        const before = await made(deployments(), deployment('scaled'))
        const shown = await call('GET', deployments('/scaled/scale'))
        expect(shown.body).toMatchObject({
          kind: 'Scale',
          apiVersion: 'autoscaling/v1',
          metadata: { name: 'scaled', namespace: api.namespace, uid: field(before, 'metadata', 'uid'), resourceVersion: field(before, 'metadata', 'resourceVersion') },
          spec: { replicas: 1 },
          status: { replicas: 0, selector: 'app=scaled' },
        })
        const ops = [
          { op: 'test', path: '/metadata/uid', value: field(before, 'metadata', 'uid') },
          { op: 'test', path: '/spec/replicas', value: 1 },
          { op: 'replace', path: '/spec/replicas', value: 4 },
        ]
        expect((await call('PATCH', deployments('/scaled/scale'), ops, JSON_PATCH)).body).toMatchObject({ kind: 'Scale', spec: { replicas: 4 } })
        expect((await call('PATCH', deployments('/scaled/scale'), ops, JSON_PATCH)).status).toBe(422)
        expect((await call('GET', deployments('/scaled'))).body).toMatchObject({ metadata: { generation: 2 }, spec: { replicas: 4 } })
      })
      it('takes an update of the version that was read, and no other', async () => {
        await made(deployments(), deployment('rescaled'))
        const { body } = await call('GET', deployments('/rescaled/scale'))
        const scale = { ...Object(body), spec: { replicas: 3 } }
        expect((await call('PUT', deployments('/rescaled/scale'), scale)).status).toBe(200)
        expect((await call('PUT', deployments('/rescaled/scale'), scale)).body).toMatchObject({ code: 409, reason: 'Conflict' })
      })
      it('refuses fewer than no replicas', async () => {
        await made(deployments(), deployment('negative'))
        const { status, body } = await call('PATCH', deployments('/negative/scale'), { spec: { replicas: -1 } }, MERGE)
        expect([status, text(body, 'message')]).toEqual([422, 'Scale.autoscaling "negative" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0'])
      })
    })

    describe('deleting', () => {
      it('answers with a Status that names what is gone, or with the pod', async () => {
        const map = await made(configMaps(), configMap('deleted'))
        const { status, body } = await call('DELETE', configMaps('/deleted'))
        const details = { name: 'deleted', kind: 'configmaps', uid: field(map, 'metadata', 'uid') }
        expect([status, body]).toEqual([200, { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details }])
        await made(pods(), pod('deleted'))
        expect((await call('DELETE', pods('/deleted'))).body).toMatchObject({ kind: 'Pod', metadata: { name: 'deleted' } })
        expect((await call('GET', pods('/deleted'))).status).toBe(404)
      })
      it('answers 409 when the uid or the version is not the one that was meant', async () => {
        const body = await made(deployments(), deployment('meant'))
        const byUid = await call('DELETE', deployments('/meant'), { preconditions: { uid: 'another' } })
        const message = `Operation cannot be fulfilled on Deployment.apps "meant": the UID in the precondition (another) does not match the UID in record (${text(body, 'metadata', 'uid')}). The object might have been deleted and then recreated`
        expect([byUid.status, byUid.body]).toEqual([409, failure(409, 'Conflict', { message, details: { name: 'meant', group: 'apps', kind: 'Deployment' } })])
        const byVersion = await call('DELETE', deployments('/meant'), { preconditions: { resourceVersion: '1' } })
        expect(byVersion.body).toMatchObject({ code: 409, reason: 'Conflict', message: expect.stringContaining('The object might have been modified') })
        const right = { preconditions: { uid: field(body, 'metadata', 'uid'), resourceVersion: field(body, 'metadata', 'resourceVersion') } }
        expect((await call('DELETE', deployments('/meant'), right)).status).toBe(200)
      })
      it('deletes nothing in a dry run, asked for in the query or in the body', async () => {
        await made(configMaps(), configMap('kept'))
        expect((await call('DELETE', `${configMaps('/kept')}?dryRun=All`)).status).toBe(200)
        expect((await call('DELETE', configMaps('/kept'), { dryRun: ['All'] })).status).toBe(200)
        expect((await call('GET', configMaps('/kept'))).status).toBe(200)
      })
      it('keeps an object with a finalizer until that is taken away', async () => {
        await made(configMaps(), { ...configMap('final'), metadata: { name: 'final', finalizers: ['example.com/wait'] } })
        expect(text((await call('DELETE', configMaps('/final'))).body, 'metadata', 'deletionTimestamp')).toMatch(/Z$/)
        expect((await call('GET', configMaps('/final'))).status).toBe(200)
        await call('PATCH', configMaps('/final'), { metadata: { finalizers: null } }, MERGE)
        expect((await call('GET', configMaps('/final'))).status).toBe(404)
      })
      it('deletes a collection by selector', async () => {
        await made(configMaps(), configMap('swept-1', { sweep: 'yes' }))
        await made(configMaps(), configMap('swept-2', { sweep: 'yes' }))
        expect((await call('DELETE', configMaps('?labelSelector=sweep%3Dyes'))).status).toBe(200)
        expect(names((await call('GET', configMaps('?labelSelector=sweep'))).body)).toEqual([])
      })
    })

    describe('eviction', () => {
      const evict = (name: string, more: object = {}, query = '') =>
        call('POST', pods(`/${name}/eviction${query}`), { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name }, ...more })
      const running = async (name: string, app: string) => {
        await made(pods(), pod(name, { app }))
        const status = { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] }
        expect((await call('PATCH', pods(`/${name}/status`), { status }, MERGE)).status).toBe(200)
      }
      const budget = async (name: string, app: string, spec: object, counts: object) => {
        const path = at('policy/v1', 'poddisruptionbudgets')
        await made(path, { apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', metadata: { name }, spec: { ...spec, selector: { matchLabels: { app } } } })
        await call('PATCH', `${path}/${name}/status`, { status: { observedGeneration: 1, ...counts } }, MERGE)
      }
      it('deletes a pod that no budget counts, and answers 201', async () => {
        await running('evicted', 'free')
        const { status, body } = await evict('evicted')
        expect([status, body]).toEqual([201, { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 }])
        expect((await call('GET', pods('/evicted'))).status).toBe(404)
      })
      it('answers 429 with the budget as cause when it allows no disruption, and leaves the pod', async () => {
        await running('guarded', 'guarded')
        await budget('guard', 'guarded', { minAvailable: 1 }, { disruptionsAllowed: 0, currentHealthy: 1, desiredHealthy: 1, expectedPods: 1 })
        const { status, body } = await evict('guarded')
        const causes = [{ reason: 'DisruptionBudget', message: 'The disruption budget guard needs 1 healthy pods and has 1 currently' }]
        expect([status, body]).toEqual([
          429,
          failure(429, 'TooManyRequests', { message: "Cannot evict pod as it would violate the pod's disruption budget.", details: { causes } }),
        ])
        expect((await call('GET', pods('/guarded'))).status).toBe(200)
        expect((await evict('guarded', {}, '?dryRun=All')).status).toBe(429)
      })
      it('answers 500 when two budgets count the pod', async () => {
        await running('doubly', 'doubly')
        await budget('first', 'doubly', { minAvailable: 0 }, { disruptionsAllowed: 1, currentHealthy: 1, desiredHealthy: 0, expectedPods: 1 })
        await budget('second', 'doubly', { minAvailable: 0 }, { disruptionsAllowed: 1, currentHealthy: 1, desiredHealthy: 0, expectedPods: 1 })
        const { status, body } = await evict('doubly')
        expect([status, text(body, 'message')]).toEqual([500, 'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.'])
      })
      it('evicts a pod that has not begun without asking its budget', async () => {
        await made(pods(), pod('pending', { app: 'guarded' }))
        expect((await evict('pending')).status).toBe(201)
      })
      it('honours the uid, and evicts nothing in a dry run', async () => {
        await running('meant', 'free')
        expect((await evict('meant', { deleteOptions: { preconditions: { uid: 'another' } } })).body).toMatchObject({ code: 409, reason: 'Conflict' })
        expect((await evict('meant', {}, '?dryRun=All')).status).toBe(201)
        expect((await evict('meant', { deleteOptions: { dryRun: ['All'] } })).status).toBe(201)
        expect((await call('GET', pods('/meant'))).status).toBe(200)
        expect((await evict('nobody')).body).toMatchObject({ code: 404, message: 'pods "nobody" not found' })
      })
    })

    describe('pods', () => {
      it('have requests where only limits were given, a phase and a class of service', async () => {
        const body = await made(pods(), {
          metadata: { name: 'classed' },
          spec: { containers: [{ name: 'app', image: 'i:1', resources: { limits: { cpu: '1', memory: '1Gi' } } }] },
        })
        expect(field(body, 'spec', 'containers', 0, 'resources')).toEqual({ limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: '1', memory: '1Gi' } })
        expect(field(body, 'status')).toMatchObject({ phase: 'Pending', qosClass: 'Guaranteed' })
      })
      it('change their resources through resize only, and keep their class', async () => {
        await made(pods(), pod('resized'))
        const path = '/spec/containers/0/resources'
        const main = await call('PATCH', pods('/resized'), [{ op: 'replace', path: `${path}/limits/memory`, value: '256Mi' }], JSON_PATCH)
        expect([main.status, field(main.body, 'details', 'causes', 0, 'reason'), field(main.body, 'details', 'causes', 0, 'field')]).toEqual([422, 'FieldValueForbidden', 'spec'])
        const guaranteed = { limits: { memory: '128Mi', cpu: '1' }, requests: { memory: '128Mi', cpu: '1' } }
        const other = await call('PATCH', pods('/resized/resize'), [{ op: 'replace', path, value: guaranteed }], JSON_PATCH)
        expect([other.status, text(other.body, 'message')]).toEqual([
          422,
          'Pod "resized" is invalid: spec: Invalid value: "Burstable": Pod QOS Class may not change as a result of resizing',
        ])
      })
      it('are found by phase', async () => {
        await made(pods(), pod('phased', { phased: 'yes' }))
        const found = async (phase: string) => names((await call('GET', pods(`?labelSelector=phased&fieldSelector=status.phase%3D${phase}`))).body)
        expect([await found('Pending'), await found('Running')]).toEqual([['phased'], []])
      })
    })

    describe('limits and quotas', () => {
      const limited = () => `/api/v1/namespaces/${api.namespace}-limited`
      beforeAll(async () => {
        await made('/api/v1/namespaces', { metadata: { name: `${api.namespace}-limited` } })
        await call('POST', `${limited()}/serviceaccounts`, { metadata: { name: 'default' } })
        await made(`${limited()}/limitranges`, {
          metadata: { name: 'bounds' },
          spec: { limits: [{ type: 'Container', max: { memory: '1Gi' }, defaultRequest: { memory: '32Mi' } }] },
        })
      })
      it('a container above the range is forbidden, one that says nothing gets its defaults', async () => {
        const big = { metadata: { name: 'big' }, spec: { containers: [{ name: 'app', image: 'i:1', resources: { limits: { memory: '2Gi' } } }] } }
        const { status, body } = await call('POST', `${limited()}/pods`, big)
        const message = 'pods "big" is forbidden: maximum memory usage per Container is 1Gi, but limit is 2Gi'
        expect([status, body]).toEqual([403, failure(403, 'Forbidden', { message, details: { name: 'big', kind: 'pods' } })])
        const silent = await made(`${limited()}/pods`, { metadata: { name: 'silent' }, spec: { containers: [{ name: 'app', image: 'i:1' }] } })
        expect(field(silent, 'spec', 'containers', 0, 'resources')).toEqual({ limits: { memory: '1Gi' }, requests: { memory: '32Mi' } })
      })
      it('a pod beyond the quota is forbidden, and so is one that does not say what the quota counts', async () => {
        const hard = { 'requests.memory': '64Mi', 'limits.cpu': '4' }
        await made(`${limited()}/resourcequotas`, { metadata: { name: 'share' }, spec: { hard } })
        await call('PATCH', `${limited()}/resourcequotas/share/status`, { status: { hard, used: { 'requests.memory': '32Mi', 'limits.cpu': '0' } } }, MERGE)
        const asking = (name: string, resources: object) => ({ metadata: { name }, spec: { containers: [{ name: 'app', image: 'i:1', resources }] } })
        const beyond = await call('POST', `${limited()}/pods`, asking('beyond', { requests: { memory: '48Mi' }, limits: { cpu: '1' } }))
        const message = 'pods "beyond" is forbidden: exceeded quota: share, requested: requests.memory=48Mi, used: requests.memory=32Mi, limited: requests.memory=64Mi'
        expect([beyond.status, text(beyond.body, 'message')]).toEqual([403, message])
        const silent = await call('POST', `${limited()}/pods`, asking('mute', { requests: { memory: '1Mi' } }))
        expect(text(silent.body, 'message')).toBe('pods "mute" is forbidden: failed quota: share: must specify limits.cpu for: app')
        const fits = await call('POST', `${limited()}/pods?dryRun=All`, asking('fits', { requests: { memory: '32Mi' }, limits: { cpu: '1' } }))
        expect(fits.status).toBe(201)
      })
    })

    describe('events', () => {
      const events = (rest = '') => at('events.k8s.io/v1', 'events', rest)
      const event = (name: string, more: object = {}) => ({
        apiVersion: 'events.k8s.io/v1',
        kind: 'Event',
        metadata: { name },
        eventTime: '2026-01-01T00:00:00.000000Z',
        reportingController: 'alerts-slm',
        reportingInstance: 'alerts-slm-0',
        action: 'Restart',
        reason: 'AlertRepaired',
        type: 'Normal',
        note: 'restarted',
        regarding: { apiVersion: 'v1', kind: 'Pod', name: 'web-1', namespace: api.namespace },
        ...more,
      })
      it('are one object under both APIs', async () => {
        await made(events(), event('seen'))
        const core = await call('GET', at('v1', 'events', '/seen'))
        expect(core.body).toMatchObject({
          apiVersion: 'v1',
          involvedObject: { kind: 'Pod', name: 'web-1' },
          message: 'restarted',
          reportingComponent: 'alerts-slm',
          source: {},
          firstTimestamp: null,
        })
        expect((await call('GET', events('/seen'))).body).toMatchObject({ apiVersion: 'events.k8s.io/v1', regarding: { name: 'web-1' }, note: 'restarted' })
        expect(names((await call('GET', at('v1', 'events', '?fieldSelector=involvedObject.name%3Dweb-1'))).body)).toEqual(['seen'])
      })
      it('must say when, who and what, in their own namespace', async () => {
        const { status, body } = await call('POST', events(), { ...event('mute'), eventTime: null, type: '', regarding: { kind: 'Pod', name: 'x' } })
        expect(status).toBe(422)
        expect(text(body, 'message')).toBe(
          'Event "mute" is invalid: [involvedObject.namespace: Invalid value: "": does not match event.namespace, eventTime: Required value, type: Invalid value: "": has invalid value: ]',
        )
      })
      it('do not change what they said', async () => {
        await made(events(), event('said'))
        const { status, body } = await call('PATCH', events('/said'), { note: 'other' }, MERGE)
        expect([status, text(body, 'message')]).toEqual([422, 'Event "said" is invalid: message: Invalid value: "other": field is immutable'])
      })
    })

    describe('rights', () => {
      const rbac = 'rbac.authorization.k8s.io'
      const grant = async (name: string, rules: object[]) => {
        await made(at(`${rbac}/v1`, 'roles'), { metadata: { name }, rules })
        const roleRef = { apiGroup: rbac, kind: 'Role', name }
        await made(at(`${rbac}/v1`, 'rolebindings'), { metadata: { name }, roleRef, subjects: [{ kind: 'User', apiGroup: rbac, name: api.limited.name }] })
      }
      const asLimited = () => ({ token: api.limited.token })
      it('a wrong token is 401, whatever it asks for', async () => {
        const { status, body } = await call('GET', configMaps(), undefined, { token: 'wrong' })
        expect([status, body]).toEqual([401, failure(401, 'Unauthorized', { message: 'Unauthorized' })])
        expect((await call('GET', '/version', undefined, { token: 'wrong' })).status).toBe(401)
      })
      it('without a role everything is 403, with who may not do what to which object', async () => {
        const user = JSON.stringify(api.limited.name)
        const where = `in the namespace ${JSON.stringify(api.namespace)}`
        const patch = await call('PATCH', deployments('/web/scale'), {}, { ...MERGE, ...asLimited() })
        const message = `deployments.apps "web" is forbidden: User ${user} cannot patch resource "deployments/scale" in API group "apps" ${where}`
        expect([patch.status, patch.body]).toEqual([403, failure(403, 'Forbidden', { message, details: { name: 'web', group: 'apps', kind: 'deployments' } })])
        const list = await call('GET', pods(), undefined, asLimited())
        expect(text(list.body, 'message')).toBe(`pods is forbidden: User ${user} cannot list resource "pods" in API group "" ${where}`)
        const nodes = await call('GET', '/api/v1/nodes', undefined, asLimited())
        expect(text(nodes.body, 'message')).toBe(`nodes is forbidden: User ${user} cannot list resource "nodes" in API group "" at the cluster scope`)
        expect(text((await call('GET', '/metrics', undefined, asLimited())).body, 'message')).toBe(`forbidden: User ${user} cannot get path "/metrics"`)
      })
      it('a role gives its verbs on its resources, and subresources are resources of their own', async () => {
        await made(deployments(), deployment('allowed'))
        await grant('scaler', [{ apiGroups: ['apps'], resources: ['deployments/scale'], verbs: ['get', 'patch'] }])
        const eventually = async () => (await call('GET', deployments('/allowed/scale'), undefined, asLimited())).status
        await expect.poll(eventually).toBe(200)
        expect((await call('PATCH', deployments('/allowed/scale'), { spec: { replicas: 2 } }, { ...MERGE, ...asLimited() })).status).toBe(200)
        expect((await call('PATCH', deployments('/allowed'), {}, { ...MERGE, ...asLimited() })).status).toBe(403)
      })
      it('names limit what may be read, also in a list that selects the one name', async () => {
        await made(configMaps(), configMap('mine'))
        await grant('reader', [{ apiGroups: [''], resources: ['configmaps'], resourceNames: ['mine'], verbs: ['get', 'list', 'watch'] }])
        const status = async (path: string) => (await call('GET', path, undefined, asLimited())).status
        await expect.poll(() => status(configMaps('/mine'))).toBe(200)
        expect(await status(configMaps('/other'))).toBe(403)
        expect(await status(configMaps())).toBe(403)
        expect(await status(configMaps('?fieldSelector=metadata.name%3Dmine'))).toBe(200)
      })
      it('a review answers the same question, and anybody may ask it', async () => {
        await grant('asked', [{ apiGroups: ['batch'], resources: ['jobs'], verbs: ['create'] }])
        const ask = async (verb: string, more: object = {}) => {
          const spec = { resourceAttributes: { namespace: api.namespace, verb, group: 'batch', resource: 'jobs', ...more } }
          const { status, body } = await call('POST', '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', { spec }, asLimited())
          expect(status).toBe(201)
          return field(body, 'status', 'allowed')
        }
        await expect.poll(() => ask('create')).toBe(true)
        expect(await ask('delete')).toBe(false)
        expect(await ask('create', { subresource: 'status' })).toBe(false)
        expect(await ask('create', { namespace: 'elsewhere' })).toBe(false)
      })
      it('a token review says whose a token is', async () => {
        const reviewed = async (token: string) => field((await call('POST', '/apis/authentication.k8s.io/v1/tokenreviews', { spec: { token } })).body, 'status')
        expect(await reviewed(api.limited.token)).toMatchObject({
          authenticated: true,
          user: { username: api.limited.name, groups: expect.arrayContaining(['system:authenticated']) },
        })
        expect(await reviewed('wrong')).toEqual({ user: {}, error: 'invalid bearer token' })
      })
    })

    describe('watching', () => {
      interface WatchEvent {
        readonly type: string
        readonly object: unknown
      }
      /** Reads events until there are enough; then the watch is given up. */
      const watched = async (path: string, count: number, meanwhile: () => Promise<void> = async () => {}): Promise<WatchEvent[]> => {
        const controller = new AbortController()
        const answer = await api.http({ method: 'GET', url: api.server + path, headers: { authorization: `Bearer ${api.admin}` }, signal: controller.signal })
        expect(answer.status).toBe(200)
        const changing = meanwhile()
        const events: WatchEvent[] = []
        let rest = ''
        for await (const chunk of answer.chunks()) {
          const lines = (rest + chunk).split('\n')
          rest = lines.pop() ?? ''
          events.push(...lines.map((line) => Object(JSON.parse(line))))
          if (events.length >= count) break
        }
        controller.abort()
        await changing
        return events
      }
      const seen = (events: readonly WatchEvent[]) => events.map(({ type, object }) => `${type} ${text(object, 'metadata', 'name')}`)
      const on = (name: string, more = '') => configMaps(`?watch=1&fieldSelector=metadata.name%3D${name}${more}`)

      it('without a version begins with what is there', async () => {
        await made(configMaps(), configMap('there'))
        const events = await watched(on('there'), 1)
        expect(seen(events)).toEqual(['ADDED there'])
        expect(events[0]?.object).toMatchObject({ kind: 'ConfigMap', apiVersion: 'v1' })
      })
      it('from a version tells every change after it, in order', async () => {
        const body = await made(configMaps(), configMap('changing'))
        const events = await watched(on('changing', `&resourceVersion=${text(body, 'metadata', 'resourceVersion')}`), 2, async () => {
          await call('PATCH', configMaps('/changing'), { data: { key: 'changed' } }, MERGE)
          await call('DELETE', configMaps('/changing'))
        })
        expect(seen(events)).toEqual(['MODIFIED changing', 'DELETED changing'])
        const versions = events.map(({ object }) => Number(text(object, 'metadata', 'resourceVersion')))
        expect(versions[1]).toBeGreaterThan(versions[0] ?? Number.POSITIVE_INFINITY)
      })
      it('tells an object that comes to match as added, and one that no longer does as deleted', async () => {
        const body = await made(configMaps(), configMap('moving', { watched: 'no' }))
        const path = configMaps(`?watch=1&labelSelector=watched%3Dyes&resourceVersion=${text(body, 'metadata', 'resourceVersion')}`)
        const events = await watched(path, 2, async () => {
          await call('PATCH', configMaps('/moving'), { metadata: { labels: { watched: 'yes' } } }, MERGE)
          await call('PATCH', configMaps('/moving'), { metadata: { labels: { watched: 'no' } } }, MERGE)
        })
        expect(seen(events)).toEqual(['ADDED moving', 'DELETED moving'])
      })
      it('ends by itself after timeoutSeconds', async () => {
        const answer = await api.http({ method: 'GET', url: `${api.server}${on('nothing', '&timeoutSeconds=1')}`, headers: { authorization: `Bearer ${api.admin}` } })
        expect(await answer.text()).toBe('')
      })
      it('sends bookmarks to those who want them, the last one before it ends', async () => {
        const events = await watched(on('nothing', '&allowWatchBookmarks=true&timeoutSeconds=3'), 1)
        expect(events[0]).toMatchObject({ type: 'BOOKMARK', object: { kind: 'ConfigMap', apiVersion: 'v1', metadata: { resourceVersion: expect.stringMatching(/^\d+$/) } } })
      })
    })

    describe('discovery', () => {
      it('lists groups, versions and resources with their subresources', async () => {
        expect((await call('GET', '/api')).body).toMatchObject({ kind: 'APIVersions', versions: ['v1'] })
        const groups = field((await call('GET', '/apis')).body, 'groups')
        expect(Array.isArray(groups) ? groups.map((group) => text(group, 'preferredVersion', 'groupVersion')) : []).toEqual(
          expect.arrayContaining(['apps/v1', 'batch/v1', 'policy/v1', 'autoscaling/v2', 'events.k8s.io/v1', 'coordination.k8s.io/v1']),
        )
        const { body } = await call('GET', '/api/v1')
        expect(body).toMatchObject({ kind: 'APIResourceList', groupVersion: 'v1' })
        const resources = field(body, 'resources')
        expect(resources).toContainEqual(
          expect.objectContaining({
            name: 'pods',
            singularName: 'pod',
            namespaced: true,
            kind: 'Pod',
            shortNames: ['po'],
            verbs: expect.arrayContaining(['get', 'list', 'watch', 'patch']),
          }),
        )
        expect(resources).toContainEqual({ name: 'pods/eviction', singularName: '', namespaced: true, group: 'policy', version: 'v1', kind: 'Eviction', verbs: ['create'] })
        expect(resources).toContainEqual({ name: 'pods/resize', singularName: '', namespaced: true, kind: 'Pod', verbs: ['get', 'patch', 'update'] })
        expect((await call('GET', '/apis/apps/v1')).body).toMatchObject({ kind: 'APIResourceList', groupVersion: 'apps/v1' })
        expect((await call('GET', '/apis/apps')).body).toMatchObject({ kind: 'APIGroup', name: 'apps', preferredVersion: { version: 'v1' } })
      })
      it('says its version and its health, also to those without a token', async () => {
        const open = async (path: string) => {
          const answer = await api.http({ method: 'GET', url: api.server + path })
          return { status: answer.status, text: await answer.text() }
        }
        expect(await open('/readyz')).toEqual({ status: 200, text: 'ok' })
        expect(await open('/livez')).toEqual({ status: 200, text: 'ok' })
        expect(parsed((await open('/version')).text)).toMatchObject({ major: '1', gitVersion: expect.stringMatching(/^v1\.\d+\.\d+/) })
        expect([401, 403]).toContain((await open(pods())).status)
      })
      it('dates its answers', async () => {
        expect((await call('GET', '/version')).headers['date']).toMatch(/ GMT$/)
      })
    })
  })
}
