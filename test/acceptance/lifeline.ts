// The ports of one app, with a knife: once cut, no timer of it runs and no answer reaches it, as after kill -9. What had reached
// the store or the network before stays there.
import type { Http, HttpResponse, Ports } from '../../src/domain/ports.ts'

export interface Lifeline {
  readonly ports: Ports
  cut(): void
  readonly isCut: boolean
  /** How many times it has touched the world: a request sent, an answer taken, a timer run. Watches do not count. */
  readonly steps: number
  /** Cuts when it is about to take this step, counted from now. */
  cutAt(step: number): void
}

const never = (): Promise<never> => new Promise(() => {})
const isWatch = (url: string): boolean => url.includes('watch=true')

export function lifeline(ports: Ports): Lifeline {
  let isCut = false
  let steps = 0
  let fatal = Number.POSITIVE_INFINITY
  const step = (): boolean => {
    if (++steps >= fatal) isCut = true
    return !isCut
  }
  const http: Http = async (request) => {
    const counted = !isWatch(request.url)
    if (isCut || (counted && !step())) return never()
    const answer = await ports.http()(request)
    return isCut || (counted && !step()) ? never() : through(answer)
  }
  const through = (answer: HttpResponse): HttpResponse => ({
    ...answer,
    async text() {
      const text = await answer.text()
      return isCut ? never() : text
    },
    async *chunks() {
      for await (const chunk of answer.chunks()) {
        if (isCut) return
        yield chunk
      }
    },
  })
  const run = (work: () => void) => () => {
    if (!isCut && step()) work()
  }
  return {
    ports: { ...ports, timers: { after: (milliseconds, work) => ports.timers.after(milliseconds, run(work)), soon: (work) => ports.timers.soon(run(work)) }, http: () => http },
    cut() {
      isCut = true
    },
    get isCut() {
      return isCut
    },
    get steps() {
      return steps
    },
    cutAt(at) {
      fatal = steps + at
    },
  }
}
