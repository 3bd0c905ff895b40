import { readdirSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import { ACTIONS, findAction } from './catalogue.ts'
import type { Action } from './define-action.ts'

const isAction = (value: unknown): value is Action => typeof value === 'object' && value !== null && 'propose' in value && 'needs' in value && 'verify' in value
const sources = readdirSync(import.meta.dirname).filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
const kebab = (snake: string) => snake.replaceAll('_', '-')
const camel = (snake: string) => snake.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
const propertiesOf = (action: Action): readonly (readonly [string, unknown])[] => {
  const { properties } = z.toJSONSchema(action.params)
  return Object.entries(properties ?? {})
}
const each = ACTIONS.map((action) => [action.name, action] as const)

describe('the catalogue of actions', () => {
  it('has every action that a file of the folder declares, and no other', async () => {
    const declared: string[] = []
    for (const file of sources) {
      const exported: Record<string, unknown> = await import(/* @vite-ignore */ `${import.meta.dirname}/${file}`)
      for (const [constant, value] of Object.entries(exported)) {
        if (!isAction(value)) continue
        declared.push(value.name)
        expect([file, constant]).toEqual([`${kebab(value.name)}.ts`, camel(value.name)])
      }
    }
    expect(ACTIONS.map((action) => action.name).sort()).toEqual(declared.sort())
  })

  it('has a test beside each action', () => {
    const tests = readdirSync(import.meta.dirname).filter((file) => file.endsWith('.test.ts'))
    expect(ACTIONS.map((action) => `${kebab(action.name)}.test.ts`).filter((file) => !tests.includes(file))).toEqual([])
  })

  it('finds by name, and nothing by the name of a prototype', () => {
    expect(findAction('scale_deployment')?.name).toBe('scale_deployment')
    expect(findAction('constructor')).toBeUndefined()
  })

  it.each(each)('%s has parameters that render as JSON schema, each with a description', (_, action) => {
    const undescribed = propertiesOf(action).filter(([, schema]) => typeof schema !== 'object' || schema === null || !('description' in schema))
    expect(undescribed).toEqual([])
    expect(z.toJSONSchema(action.params)).toMatchObject({ type: 'object', additionalProperties: false })
  })

  it.each(each)('%s stays in its namespace, and asks for no right that reaches further', (_, action) => {
    expect(action.scope).toBe('namespace')
    for (const { resource, verbs } of action.needs) {
      expect([resource, ...verbs]).not.toContain('*')
      expect(resource).not.toMatch(/^(secrets|nodes|namespaces|persistentvolumes|roles|rolebindings)/)
      expect(verbs.length).toBeGreaterThan(0)
    }
  })

  it.each(each)('%s says in one sentence what it does', (_, action) => {
    expect(action.summary).toMatch(/^[A-Z][^\n]{20,160}\.$/)
  })

  it.each(each)('%s writes only when it is more than harmless', (_, action) => {
    const writes = action.needs.some(({ verbs }) => verbs.some((verb) => !['get', 'list', 'watch'].includes(verb)))
    expect(writes).toBe(action.safety !== 'harmless')
  })
})
