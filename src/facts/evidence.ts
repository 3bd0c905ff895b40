// The evidence of one case: each fact is read when it is first asked for, once for its parameters, and a fault becomes unknown.
import { type Evidence, evidenceKey } from '../domain/evidence.ts'
import { isFault } from '../domain/fault.ts'
import type { Json, JsonObject } from '../domain/json.ts'
import { type Unknown, unknown } from '../domain/unknown.ts'
import type { Fact, FactSources } from './define-fact.ts'
import { readOnce } from './read-once.ts'

export function gatherEvidence(facts: readonly Fact[], sources: Omit<FactSources, 'fact'>): Evidence {
  const known = new Map(facts.map((fact) => [fact.name, fact]))
  const asked = new Map<string, Promise<Json | Unknown>>()
  const seen = new Map<string, Json | Unknown>()
  const shared = { ...sources, read: readOnce(sources.read) }

  /** `open` are the facts on the way to this one: a fact that needs itself would wait for ever. */
  function ask(name: string, parameters: JsonObject, open: readonly string[]): Promise<Json | Unknown> {
    const key = evidenceKey(name, parameters)
    if (open.includes(key)) return Promise.resolve(unknown(`${[...open, key].join(' needs ')}`))
    const held = asked.get(key)
    if (held !== undefined) return held
    const answer = settle(name, { ...shared, fact: (other, more) => ask(other, more ?? {}, [...open, key]) }, parameters).then((value) => {
      seen.set(key, value)
      return value
    })
    asked.set(key, answer)
    return answer
  }
  async function settle(name: string, from: FactSources, parameters: JsonObject): Promise<Json | Unknown> {
    const fact = known.get(name)
    if (!fact) return unknown(`there is no fact ${name}`)
    try {
      return await fact.read(from, parameters)
    } catch (error) {
      if (isFault(error)) return unknown(`${name} could not be read: ${error.message} (${error.code})`)
      throw error
    }
  }
  return { read: (name, parameters) => ask(name, parameters ?? {}, []), seen }
}
