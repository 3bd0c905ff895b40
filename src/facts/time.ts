// The time at which the case is judged, for rules that hold only at some hours.
import * as z from 'zod'
import { unknown } from '../domain/unknown.ts'
import { defineFact, type Fact } from './define-fact.ts'

const WEEKDAYS = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'] as const

/** undefined for a name that the platform does not know; the list of supported names leaves out the aliases that people write. */
function formatIn(timeZone: string): Intl.DateTimeFormat | undefined {
  try {
    return new Intl.DateTimeFormat('en-GB', { timeZone, weekday: 'long', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}

export const time: Fact = defineFact({
  name: 'time',
  group: 'time',
  summary: 'the hour and the weekday, in UTC unless a time zone is named',
  schema: z.object({
    hour: z.number().int().min(0).max(23).describe('hour of the day, 0 to 23'),
    minute: z.number().int().min(0).max(59).describe('minute of the hour'),
    weekday: z.enum(WEEKDAYS).describe('day of the week in English'),
    weekend: z.boolean().describe('Saturday or Sunday'),
  }),
  params: z.strictObject({ timezone: z.string().default('UTC').describe('a name of the IANA data base, such as Europe/Berlin') }),
  cost: 0,
  ofCluster: false,
  read: ({ now }, { timezone }) => {
    const format = formatIn(timezone)
    if (!format) return unknown(`there is no time zone ${timezone}`)
    const part = (type: 'weekday' | 'hour' | 'minute'): string => format.formatToParts(now).find((p) => p.type === type)?.value ?? ''
    const weekday = WEEKDAYS.find((day) => day === part('weekday')) ?? 'Monday'
    return { hour: Number(part('hour')), minute: Number(part('minute')), weekday, weekend: weekday === 'Saturday' || weekday === 'Sunday' }
  },
})
