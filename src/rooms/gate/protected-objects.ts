// Gate 4: objects that the policy protects by label or name, and what this program remembers by.
import { describeRef, type ObjectRef } from '../../domain/target.ts'
import { isUnknown } from '../../domain/unknown.ts'
import { mustBeRead, objectIn, objectsOf, writes } from './seen.ts'
import { type Gate, hold, LOOK_AGAIN_MS, PASS, refuse } from './verdict.ts'

/** The ledger and the lease: a plan that changed them could change the record of itself. */
const OWN = ['ConfigMap/alerts-slm-*', 'Lease/alerts-slm-*', 'ServiceAccount/alerts-slm']

/** `*` stands for any run of characters; all else is literal. */
function fits(pattern: string, text: string | undefined): boolean {
  const [first = '', ...rest] = pattern.split('*')
  if (text === undefined || rest.length === 0) return pattern === text
  if (!text.startsWith(first)) return false
  let from = first.length
  const last = rest.pop() ?? ''
  for (const part of rest) {
    const found = text.indexOf(part, from)
    if (found < 0) return false
    from = found + part.length
  }
  return text.length - last.length >= from && text.endsWith(last)
}

/** `web`, `web-*` or `Deployment/web`. */
const named = (pattern: string, ref: Pick<ObjectRef, 'kind' | 'name'>): boolean => fits(pattern, pattern.includes('/') ? `${ref.kind}/${ref.name}` : ref.name)

export const protectedObjects: Gate = {
  name: 'protected-objects',
  judge(file, seen, now) {
    if (!writes(file.plan)) return PASS
    const remedy = 'a person changes it, or the operator lifts the protection in the policy'
    const { labels, names } = seen.policy.protected
    const touched = objectsOf(file)
    const created = file.plan.steps.flatMap((step) => (step.kind === 'create' ? [step.object] : []))
    for (const ref of [...touched, ...created]) {
      const pattern = [...names, ...OWN].find((name) => named(name, ref))
      if (pattern !== undefined) return refuse('PROTECTED', `${ref.kind} ${ref.name} is protected by the name ${pattern}`, remedy)
    }
    for (const ref of touched) {
      const label = Object.entries(labels).find(([key, value]) => fits(value, labelOf(ref, key)))
      if (label) return refuse('PROTECTED', `${describeRef(ref)} carries the protected label ${label.join('=')}`, remedy)
    }
    const unread = touched
      .filter((ref) => mustBeRead(file, ref))
      .map((ref) => objectIn(seen, ref))
      .find(isUnknown)
    return unread && Object.keys(labels).length > 0
      ? hold('OBJECT_UNREADABLE', `whether it is protected is not known: ${unread.unknown}`, 'make the object readable', now + LOOK_AGAIN_MS)
      : PASS

    function labelOf(ref: ObjectRef, key: string): string | undefined {
      const object = objectIn(seen, ref)
      return isUnknown(object) ? undefined : object.metadata?.labels?.[key]
    }
  },
}
