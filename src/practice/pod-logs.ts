// What containers wrote: the text behind `pods/log`.

const keyOf = (pod: string, container: string, previous: boolean): string => `${pod} ${container}${previous ? ' previous' : ''}`

export class PodLogs {
  readonly #texts = new Map<string, string>()
  set(pod: string, container: string, previous: boolean, text: string): void {
    this.#texts.set(keyOf(pod, container, previous), text)
  }
  append(pod: string, container: string, text: string): void {
    this.set(pod, container, false, `${this.get(pod, container, false) ?? ''}${text}`)
  }
  get(pod: string, container: string, previous: boolean): string | undefined {
    return this.#texts.get(keyOf(pod, container, previous))
  }
}
