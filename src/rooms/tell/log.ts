// Channel: the log. What people must know is a warning; the rest stands in the line of the closed case already.
import type { JsonObject } from '../../domain/json.ts'
import type { Channel } from './tell.ts'

export const logChannel = (log: { readonly warn: (fields: JsonObject, message: string) => void }): Channel => ({
  name: 'log',
  carries: ({ forPeople }) => forPeople,
  async send({ caseId, kind, reason, alert, namespace, action, title, why, whatToDo }) {
    log.warn({ case: caseId, kind, reason, alert, namespace, action: action ?? null, why, whatToDo }, title)
  },
})
