import { describe, expect, it } from 'vitest'
import { changedFields, type FieldsEntry, ownsField, readManagedFields, valueAt } from './managed-fields.ts'

const deployment = {
  metadata: { annotations: { 'example.com/a~b': 'x' } },
  spec: {
    replicas: 2,
    template: {
      metadata: { annotations: { team: 'a' } },
      spec: {
        nodeSelector: { disk: 'ssd' },
        containers: [
          { name: 'proxy', image: 'proxy:1', resources: {} },
          { name: 'app', image: 'app:1', resources: { limits: { memory: '256Mi' } }, args: ['a'] },
        ],
      },
    },
  },
}
const entry = (fields: FieldsEntry['fields']): FieldsEntry => ({ manager: 'm', operation: 'Apply', fields })
const container = (name: string, fields: FieldsEntry['fields']) => ({ 'f:spec': { 'f:template': { 'f:spec': { 'f:containers': { [`k:{"name":"${name}"}`]: fields } } } } })

describe('who keeps a field', () => {
  it('finds a field by name, and not its neighbours', () => {
    const replicas = entry({ 'f:spec': { 'f:replicas': {} } })
    expect(ownsField(replicas, deployment, '/spec/replicas')).toBe(true)
    expect(ownsField(replicas, deployment, '/spec/paused')).toBe(false)
  })

  it('finds list elements by their key, whatever place they have', () => {
    const app = entry(container('app', { '.': {}, 'f:resources': { 'f:limits': { 'f:memory': {} } } }))
    expect(ownsField(app, deployment, '/spec/template/spec/containers/1/resources/limits/memory')).toBe(true)
    expect(ownsField(app, deployment, '/spec/template/spec/containers/0/resources/limits/memory')).toBe(false)
    expect(ownsField(app, deployment, '/spec/template/spec/containers/1/resources/limits/cpu')).toBe(false)
  })

  it('takes the owner of the empty map for no owner of what is put into it', () => {
    const empty = entry(container('proxy', { 'f:resources': {} }))
    expect(ownsField(empty, deployment, '/spec/template/spec/containers/0/resources/limits/memory')).toBe(false)
    const annotations = entry({ 'f:spec': { 'f:template': { 'f:metadata': { 'f:annotations': { '.': {}, 'f:team': {} } } } } })
    expect(ownsField(annotations, deployment, '/spec/template/metadata/annotations/kubectl.kubernetes.io~1restartedAt')).toBe(false)
    expect(ownsField(annotations, deployment, '/spec/template/metadata/annotations/team')).toBe(true)
  })

  it('takes the owner of an atomic value for the owner of all of it', () => {
    const atomic = entry({ 'f:spec': { 'f:template': { 'f:spec': { 'f:nodeSelector': {} } } } })
    expect(ownsField(atomic, deployment, '/spec/template/spec/nodeSelector/disk')).toBe(true)
  })

  it('takes the owner of something below for an owner of the whole', () => {
    expect(ownsField(entry({ 'f:spec': { 'f:template': { 'f:spec': {} } } }), deployment, '/spec/template')).toBe(true)
  })

  it('understands escaped keys', () => {
    expect(valueAt(deployment, '/metadata/annotations/example.com~1a~0b')).toBe('x')
    expect(ownsField(entry({ 'f:metadata': { 'f:annotations': { 'f:example.com/a~b': {} } } }), deployment, '/metadata/annotations/example.com~1a~0b')).toBe(true)
  })

  it('says so when an entry cannot be understood', () => {
    expect(readManagedFields([{ manager: 'm', operation: 'Update', fieldsV1: { 'f:spec': {} } }])).toHaveLength(1)
    expect(readManagedFields([{ manager: 'm', operation: 'Update', fieldsV1: 'x' }])).toBeUndefined()
    expect(readManagedFields([{ operation: 'Update', fieldsV1: {} }])).toBeUndefined()
  })
})

describe('what a change really changes', () => {
  const template = deployment.spec.template
  it('names only the leaves that differ when a whole template is replaced', () => {
    const after = structuredClone(template)
    const app = after.spec.containers[1]
    if (app) app.image = 'app:2'
    expect(changedFields(template, after, '/spec/template')).toEqual(['/spec/template/spec/containers/1/image'])
  })

  it('names the list where its elements changed places or number', () => {
    const after = structuredClone(template)
    after.spec.containers.reverse()
    expect(changedFields(template, after, '/spec/template')).toEqual(['/spec/template/spec/containers'])
  })

  it('names what comes and what goes', () => {
    expect(changedFields(undefined, { limits: { memory: '1Gi' } }, '/r')).toEqual(['/r/limits/memory'])
    expect(changedFields({ a: { b: 1 } }, undefined, '')).toEqual(['/a/b'])
    expect(changedFields({ a: 1, b: 2 }, { b: 2, a: 1 }, '')).toEqual([])
  })
})
