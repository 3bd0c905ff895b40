import { describe, expect, it } from 'vitest'
import { CRASHING, deployment, NAMESPACE, pod, podTemplate, reading, replicaSet } from '../../test/readings.ts'
import { Fault } from '../domain/fault.ts'
import type { Reader } from '../kube/wire.ts'

const about = ['Pod', 'web-a'] as const
const resources = { requests: { memory: '256Mi', cpu: '100m' }, limits: { memory: '512Mi', cpu: '1' } }
const spec = { nodeName: 'n', containers: [{ name: 'web', image: 'shop/web:1', resources }] }
const workload = [deployment({ spec: { template: podTemplate({ resources }) } }), replicaSet(1, 9_000)]
const metrics = (usage: Record<string, string>, container = 'web') => ({
  apiVersion: 'metrics.k8s.io/v1beta1',
  kind: 'PodMetrics',
  metadata: { name: 'web-a', namespace: NAMESPACE },
  containers: [{ name: container, usage }],
})
const Mi = 1024 * 1024

describe('the fact resources', () => {
  it('tells requests, limits and the share of the limits in use', async () => {
    const manifests = [...workload, pod('web-a', { spec }), metrics({ memory: '128Mi', cpu: '250m' })]
    expect(await reading('resources', { manifests, about })).toEqual({
      container: 'web',
      requests: { memoryBytes: 256 * Mi, cpuCores: 0.1 },
      limits: { memoryBytes: 512 * Mi, cpuCores: 1 },
      memoryLimitInTemplate: true,
      cpuLimitInTemplate: true,
      memoryShareOfLimit: 0.25,
      cpuShareOfLimit: 0.25,
    })
  })

  it('does not know the share without metrics; the limits are known all the same', async () => {
    const unmeasured = { unknown: 'the metrics API has no figures of this container' }
    expect(await reading('resources', { manifests: [...workload, pod('web-a', { spec })], about })).toMatchObject({
      limits: { memoryBytes: 512 * Mi },
      memoryShareOfLimit: unmeasured,
    })
    expect(await reading('resources', { manifests: [...workload, pod('web-a', { spec }), metrics({ memory: '1Mi' }, 'proxy')], about })).toMatchObject({
      memoryShareOfLimit: unmeasured,
    })
  })

  it('has no share of a limit that does not exist', async () => {
    expect(await reading('resources', { manifests: [deployment(), replicaSet(1, 9_000), pod('web-a')], about })).toMatchObject({
      limits: { memoryBytes: null, cpuCores: null },
      memoryShareOfLimit: null,
      memoryLimitInTemplate: false,
    })
  })

  it('tells a limit that the template does not set', async () => {
    expect(await reading('resources', { manifests: [deployment(), replicaSet(1, 9_000), pod('web-a', { spec })], about })).toMatchObject({
      limits: { memoryBytes: 512 * Mi },
      memoryLimitInTemplate: false,
    })
  })

  it('reads a resized container from its status', async () => {
    const status = { containerStatuses: [{ name: 'web', ready: true, restartCount: 0, state: { running: {} }, resources: { limits: { memory: '1Gi' } } }] }
    expect(await reading('resources', { manifests: [...workload, pod('web-a', { spec, status })], about })).toMatchObject({ limits: { memoryBytes: 1024 * Mi } })
  })

  it('takes the template when the workload has no pod', async () => {
    expect(await reading('resources', { manifests: workload, about: ['Deployment', 'web'] })).toMatchObject({ container: 'web', limits: { memoryBytes: 512 * Mi } })
  })

  it('does not take a quantity that it cannot read for none', async () => {
    const odd = { ...spec, containers: [{ name: 'web', image: 'a', resources: { limits: { memory: 'lots' } } }] }
    expect(await reading('resources', { manifests: [...workload, pod('web-a', { spec: odd })], about })).toMatchObject({ limits: { unknown: expect.any(String) } })
  })
})

describe('the fact logs', () => {
  const manifests = [...workload, pod('web-a', { status: CRASHING })]

  it('classifies the run before for a container that waits to start again', async () => {
    const logs = { 'web-a web previous': 'starting\nError: connect ECONNREFUSED 10.0.0.7:5432\n', 'web-a web': 'permission denied\n' }
    expect(await reading('logs', { manifests, about, logs })).toEqual({ classes: ['connectionRefused'], lines: 2 })
  })

  it('reads both runs of a container that runs again', async () => {
    const running = { ...CRASHING, containerStatuses: [{ ...CRASHING.containerStatuses[0], state: { running: {} } }] }
    const logs = { 'web-a web previous': 'panic: nil map\n', 'web-a web': 'listen tcp :80: bind: address already in use\n' }
    expect(await reading('logs', { manifests: [...workload, pod('web-a', { status: running })], about, logs })).toEqual({ classes: ['portInUse', 'panic'], lines: 2 })
  })

  it('never carries the text, and reads no more than the end', async () => {
    const logs = { 'web-a web previous': `no space left on device\n${'all is well\n'.repeat(500)}` }
    expect(await reading('logs', { manifests, about, logs })).toEqual({ classes: [], lines: 200 })
  })

  it('keeps what one run tells when the log of the other is gone, and does not claim that it told nothing', async () => {
    const running = { ...CRASHING, containerStatuses: [{ ...CRASHING.containerStatuses[0], state: { running: {} } }] }
    const through = (read: Reader): Reader => ({
      ...read,
      async logs(name, options) {
        if (options.previous) throw new Fault('CLUSTER_INVALID', 'previous terminated container not found')
        return read.logs(name, options)
      },
    })
    const scene = { manifests: [...workload, pod('web-a', { status: running })], about, through, logs: { 'web-a web': 'panic: nil map' } }
    expect(await reading('logs', scene)).toEqual({ classes: ['panic', { unknown: 'the log of the run before is not kept' }], lines: 1 })
  })

  it.each([
    ['FATAL: the database system is out of memory', 'outOfMemory'],
    ['java.net.UnknownHostException: db', 'dnsFailure'],
    ['x509: certificate has expired or is not yet valid', 'certificateInvalid'],
    ['write /data/wal: no space left on device', 'diskFull'],
    ['Error: environment variable DATABASE_URL is not set', 'configMissing'],
    ['context deadline exceeded while connecting to cache', 'dependencyTimeout'],
    ['password authentication failed for user "app"', 'authenticationFailed'],
    ['open /etc/x: permission denied', 'permissionDenied'],
    ['sqlite: database is locked', 'lockHeld'],
    ['Traceback (most recent call last):', 'panic'],
    ['exec /app/run: exec format error', 'commandNotFound'],
  ])('knows %s', async (line, name) => {
    expect(await reading('logs', { manifests, about, logs: { 'web-a web previous': line } })).toMatchObject({ classes: expect.arrayContaining([name]) })
  })
})
