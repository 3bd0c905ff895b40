import { describe, expect, it } from 'vitest'
import { describeRequest, faultOfAnswer, faultOfSilence } from './errors.ts'

const DEPLOYMENT = '/apis/apps/v1/namespaces/team-a/deployments/web'
const status = (code: number, reason: string, message: string, details: object = {}) => ({
  status: code,
  headers: {},
  body: { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, details, code },
})
const patch = { method: 'PATCH', path: DEPLOYMENT, tests: true } as const

describe('an answer of the API server as a fault', () => {
  it.each([
    [400, 'CLUSTER_INVALID'],
    [401, 'CLUSTER_FORBIDDEN'],
    [403, 'CLUSTER_FORBIDDEN'],
    [404, 'CLUSTER_NOT_FOUND'],
    [409, 'CLUSTER_CONFLICT'],
    [410, 'CLUSTER_GONE'],
    [412, 'CLUSTER_CONFLICT'],
    [429, 'CLUSTER_THROTTLED'],
    [500, 'CLUSTER_ERROR'],
    [503, 'CLUSTER_ERROR'],
  ])('%i is %s', (code, expected) => {
    expect(faultOfAnswer({ method: 'GET', path: DEPLOYMENT }, status(code, 'Whatever', 'said')).code).toBe(expected)
  })

  it('takes a JSON Patch that does not apply for a conflict, in the words of kube-apiserver', () => {
    const answer = status(422, 'Invalid', 'the server rejected our request due to an error in our request')
    expect(faultOfAnswer(patch, answer).code).toBe('CLUSTER_CONFLICT')
  })

  it.each(['testing value /spec/replicas failed', 'json: test failed'])('takes "%s" for a conflict', (message) => {
    expect(faultOfAnswer(patch, status(422, 'Invalid', message, { causes: [{ message }] })).code).toBe('CLUSTER_CONFLICT')
  })

  it('takes a 422 without any cause for a conflict only when the patch carried tests', () => {
    const answer = status(422, 'Invalid', 'no')
    expect(faultOfAnswer(patch, answer).code).toBe('CLUSTER_CONFLICT')
    expect(faultOfAnswer({ ...patch, tests: false }, answer).code).toBe('CLUSTER_INVALID')
    expect(faultOfAnswer({ method: 'POST', path: DEPLOYMENT }, answer).code).toBe('CLUSTER_INVALID')
  })

  it('takes validation and admission for what they are, although the patch carried tests', () => {
    const field = { causes: [{ reason: 'FieldValueInvalid', message: 'Invalid value: -1', field: 'spec.replicas' }] }
    expect(faultOfAnswer(patch, status(422, 'Invalid', 'Deployment.apps "web" is invalid', field)).code).toBe('CLUSTER_INVALID')
    expect(faultOfAnswer(patch, status(422, 'Invalid', 'admission webhook "v.example.com" denied the request: no')).code).toBe('CLUSTER_INVALID')
  })

  it('tells verb, resource, name and what the API server said', () => {
    const quota = 'pods "web-1" is forbidden: exceeded quota: small, requested: memory=1Gi, used: memory=4Gi, limited: memory=4Gi'
    const fault = faultOfAnswer({ method: 'PATCH', path: `${DEPLOYMENT}/scale` }, status(403, 'Forbidden', quota))
    expect(fault.message).toBe(`patch deployments/scale team-a/web: ${quota}`)
    expect(fault.status).toBe(403)
  })

  it('adds the causes that the message leaves out', () => {
    const budget = { causes: [{ reason: 'DisruptionBudget', message: 'The disruption budget web needs 2 healthy pods and has 2 currently' }] }
    const fault = faultOfAnswer({ method: 'POST', path: '/api/v1/namespaces/a/pods/p/eviction' }, status(429, 'TooManyRequests', 'Cannot evict pod', budget))
    expect(fault.message).toContain('The disruption budget web needs 2 healthy pods')
  })

  it('repeats neither a body that is no Status nor a token in a message, and keeps to one line', () => {
    expect(faultOfAnswer(patch, { status: 502, headers: {}, body: '<html>secret</html>' }).message).toBe('patch deployments team-a/web: HTTP 502')
    const said = faultOfAnswer(patch, status(400, 'BadRequest', 'bad\u001b[31m header\nAuthorization: Bearer abc.def')).message
    expect(said).toBe('patch deployments team-a/web: bad [31m header Authorization: Bearer ***')
  })

  it.each([
    [{ 'retry-after': '7' }, {}, 7_000],
    [{ 'retry-after': 'Thu, 15 Jan 2026 12:00:09 GMT', date: 'Thu, 15 Jan 2026 12:00:00 GMT' }, {}, 9_000],
    [{}, { retryAfterSeconds: 3 }, 3_000],
    [{}, {}, undefined],
  ])('reads when to come back from %j and %j', (headers, details, expected) => {
    const fault = faultOfAnswer(patch, { ...status(429, 'TooManyRequests', 'slow', details), headers: { ...headers } })
    expect(fault.retryAfterMs).toBe(expected)
  })
})

describe('no answer as a fault', () => {
  const refused = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })
  const reset = Object.assign(new Error('other side closed'), { code: 'UND_ERR_SOCKET' })
  const wrapped = new TypeError('fetch failed', { cause: refused })
  it.each([
    ['a write that never left', 'PATCH', refused, { sent: true, late: false }, 'CLUSTER_UNREACHABLE'],
    ['a write that never left, as fetch tells it', 'POST', wrapped, { sent: true, late: false }, 'CLUSTER_UNREACHABLE'],
    ['a write whose connection broke', 'DELETE', reset, { sent: true, late: false }, 'CLUSTER_ANSWER_UNKNOWN'],
    ['a write that took too long', 'PATCH', new Error('late'), { sent: true, late: true }, 'CLUSTER_ANSWER_UNKNOWN'],
    ['a write that waited too long for its turn', 'PATCH', new Error('late'), { sent: false, late: true }, 'CLUSTER_TIMEOUT'],
    ['a read whose connection broke', 'GET', reset, { sent: true, late: false }, 'CLUSTER_UNREACHABLE'],
    ['a read that took too long', 'GET', new Error('late'), { sent: true, late: true }, 'CLUSTER_TIMEOUT'],
  ] as const)('%s', (_, method, error, how, code) => {
    expect(faultOfSilence({ method, path: DEPLOYMENT }, error, how).code).toBe(code)
  })
})

describe('a request in words', () => {
  it.each([
    ['GET', '/api/v1/namespaces/a/pods', 'list pods a'],
    ['GET', '/api/v1/namespaces/a/pods/p/log', 'get pods/log a/p'],
    ['GET', '/api/v1/namespaces/a', 'get namespaces a'],
    ['GET', '/apis/apps/v1', 'get /apis/apps/v1'],
    ['POST', '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', 'create selfsubjectaccessreviews'],
    ['DELETE', '/apis/batch/v1/namespaces/a/jobs/j%20x', 'delete jobs a/j x'],
  ] as const)('%s %s', (method, path, words) => {
    expect(describeRequest({ method, path })).toBe(words)
  })
})
