// The defaults that the API server fills in, for the fields that our facts, actions and controllers read.
import { at, isPlain, listAt, type Plain, plainAt, textAt, withField } from './fields.ts'
import type { Resource } from './resources.ts'

/** Fields that are there win; objects are merged, lists are not looked into. */
function under(defaults: Plain, given: unknown): Plain {
  const plain = isPlain(given) ? given : {}
  const added = Object.entries(defaults).filter(([key, value]) => plain[key] === undefined || (isPlain(value) && isPlain(plain[key])))
  if (added.length === 0) return plain
  return { ...plain, ...Object.fromEntries(added.map(([key, value]) => [key, isPlain(value) ? under(value, plain[key]) : value])) }
}

function container(given: unknown): unknown {
  if (!isPlain(given)) return given
  const image = textAt(given, 'image') ?? ''
  const latest = !/:[^/]+$/.test(image) || image.endsWith(':latest')
  const ports = listAt(given, 'ports').map((port) => under({ protocol: 'TCP' }, port))
  const filled = under(
    {
      resources: {},
      terminationMessagePath: '/dev/termination-log',
      terminationMessagePolicy: 'File',
      imagePullPolicy: latest && !image.includes('@') ? 'Always' : 'IfNotPresent',
    },
    given,
  )
  return ports.length > 0 ? { ...filled, ports } : filled
}
function podSpec(given: unknown): unknown {
  if (!isPlain(given)) return given
  const lists = (['containers', 'initContainers'] as const).filter((list) => Array.isArray(given[list]))
  const filled = under(
    { restartPolicy: 'Always', terminationGracePeriodSeconds: 30, dnsPolicy: 'ClusterFirst', securityContext: {}, schedulerName: 'default-scheduler' },
    { ...given, ...Object.fromEntries(lists.map((list) => [list, listAt(given, list).map(container)])) },
  )
  return filled
}
const inTemplate = (object: Plain, ...path: readonly string[]): Plain => (at(object, ...path) === undefined ? object : withField(object, path, podSpec(at(object, ...path))))

/** In a pod, unlike in a template, a limit without a request is the request too. */
function pod(object: Plain): Plain {
  const filled = withField(inTemplate(object, 'spec'), ['spec', 'enableServiceLinks'], at(object, 'spec', 'enableServiceLinks') ?? true)
  const lists = (['containers', 'initContainers'] as const).filter((list) => Array.isArray(at(filled, 'spec', list)))
  return lists.reduce<Plain>((spec, list) => withField(spec, ['spec', list], listAt(filled, 'spec', list).map(requesting)), filled)
}
function requesting(container: unknown): unknown {
  const limits = plainAt(container, 'resources', 'limits')
  const requests = { ...limits, ...plainAt(container, 'resources', 'requests') }
  return Object.keys(limits).length === 0 ? container : withField(container, ['resources', 'requests'], requests)
}
/** What a limit says for containers that say nothing. */
export function defaultedLimit(limit: unknown): Plain {
  const plain = isPlain(limit) ? limit : {}
  if (plain['type'] !== 'Container') return plain
  const limits = { ...plainAt(plain, 'max'), ...plainAt(plain, 'default') }
  const requests = { ...plainAt(plain, 'min'), ...limits, ...plainAt(plain, 'defaultRequest') }
  const some = (name: string, amounts: Plain) => (Object.keys(amounts).length > 0 ? { [name]: amounts } : {})
  return { ...plain, ...some('default', limits), ...some('defaultRequest', requests) }
}

const ROLLING = { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '25%', maxSurge: '25%' } }
const DAEMON = { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1, maxSurge: 0 } }
const chosen = (object: Plain, field: string, rolling: Plain): Plain => {
  const type = textAt(object, 'spec', field, 'type')
  return type !== undefined && type !== 'RollingUpdate' ? {} : { [field]: rolling }
}

const WORKLOADS: Readonly<Record<string, (object: Plain) => Plain>> = {
  Deployment: (object) => ({ replicas: 1, revisionHistoryLimit: 10, progressDeadlineSeconds: 600, ...chosen(object, 'strategy', ROLLING) }),
  ReplicaSet: () => ({ replicas: 1 }),
  StatefulSet: (object) => ({
    replicas: 1,
    revisionHistoryLimit: 10,
    podManagementPolicy: 'OrderedReady',
    persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain', whenScaled: 'Retain' },
    ...chosen(object, 'updateStrategy', { type: 'RollingUpdate', rollingUpdate: { partition: 0 } }),
  }),
  DaemonSet: (object) => ({ revisionHistoryLimit: 10, ...chosen(object, 'updateStrategy', DAEMON) }),
  Job: () => ({ backoffLimit: 6, completionMode: 'NonIndexed', suspend: false, podReplacementPolicy: 'TerminatingOrFailed' }),
  CronJob: () => ({ concurrencyPolicy: 'Allow', suspend: false, successfulJobsHistoryLimit: 3, failedJobsHistoryLimit: 1 }),
  HorizontalPodAutoscaler: () => ({ minReplicas: 1 }),
}
/** A Job that asks for one completion; work queues leave completions out on purpose. */
const jobCounts = (kind: string, object: Plain): Plain =>
  kind === 'Job' && at(object, 'spec', 'completions') === undefined && at(object, 'spec', 'parallelism') === undefined ? { completions: 1, parallelism: 1 } : {}

export function withDefaults({ kind, builtIn }: Resource, object: Plain): Plain {
  if (!builtIn || !isPlain(object['spec'])) return object
  if (kind === 'Pod') return pod(object)
  if (kind === 'LimitRange') return withField(object, ['spec', 'limits'], listAt(object, 'spec', 'limits').map(defaultedLimit))
  const fill = WORKLOADS[kind]
  if (!fill) return object
  const filled = { ...object, spec: under({ ...fill(object), ...jobCounts(kind, object) }, object['spec']) }
  return inTemplate(inTemplate(filled, 'spec', 'template', 'spec'), 'spec', 'jobTemplate', 'spec', 'template', 'spec')
}
