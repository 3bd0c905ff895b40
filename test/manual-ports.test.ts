import { expect, test } from 'vitest'
import { pause } from '../src/domain/ports.ts'
import { manualPorts, START } from './manual-ports.ts'

test('timers run in the order of their time, each with its own now, and not before', async () => {
  const ports = manualPorts()
  const seen: string[] = []
  ports.timers.after(20, () => seen.push(`b ${ports.clock.now() - START}`))
  ports.timers.after(10, () => seen.push(`a ${ports.clock.now() - START}`))
  const cancel = ports.timers.after(15, () => seen.push('cancelled'))
  cancel()
  await ports.advance(9)
  expect(seen).toEqual([])
  await ports.advance(100)
  expect(seen).toEqual(['a 10', 'b 20'])
  expect(ports.clock.elapsed()).toBe(109)
})

test('what a timer starts goes on before the next timer runs, and may set timers that are due in the same advance', async () => {
  const ports = manualPorts()
  const seen: number[] = []
  async function work() {
    for (let i = 0; i < 3; i++) {
      await pause(ports.timers, 10)
      seen.push(ports.clock.elapsed())
    }
  }
  const done = work()
  ports.timers.after(15, () => ports.timers.soon(() => seen.push(-1)))
  await ports.advance(30)
  await done
  expect(seen).toEqual([10, -1, 20, 30])
})

test('until stops at the first step at which the condition holds, and says so when it never does', async () => {
  const ports = manualPorts()
  await ports.until(() => ports.clock.elapsed() >= 100)
  expect(ports.clock.elapsed()).toBe(100)
  await expect(ports.until(() => false, 200)).rejects.toThrow('not so within 200 ms')
})

test('a jump of the wall clock fires no timer', async () => {
  const ports = manualPorts()
  let fired = false
  ports.timers.after(50, () => {
    fired = true
  })
  ports.jump(3_600_000)
  await ports.advance(49)
  expect(fired).toBe(false)
  expect(ports.clock.now() - START).toBe(3_600_049)
})

test('the same seed draws the same chance', () => {
  const draw = (seed: number) => [manualPorts({ seed }).random.next(), manualPorts({ seed }).random.next()]
  expect(draw(7)[0]).toBe(draw(7)[1])
  expect(draw(7)[0]).not.toBe(draw(8)[0])
})
