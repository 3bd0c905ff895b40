// A wire object as plain JSON: a copy without undefined members, fit to stand in a plan.
import * as z from 'zod'
import type { Json } from '../domain/json.ts'

const json = z.json()

export const asJson = (value: object): Json => json.parse(JSON.parse(JSON.stringify(value)))
