import { describe, expect, it } from 'vitest'
import { ofPod } from './pod-series.ts'
import { page, type Sample } from './sample.ts'
import { ofDeployment, ofJob, ofQuota, ofVolume, USED } from './workload-series.ts'

const metadata = { namespace: 'shop', name: 'web', uid: 'u1' }
const linesOf = (samples: readonly Sample[]) =>
  page(samples)
    .split('\n')
    .filter((line) => !line.startsWith('#'))

describe('the page of the exporter', () => {
  it('keeps the samples of a name together, with their type and with labels escaped', () => {
    const samples = [
      { name: 'a', labels: { x: 'say "no"\nback\\slash', none: undefined }, value: 1 },
      { name: 'b_total', labels: {}, value: 2 },
      { name: 'a', labels: { x: 'y' }, value: 0 },
    ]
    expect(page(samples)).toBe('# TYPE a gauge\na{x="say \\"no\\"\\nback\\\\slash"} 1\na{x="y"} 0\n# TYPE b_total counter\nb_total{} 2\n')
  })
})

describe('the series of a pod', () => {
  it('tell why a container waits, how often it was started again and what ended it', () => {
    const terminated = { exitCode: 137, reason: 'OOMKilled' }
    const status = { name: 'app', image: 'i', imageID: 'i', ready: false, restartCount: 4, state: { waiting: { reason: 'CrashLoopBackOff' } }, lastState: { terminated } }
    const lines = linesOf(ofPod({ metadata, spec: { containers: [{ name: 'app' }] }, status: { phase: 'Running', containerStatuses: [status] } }))
    const labels = 'namespace="shop",pod="web",uid="u1",container="app"'
    expect(lines).toContain(`kube_pod_container_status_waiting_reason{${labels},reason="CrashLoopBackOff"} 1`)
    expect(lines).toContain(`kube_pod_container_status_restarts_total{${labels}} 4`)
    expect(lines).toContain(`kube_pod_container_status_last_terminated_reason{${labels},reason="OOMKilled"} 1`)
    expect(lines).toContain('kube_pod_status_phase{namespace="shop",pod="web",uid="u1",phase="Running"} 1')
    expect(lines).toContain('kube_pod_status_phase{namespace="shop",pod="web",uid="u1",phase="Failed"} 0')
    expect(lines.filter((line) => line.includes('terminated_reason') && !line.includes('last_'))).toEqual([])
  })
})

describe('the series of workloads', () => {
  it('name a condition with all its states, one of which holds', () => {
    const lines = linesOf(ofDeployment({ metadata, status: { conditions: [{ type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded' }] } }))
    const labels = 'namespace="shop",deployment="web",reason="ProgressDeadlineExceeded",condition="Progressing"'
    expect(lines.filter((line) => line.startsWith('kube_deployment_status_condition'))).toEqual(
      ['true', 'false', 'unknown'].map((status) => `kube_deployment_status_condition{${labels},status="${status}"} ${status === 'false' ? 1 : 0}`),
    )
  })

  it('say nothing of what is not known: no replica count without a spec, no end of a Job that runs', () => {
    expect(linesOf(ofDeployment({ metadata })).join('\n')).not.toContain('spec_replicas')
    expect(linesOf(ofJob({ metadata, status: { active: 1 } })).join('\n')).not.toMatch(/kube_job_(failed|complete)/)
  })

  it('write quantities as numbers', () => {
    expect(linesOf(ofQuota({ metadata, status: { hard: { 'requests.memory': '1Gi' }, used: { 'requests.memory': '512Mi' } } }))).toContain(
      'kube_resourcequota{namespace="shop",resourcequota="web",resource="requests.memory",type="used"} 536870912',
    )
  })

  it('take how full a volume is from its claim, and know nothing of other claims', () => {
    const claim = { metadata: { ...metadata, annotations: { [USED]: '990Mi' } }, status: { capacity: { storage: '1000Mi' } } }
    expect(linesOf(ofVolume(claim))).toContain('kubelet_volume_stats_available_bytes{namespace="shop",persistentvolumeclaim="web"} 10485760')
    expect(ofVolume({ metadata, status: { capacity: { storage: '1Gi' } } })).toEqual([])
  })
})
