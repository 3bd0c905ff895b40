// The rights that steps need, whatever their action declares: a declaration that forgot one would end in a 403 half way.
import type { Right, Step } from '../../domain/plan.ts'

const groupOf = (apiVersion: string): string => (apiVersion.includes('/') ? (apiVersion.split('/')[0] ?? '') : '')

/** English plurals, as every built-in kind and nearly every custom one has them. */
function plural(kind: string): string {
  const name = kind.toLowerCase()
  if (/(?:s|x|ch)$/.test(name)) return `${name}es`
  return /[^aeiou]y$/.test(name) ? `${name.slice(0, -1)}ies` : `${name}s`
}

function rightOf(step: Step): Right {
  const { apiVersion, kind } = step.object
  const right = (resource: string, ...verbs: string[]): Right => ({ apiGroup: groupOf(apiVersion), resource, verbs })
  switch (step.kind) {
    case 'patch':
      return right(step.subresource ? `${plural(kind)}/${step.subresource}` : plural(kind), 'patch')
    case 'delete':
      return right(plural(kind), 'delete')
    case 'create':
      return right(plural(kind), 'create')
    case 'wait':
      return right(plural(kind), 'get')
    case 'evict':
      return { apiGroup: '', resource: 'pods/eviction', verbs: ['create'] }
    // Older API servers check get, newer ones create (facts E10).
    case 'exec':
      return { apiGroup: '', resource: 'pods/exec', verbs: ['get', 'create'] }
  }
}

export const stepRights = (steps: readonly Step[]): readonly Right[] => steps.map(rightOf)
