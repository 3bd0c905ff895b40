// What the sidecar did, as the API server saw it. Shares no code with what it judges.
import type { Practice } from '../../src/practice/server.ts'

export interface Written {
  readonly verb: string
  /** `deployments/web`, with the subresource where there is one. */
  readonly on: string
  readonly status: number
}

const WRITING = new Set(['create', 'update', 'patch', 'delete', 'deletecollection'])
/** Reviews are questions in the form of a POST. */
const QUESTIONS = /\/(?:selfsubjectaccessreviews|selfsubjectrulesreviews)$/
const OWN = /^(?:configmaps(?:\/alerts-slm-ledger)?|events(?:\/.*)?)$/
const objectOf = (path: string): string => path.replace(/^\/(?:api|apis\/[^/]+)\/[^/]+\/namespaces\/[^/]+\//, '')

export function readsAndWrites(practice: Practice, account: string) {
  const writeVerbs = (): readonly Written[] =>
    practice.requests
      .filter(({ user, verb, path, dryRun }) => user === account && WRITING.has(verb) && !dryRun && !QUESTIONS.test(path))
      .map(({ verb, path, status }) => ({ verb, on: objectOf(path), status }))
  return {
    writeVerbs,
    written: (): readonly string[] =>
      writeVerbs()
        .filter(({ on, status }) => status >= 200 && status < 300 && !OWN.test(on))
        .map(({ verb, on }) => `${verb} ${on}`),
  }
}
