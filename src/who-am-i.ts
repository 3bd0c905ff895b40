// The pod that this program runs in, and what owns it: a plan that would replace it is nobody's to carry out.
import { type Environment, variable } from './config/environment.ts'
import { isFault } from './domain/fault.ts'
import type { ObjectRef } from './domain/target.ts'
import type { Reader } from './kube/wire.ts'
import type { Self } from './rooms/gate/seen.ts'
import { ascend, refOf } from './rooms/locate/ascend.ts'

/** By the downward API's variables; outside a cluster, or in another namespace, nobody. */
export function ownPod(environment: Environment, namespace: string): ObjectRef | undefined {
  const name = variable(environment, 'POD_NAME')
  if (name === undefined || variable(environment, 'POD_NAMESPACE') !== namespace) return undefined
  return { apiVersion: 'v1', kind: 'Pod', namespace, name, uid: variable(environment, 'POD_UID') ?? '' }
}

/** With its owner, as far as the API server tells. */
export async function whoAmI(named: ObjectRef, read: Reader): Promise<Self> {
  try {
    const found = await read.get('Pod', named.name)
    if (!found) return { pod: named }
    const pod = refOf(found, named)
    const owner = (await ascend(read, pod, found)).at(-1)
    return { pod, ...(owner && { owner }) }
  } catch (error) {
    if (isFault(error)) return { pod: named }
    throw error
  }
}
