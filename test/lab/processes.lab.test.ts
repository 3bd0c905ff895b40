// Nothing of a lab outlives it, and what a suite breaks comes back.
import { fileURLToPath } from 'node:url'
import { expect, it, onTestFinished } from 'vitest'
import { start } from '../child-processes.ts'
import { temporaryFolder } from '../temporary.ts'
import { until } from '../waiting.ts'
import { lives, readState } from './addresses.ts'
import { labSuite, withLab } from './lab-cluster.ts'

const MORTAL = fileURLToPath(new URL('mortal-lab.ts', import.meta.url))

labSuite('the processes of a lab', ['kube-apiserver'], () => {
  it('end when the process that started them is killed', { timeout: 60_000 }, async () => {
    const folder = temporaryFolder()
    const owner = start(process.execPath, [MORTAL, folder, 'kube-apiserver'])
    await owner.says(/up/)
    const pids = readState(folder)?.parts.flatMap(({ processes }) => processes.map(({ pid }) => pid)) ?? []
    expect(pids.filter(lives)).toHaveLength(2)
    await owner.end('SIGKILL')
    await until('all of them are gone', () => pids.every((pid) => !lives(pid)), { withinMs: 10_000 })
    expect(readState(folder)).toBeUndefined()
  })

  it('can be killed one by one by a suite that has a lab of its own, and started again', { timeout: 60_000 }, async () => {
    const lab = await withLab(['kube-apiserver'], { own: true })
    onTestFinished(lab.stop)
    await lab.given({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'kept' } })
    await lab.kill('kube-apiserver')
    const ask = () => lab.admin.send({ method: 'GET', path: '/api/v1/namespaces/kept' })
    await expect(ask()).rejects.toMatchObject({ code: 'CLUSTER_UNREACHABLE' })
    await lab.start('kube-apiserver')
    expect((await ask()).status).toBe(200)
  })
})
