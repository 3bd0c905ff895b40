// The lab actor: that it does what the Kubernetes documentation says of resizers, kubelets and the scripts of Jobs, and that it can fail as they do.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connect } from '../../src/kube/connect.ts'
import { makeReader } from '../../src/kube/reader.ts'
import type { Kinds, Reader } from '../../src/kube/wire.ts'
import { realPorts } from '../../src/ports.ts'
import { until } from '../waiting.ts'
import { PRINTS } from './actor/logs.ts'
import { POD_RESIZE } from './actor/resize.ts'
import { SCRIPT } from './actor/scripts.ts'
import { storageClass, VOLUME_RESIZE } from './actor/volumes.ts'
import { evidenceOfPod } from './evidence.ts'
import { type LabCluster, labSuite, withLab } from './lab-cluster.ts'
import { FATE } from './parts/stages.ts'
import { deployment, rolledOut, type Wish } from './scenes.ts'

const PARTS = ['controller-manager', 'scheduler', 'kwok', 'actor'] as const
type PodStatus = NonNullable<Kinds['Pod']['status']>
const TIMES = { timeout: 60_000 }

labSuite('the lab actor', PARTS, () => {
  let lab: LabCluster
  let namespaces = 0
  beforeAll(async () => {
    lab = await withLab(PARTS)
    await lab.given(storageClass('grows', { allowVolumeExpansion: true }), storageClass('fixed', { allowVolumeExpansion: false }))
  }, 120_000)
  afterAll(async () => await lab.stop())

  async function home(): Promise<{ readonly namespace: string; readonly reader: Reader }> {
    const namespace = `actor-${namespaces++}`
    await lab.given({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } })
    return { namespace, reader: makeReader(lab.admin, namespace) }
  }
  const merge = (path: string, body: object) => lab.admin.send({ method: 'PATCH', path, body, contentType: 'application/merge-patch+json' })

  describe('as the volume driver', () => {
    const asked = (storage: string) => ({ spec: { resources: { requests: { storage } } } })
    async function claimed(storageClassName: string, annotations: Readonly<Record<string, string>> = {}) {
      const { namespace, reader } = await home()
      const spec = { ...asked('1Gi').spec, storageClassName, accessModes: ['ReadWriteOnce'] }
      await lab.given({ apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name: 'data', namespace, annotations }, spec })
      const claim = () => reader.get('PersistentVolumeClaim', 'data')
      const has = (what: string, fits: (claim: Kinds['PersistentVolumeClaim']) => boolean) =>
        until(what, async () => {
          const found = await claim()
          return found && fits(found) && found
        })
      await has('the claim is bound', ({ status }) => status?.phase === 'Bound' && status.capacity?.['storage'] === '1Gi')
      const grow = (storage: string) => merge(`/api/v1/namespaces/${namespace}/persistentvolumeclaims/data`, asked(storage))
      return { namespace, has, grow }
    }
    const condition = (type: string) => (claim: Kinds['PersistentVolumeClaim']) => claim.status?.conditions?.some((one) => one.type === type && one.status === 'True') ?? false

    it('makes the volume of a claim, and the capacity follows what is asked for', TIMES, async () => {
      const { has, grow } = await claimed('grows')
      await grow('2Gi')
      const grown = await has('the claim has grown', ({ status }) => status?.capacity?.['storage'] === '2Gi')
      expect(grown.status?.conditions ?? []).toEqual([])
      expect(grown.status?.allocatedResourceStatuses).toBeUndefined()
    })

    it('is not reached where the class does not allow it', TIMES, async () => {
      const { grow } = await claimed('fixed')
      await expect(grow('2Gi')).rejects.toMatchObject({ code: 'CLUSTER_FORBIDDEN' })
    })

    it('can fail: the capacity stays and the claim says why', TIMES, async () => {
      const { has, grow } = await claimed('grows', { [VOLUME_RESIZE]: 'fails' })
      await grow('2Gi')
      const { status } = await has('the resize has failed', condition('ControllerResizeError'))
      expect(status).toMatchObject({ capacity: { storage: '1Gi' }, allocatedResourceStatuses: { storage: 'ControllerResizeInfeasible' } })
    })

    it('can wait for a pod: the file system grows when the next one starts', TIMES, async () => {
      const { namespace, has, grow } = await claimed('grows', { [VOLUME_RESIZE]: 'pending' })
      await grow('2Gi')
      const { status } = await has('the file system waits', condition('FileSystemResizePending'))
      expect(status?.capacity).toEqual({ storage: '1Gi' })
      const volumes = [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }]
      await lab.given({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'db', namespace }, spec: { containers: [{ name: 'db', image: 'db:1' }], volumes } })
      await has('the claim has grown', (claim) => claim.status?.capacity?.['storage'] === '2Gi')
    })
  })

  async function running(wish: Partial<Wish> = {}) {
    const { namespace, reader } = await home()
    await lab.given(deployment({ namespace, name: 'web', image: 'shop/web:1', replicas: 1, ...wish }))
    await rolledOut(lab, namespace, 'web')
    const [first] = await reader.list('Pod', { labels: 'app=web' })
    return { namespace, reader, pod: first?.metadata?.name ?? '', node: first?.spec?.nodeName ?? '' }
  }

  describe('as a kubelet that resizes in place', () => {
    async function resizable(fate: Readonly<Record<string, string>> = {}) {
      const { namespace, reader, pod, node } = await running({ fate, resources: { requests: { memory: '256Mi' }, limits: { memory: '512Mi' } } })
      const resize = (resources: object) =>
        lab.admin.send({
          method: 'PATCH',
          path: `/api/v1/namespaces/${namespace}/pods/${pod}/resize`,
          body: { spec: { containers: [{ name: 'app', resources }] } },
          contentType: 'application/strategic-merge-patch+json',
        })
      const status = (what: string, fits: (status: PodStatus) => boolean) =>
        until(what, async () => {
          const found = (await reader.get('Pod', pod))?.status
          return found && fits(found) && found
        })
      const limit = (found: PodStatus | undefined) => found?.containerStatuses?.[0]?.resources?.limits?.['memory']
      await status('the kubelet reports what runs', (found) => limit(found) === '512Mi')
      return { namespace, node, resize, status, limit }
    }

    it('runs the container with what the spec asks for, without a restart', TIMES, async () => {
      const { resize, status, limit } = await resizable()
      await resize({ limits: { memory: '1Gi' } })
      const found = await status('the container is resized', (one) => limit(one) === '1Gi')
      expect(found.containerStatuses?.[0]?.restartCount).toBe(0)
      expect(found.conditions?.map(({ type }) => type)).not.toContain('PodResizePending')
    })

    it('defers it while other pods have the room, changes nothing, and does it once they are gone', TIMES, async () => {
      const { namespace, node, resize, status, limit } = await resizable()
      const resources = { requests: { memory: '63Gi' } }
      const big = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'big', namespace }, spec: { nodeName: node, containers: [{ name: 'big', image: 'big:1', resources }] } }
      await lab.given(big)
      await resize({ requests: { memory: '2Gi' }, limits: { memory: '2Gi' } })
      const pending = (one: PodStatus) => one.conditions?.find(({ type }) => type === 'PodResizePending')
      const found = await status('the resize is pending', (one) => pending(one) !== undefined)
      expect(pending(found)).toMatchObject({ status: 'True', reason: 'Deferred' })
      expect(limit(found)).toBe('512Mi')
      await lab.admin.send({ method: 'DELETE', path: `/api/v1/namespaces/${namespace}/pods/big` })
      expect(pending(await status('the container is resized', (one) => limit(one) === '2Gi'))).toBeUndefined()
    })

    it('can call it infeasible', TIMES, async () => {
      const { resize, status, limit } = await resizable({ [POD_RESIZE]: 'infeasible' })
      await resize({ limits: { memory: '1Gi' } })
      const found = await status('the resize is pending', (one) => one.conditions?.some(({ reason }) => reason === 'Infeasible') ?? false)
      expect(limit(found)).toBe('512Mi')
    })

    it('is not reached with more than the node has: the API server refuses it', TIMES, async () => {
      const { resize } = await resizable()
      await expect(resize({ requests: { memory: '100Gi' }, limits: { memory: '200Gi' } })).rejects.toMatchObject({ code: 'CLUSTER_FORBIDDEN' })
    })
  })

  describe('as the scripts of Jobs', () => {
    async function runJob(script: string) {
      const { namespace, reader } = await home()
      const template = {
        metadata: { annotations: SCRIPT },
        spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'tools:1', command: ['sh', '-c', script], env: [{ name: 'WORD', value: 'full' }] }] },
      }
      await lab.given({ apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'clean', namespace }, spec: { backoffLimit: 0, template } })
      const ended = await until('the Job ends', async () => (await reader.get('Job', 'clean'))?.status?.conditions?.find(({ type }) => ['Complete', 'Failed'].includes(type)))
      const [pod] = await reader.list('Pod', { labels: 'job-name=clean' })
      return { ended: ended.type, pod, reader }
    }

    it('runs the command, as nobody: its exit code fails the Job, and what it printed is its log', TIMES, async () => {
      const { ended, pod, reader } = await runJob('echo the disk is $WORD; test "$(id -u)" != 0 && exit 3')
      expect(ended).toBe('Failed')
      expect(pod?.status?.containerStatuses?.[0]?.state?.terminated).toMatchObject({ exitCode: 3, reason: 'Error' })
      const printed = await reader.logs(pod?.metadata?.name ?? '', { container: 'main', previous: false, tailLines: 10, limitBytes: 1_000 })
      expect(printed).toBe('the disk is full\n')
    })

    it('completes the Job when the script ends well', TIMES, async () => {
      expect((await runJob('true')).ended).toBe('Complete')
    })
  })

  describe('as a container runtime', () => {
    it('keeps what pods print, this run and the one before, where our fact reads it', TIMES, async () => {
      const fate = { [FATE.fails]: 'crash', [PRINTS.logs]: 'listening on :8080', [PRINTS.previousLogs]: 'java.lang.OutOfMemoryError: Java heap space' }
      const { namespace, reader } = await home()
      await lab.given(deployment({ namespace, name: 'web', image: 'shop/web:1', replicas: 1, fate }))
      const pod = await until('the container has ended once', async () =>
        (await reader.list('Pod', { labels: 'app=web' })).find(({ status }) => status?.containerStatuses?.[0]?.lastState?.terminated),
      )
      const name = pod.metadata?.name ?? ''
      const said = (previous: boolean) => reader.logs(name, { container: 'app', previous, tailLines: 10, limitBytes: 1_000 })
      expect(await until('its logs are kept', async () => (await said(false)).includes('listening') && said(false))).toBe('listening on :8080\n')
      expect(await said(true)).toContain('OutOfMemoryError')
      const evidence = await evidenceOfPod(lab.admin, namespace, 'web', name)
      expect(await evidence.read('logs')).toMatchObject({ classes: ['outOfMemory'] })
    })

    it('runs commands in containers; how one ends that fails, kwok does not tell', TIMES, async () => {
      const { namespace, pod } = await running()
      const { exec } = await connect({ kubeconfig: lab.kubeconfig }, realPorts)
      const run = (script: string) => exec({ namespace, pod, container: 'app', argv: ['sh', '-c', script] })
      expect(await run('id -u; echo there >&2')).toEqual({ exitCode: 0, stdout: expect.not.stringMatching(/^0/), stderr: 'there\n' })
      await expect(run('exit 7')).rejects.toMatchObject({ code: 'CLUSTER_ANSWER_UNKNOWN', message: expect.stringContaining('exit status 7') })
    })
  })
})
