// scale, eviction, log and resize: the subresources that are objects or answers of their own.
import type { Call, Cluster, Reply } from './call.ts'
import { existing, keep, patched } from './change.ts'
import { asStored } from './create.ts'
import { type Budget, budgetOf, budgetsOf, isReady } from './disruption.ts'
import { at, copyOf, isPlain, listAt, mapAt, numberAt, type Plain, plainAt, textAt, withField } from './fields.ts'
import { checkPreconditions, removeObject } from './removal.ts'
import { badRequest, invalid, invalidValue, modified, Refusal, tooManyRequests } from './status.ts'
import type { Stored } from './store.ts'

const SCALE = { group: 'autoscaling', kind: 'Scale', plural: 'scales', qualified: 'scales.autoscaling' }

function selectorText(selector: unknown): string {
  const plain = isPlain(selector) && ('matchLabels' in selector || 'matchExpressions' in selector) ? selector : { matchLabels: selector }
  const equals = Object.entries(mapAt(plain, 'matchLabels')).map(([key, value]) => `${key}=${value}`)
  const expressions = listAt(plain, 'matchExpressions').map((each) => {
    const [key, operator] = [textAt(each, 'key') ?? '', textAt(each, 'operator')]
    if (operator === 'Exists') return key
    if (operator === 'DoesNotExist') return `!${key}`
    return `${key} ${operator === 'In' ? 'in' : 'notin'} (${listAt(each, 'values').join(',')})`
  })
  return [...equals, ...expressions].join(',')
}
function scaleOf(object: Stored): Plain {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata
  const selector = selectorText(at(object, 'spec', 'selector'))
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    spec: { replicas: numberAt(object, 'spec', 'replicas') ?? 0 },
    status: { replicas: numberAt(object, 'status', 'replicas') ?? 0, ...(selector === '' ? {} : { selector }) },
  }
}
export const readScale = (cluster: Cluster, call: Call): Reply => ({ status: 200, text: JSON.stringify(scaleOf(existing(cluster, call))) })

/** A patch or an update of the scale changes replicas and nothing else. */
export function writeScale(cluster: Cluster, call: Call): Reply {
  const before = existing(cluster, call)
  const wanted = call.verb === 'patch' ? patched(call, copyOf(scaleOf(before))) : call.body
  if (!isPlain(wanted)) throw badRequest('the object provided is unrecognized (must be of type Scale)')
  const version = textAt(wanted, 'metadata', 'resourceVersion')
  if (version && version !== before.metadata.resourceVersion) throw modified(call.resource, call.name)
  const uid = at(wanted, 'metadata', 'uid')
  if (uid !== undefined && uid !== before.metadata.uid) throw invalid(SCALE, call.name, [invalidValue('metadata.uid', uid, 'field is immutable')])
  const replicas = at(wanted, 'spec', 'replicas') ?? 0
  if (typeof replicas !== 'number' || !Number.isInteger(replicas))
    throw badRequest('Scale in version "v1" cannot be handled as a Scale: json: cannot unmarshal into Go struct field ScaleSpec.spec.replicas of type int32')
  if (replicas < 0) throw invalid(SCALE, call.name, [invalidValue('spec.replicas', replicas, 'must be greater than or equal to 0')])
  const next = asStored(call.resource, withField(before, ['spec', 'replicas'], replicas))
  const answer = keep(cluster, call, before, next)
  if (call.dryRun) return { status: 200, text: JSON.stringify(scaleOf(cluster.store.preview(next))) }
  return { ...answer, text: JSON.stringify(scaleOf(existing(cluster, call))) }
}

/** A pod that is over, or has not begun, disrupts nobody: its budget is not asked. */
const unbudgeted = (pod: Stored): boolean => ['Succeeded', 'Failed', 'Pending'].includes(textAt(pod, 'status', 'phase') ?? '') || pod.metadata.deletionTimestamp !== undefined

export function evict(cluster: Cluster, call: Call): Reply {
  const { body } = call
  if (!isPlain(body))
    throw badRequest("the object provided is unrecognized (must be of type Eviction): couldn't get version/kind; json parse error: unexpected end of JSON input (<empty>)")
  const named = textAt(body, 'metadata', 'name') ?? call.name
  if (named !== call.name) throw badRequest('name in URL does not match name in Eviction object')
  const pod = existing(cluster, call)
  const options = plainAt(body, 'deleteOptions')
  if (!unbudgeted(pod)) checkBudget(cluster, pod)
  checkPreconditions(call.resource, pod, options)
  if (!call.dryRun) removeObject(cluster, call.resource, pod, numberAt(options, 'gracePeriodSeconds'))
  return { status: 201, text: JSON.stringify({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 }) }
}
function checkBudget({ store }: Cluster, pod: Stored): void {
  const budgets = budgetsOf(store, pod)
  if (budgets.length > 1) throw new Refusal(500, '', 'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.')
  const [found] = budgets
  if (found) mayDisrupt(found, budgetOf(store, found), pod)
}
function mayDisrupt(found: Stored, budget: Budget, pod: Stored): void {
  const always = textAt(found, 'spec', 'unhealthyPodEvictionPolicy') === 'AlwaysAllow'
  if (!isReady(pod) && (always || (budget.currentHealthy >= budget.desiredHealthy && budget.desiredHealthy > 0))) return
  if (budget.disruptionsAllowed > 0) return
  const message = `The disruption budget ${found.metadata.name} needs ${budget.desiredHealthy} healthy pods and has ${budget.currentHealthy} currently`
  throw tooManyRequests("Cannot evict pod as it would violate the pod's disruption budget.", [{ reason: 'DisruptionBudget', message }])
}

export function readLog(cluster: Cluster, call: Call): Reply {
  const pod = existing(cluster, call)
  const container = containerOf(pod, call.query.get('container'))
  const previous = ['true', '1'].includes(call.query.get('previous') ?? '')
  const text = cluster.logs.get(call.name, container, previous)
  if (text === undefined && previous) throw badRequest(`previous terminated container ${JSON.stringify(container)} in pod ${JSON.stringify(call.name)} not found`)
  if (text === undefined && !at(pod, 'spec', 'nodeName')) return { status: 204, text: '', contentType: 'text/plain' }
  const tailed = tail(text ?? '', count(call, 'tailLines'))
  const limit = count(call, 'limitBytes')
  return { status: 200, contentType: 'text/plain', text: limit === undefined ? tailed : Buffer.from(tailed).subarray(0, limit).toString() }
}
function count(call: Call, option: string): number | undefined {
  const asked = call.query.get(option)
  if (asked === null) return undefined
  const number = Number(asked)
  if (!Number.isInteger(number) || number < (option === 'limitBytes' ? 1 : 0)) {
    throw invalid({ group: '', kind: 'PodLogOptions', plural: 'PodLogOptions', qualified: 'PodLogOptions' }, call.name, [
      invalidValue(option, asked, `must be greater than ${option === 'limitBytes' ? '' : 'or equal to '}0`),
    ])
  }
  return number
}
function tail(text: string, lines: number | undefined): string {
  if (lines === undefined) return text
  const all = text.split('\n')
  const ends = text.endsWith('\n')
  const kept = (ends ? all.slice(0, -1) : all).slice(lines === 0 ? all.length : -lines)
  return kept.length === 0 ? '' : kept.join('\n') + (ends ? '\n' : '')
}
function containerOf(pod: Stored, asked: string | null): string {
  const names = (list: string) => listAt(pod, 'spec', list).flatMap((each) => textAt(each, 'name') ?? [])
  const [containers, inits] = [names('containers'), names('initContainers')]
  const pod_ = pod.metadata.name
  if (!asked) {
    const only = containers[0]
    if (only !== undefined && containers.length + inits.length === 1) return only
    const init = inits.length > 0 ? ` or one of the init containers: [${inits.join(' ')}]` : ''
    throw badRequest(`a container name must be specified for pod ${pod_}, choose one of: [${containers.join(' ')}]${init}`)
  }
  if (![...containers, ...inits].includes(asked)) throw badRequest(`container ${asked} is not valid for pod ${pod_}`)
  return asked
}
