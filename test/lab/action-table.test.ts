import { expect, it } from 'vitest'
import { readme } from './action-table.ts'

it("the lab's README says of every action who answers to it there (node test/lab/action-table.ts writes it)", () => {
  const { is, wanted } = readme()
  expect(is).toBe(wanted)
})
