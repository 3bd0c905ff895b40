// notify_only: changes nothing and tells people. Always among the answers that may be given.
import * as z from 'zod'
import { type Health, NO_BLAST } from '../domain/plan.ts'
import { describeRef } from '../domain/target.ts'
import { defineAction } from './define-action.ts'

/** Nothing is read, so that telling people can never fail for want of a right. */
const NOT_READ: Health = {
  exists: true,
  desired: 0,
  ready: 0,
  available: 0,
  updated: 0,
  failing: 0,
  restarts: 0,
  rolledOut: false,
  good: false,
  why: 'not read: nothing is changed',
}

export const notifyOnly = defineAction({
  name: 'notify_only',
  summary: 'Change nothing; tell people what was found.',
  category: 'core',
  targets: ['*'],
  scope: 'namespace',
  safety: 'harmless',
  undoWhen: 'never',
  params: z.strictObject({ message: z.string().min(1).max(500).exactOptional().describe('What people should know, in one or two sentences') }),
  needs: [],
  async plan(object, { message }) {
    return { summary: message ?? `tell people about ${describeRef(object)}`, object, steps: [], undo: [], blast: NO_BLAST, before: NOT_READ }
  },
  async verify() {
    return { state: 'good', why: NOT_READ.why, health: NOT_READ }
  },
})
