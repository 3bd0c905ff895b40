// Access and token reviews: questions that are answered and not kept.
import type { Call, Cluster, Reply } from './call.ts'
import { at, isPlain, type Plain, plainAt, textAt, textsAt } from './fields.ts'
import type { Verdict } from './rbac.ts'
import { badRequest, invalid, invalidValue } from './status.ts'
import { groupsOf, type User } from './users.ts'

/** Answers in the words of the request, with a status. */
export function review(cluster: Cluster, call: Call): Reply {
  const { resource } = call
  const body = call.body ?? {}
  if (!isPlain(body)) throw badRequest(`the object provided is unrecognized (must be of type ${resource.kind})`)
  const status = answers[resource.kind]?.(cluster, call, body)
  const metadata = { ...plainAt(body, 'metadata') }
  return { status: 201, text: JSON.stringify({ kind: resource.kind, apiVersion: resource.apiVersion, metadata, spec: at(body, 'spec'), status }) }
}

const answers: Readonly<Record<string, (cluster: Cluster, call: Call, body: Plain) => Plain>> = {
  SelfSubjectAccessReview: (cluster, call, body) => access(cluster, call, body, call.user),
  SubjectAccessReview: (cluster, call, body) => access(cluster, call, body, subject(body)),
  LocalSubjectAccessReview: (cluster, call, body) => access(cluster, call, body, subject(body)),
  TokenReview: (cluster, _, body) => token(cluster, body),
  SelfSubjectReview: (_, { user }) => ({ userInfo: userInfo(user) }),
}

const subject = (body: Plain): User => {
  const name = textAt(body, 'spec', 'user') ?? ''
  return { name, groups: textsAt(body, 'spec', 'groups') }
}
function access(cluster: Cluster, call: Call, body: Plain, user: User): Plain {
  const wanted = at(body, 'spec', 'resourceAttributes')
  const path = at(body, 'spec', 'nonResourceAttributes')
  if ((wanted === undefined) === (path === undefined)) {
    throw invalid({ ...call.resource, kind: '' }, '', [
      invalidValue('spec.resourceAttributes', null, 'exactly one of nonResourceAttributes or resourceAttributes must be specified'),
    ])
  }
  const field = (name: string) => textAt(wanted, name) ?? ''
  const verdict: Verdict = isPlain(path)
    ? cluster.rbac.judgePath(user, textAt(path, 'verb') ?? '', textAt(path, 'path') ?? '')
    : cluster.rbac.judge(user, {
        verb: field('verb'),
        group: field('group'),
        resource: field('resource'),
        subresource: field('subresource'),
        namespace: field('namespace'),
        name: field('name'),
      })
  return { allowed: verdict.allowed, ...(verdict.reason === '' ? {} : { reason: verdict.reason }) }
}

const userInfo = ({ name, groups }: User): Plain => ({ username: name, groups: [...new Set([...groups, ...groupsOf(name)])] })
function token(cluster: Cluster, body: Plain): Plain {
  const user = cluster.users.ofToken(textAt(body, 'spec', 'token') ?? '')
  if (!user) return { user: {}, error: 'invalid bearer token' }
  return { authenticated: true, user: userInfo(user), audiences: at(body, 'spec', 'audiences') ?? ['https://kubernetes.default.svc'] }
}
