import fc from 'fast-check'
import { expect, it } from 'vitest'
import { parse } from 'yaml'
import { asJson } from './json-copy.ts'
import { asYaml } from './yaml-text.ts'

it('writes YAML that reads back as the same JSON, whatever the text in it', () => {
  const text = fc.oneof(fc.string(), fc.constantFrom('yes', 'null', '1e3', '0x1F', '- a', 'a: b', '#c', '', ' x', '...', 'y', '2026-01-15', "it's", 'a\nb'))
  const { json } = fc.letrec((tie) => ({
    json: fc.oneof({ depthSize: 'small' }, text, fc.integer(), fc.boolean(), fc.constant(null), tie('list'), tie('record')),
    list: fc.array(tie('json'), { maxLength: 4 }),
    record: fc.dictionary(text, tie('json'), { maxKeys: 4, noNullPrototype: true }),
  }))
  fc.assert(
    fc.property(json, (value) => {
      const plain = asJson({ value })
      expect(parse(asYaml(plain), { schema: 'core' })).toEqual(plain)
    }),
    { numRuns: 500 },
  )
})

it('writes what people are used to', () => {
  expect(asYaml({ kind: 'Pod', spec: { containers: [{ name: 'app', args: ['-v', '1'], env: [] }] } })).toBe(
    ['kind: Pod', 'spec:', '  containers:', '    - name: app', '      args:', '        - "-v"', '        - "1"', '      env: []'].join('\n'),
  )
})
