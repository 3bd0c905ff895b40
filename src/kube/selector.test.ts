import { describe, expect, it } from 'vitest'
import { parseLabelSelector } from './selector.ts'

const labels = { app: 'web', tier: 'front', 'app.kubernetes.io/name': 'web' }

describe('a label selector on held objects', () => {
  it.each([
    ['', true],
    ['app=web', true],
    ['app==web', true],
    ['app=api', false],
    ['app!=api', true],
    ['app!=web', false],
    ['absent!=web', true],
    ['app', true],
    ['absent', false],
    ['!absent', true],
    ['!app', false],
    ['app in (api, web)', true],
    ['app in (api)', false],
    ['absent in (api)', false],
    ['app notin (api,web)', false],
    ['absent notin (api)', true],
    ['app=web,tier in (front,back),!absent', true],
    ['app=web,tier in (back),!absent', false],
    ['app.kubernetes.io/name=web', true],
    ['constructor', false],
    ['absent=', false],
  ])('%s is %s', (selector, fits) => {
    expect(parseLabelSelector(selector)?.(labels)).toBe(fits)
  })

  it.each(['a b', 'tier gt (3)', 'a=b=c'])('does not guess at %s', (selector) => {
    expect(parseLabelSelector(selector)).toBeUndefined()
  })
})
