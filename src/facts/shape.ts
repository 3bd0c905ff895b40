// Shapes that facts share: units in words, and parts of a value that may be unknown by themselves.
import * as z from 'zod'
import type { Json } from '../domain/json.ts'

/** A part that could not be read; the rest of the value still counts. It has an id, so that it is not written out at every field. */
export const UNKNOWN = z.strictObject({ unknown: z.string() }).meta({ id: 'Unknown', description: 'it could not be read, and why' })
export const knowable = <S extends z.ZodType<Json>>(schema: S) => z.union([schema, UNKNOWN])

export const seconds = (what: string) => z.number().nonnegative().describe(`${what}, seconds`)
export const bytes = (what: string) => z.number().nonnegative().describe(`${what}, bytes`)
export const cores = (what: string) => z.number().nonnegative().describe(`${what}, CPU cores`)
export const count = (what: string) => z.number().int().nonnegative().describe(`${what}, count`)
export const share = (what: string) => z.number().nonnegative().describe(`${what}, 0 to 1 (above 1 where more is used than allowed)`)
export const words = (what: string) => z.array(z.string()).describe(what)
export const text = (what: string) => z.string().describe(what)
export const yes = (what: string) => z.boolean().describe(what)

/** How a condition writes a span of time: `90s`, `15m`, `24h`. */
export const WINDOW = z
  .string()
  .regex(/^(?:\d+(?:ms|[smhdw]))+$/, 'a duration such as 15m or 24h')
  .describe('a duration such as 15m or 24h')
