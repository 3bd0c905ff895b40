// A reader that asks the cluster once for each thing: all facts of a case see one state, and share the cost.
import type { AnyObject, Kind, Kinds, Reader } from '../kube/wire.ts'

interface Got<K extends Kind> {
  readonly kind: K
  readonly answer: Promise<Kinds[K] | undefined>
}
interface Listed<K extends Kind> {
  readonly kind: K
  readonly answer: Promise<readonly Kinds[K][]>
}
const isGot = <K extends Kind>(entry: Got<Kind> | undefined, kind: K): entry is Got<K> => entry?.kind === kind
const isListed = <K extends Kind>(entry: Listed<Kind> | undefined, kind: K): entry is Listed<K> => entry?.kind === kind

function once<T>(seen: Map<string, Promise<T>>, key: string, ask: () => Promise<T>): Promise<T> {
  const held = seen.get(key)
  if (held !== undefined) return held
  const asked = ask()
  seen.set(key, asked)
  return asked
}

export function readOnce(read: Reader): Reader {
  const gets = new Map<string, Got<Kind>>()
  const lists = new Map<string, Listed<Kind>>()
  const objects = new Map<string, Promise<AnyObject | undefined>>()
  const logs = new Map<string, Promise<string>>()
  return {
    namespace: read.namespace,
    get(kind, name) {
      const held = gets.get(`${kind} ${name}`)
      if (isGot(held, kind)) return held.answer
      const answer = read.get(kind, name)
      gets.set(`${kind} ${name}`, { kind, answer })
      return answer
    },
    list(kind, selector) {
      const key = `${kind} ${selector?.labels ?? ''} ${selector?.fields ?? ''}`
      const held = lists.get(key)
      if (isListed(held, kind)) return held.answer
      const answer = read.list(kind, selector)
      lists.set(key, { kind, answer })
      return answer
    },
    object: (ref) => once(objects, `${ref.apiVersion} ${ref.kind} ${ref.name}`, () => read.object(ref)),
    logs: (pod, options) => once(logs, `${pod} ${options.container} ${options.previous} ${options.tailLines} ${options.limitBytes}`, () => read.logs(pod, options)),
  }
}
