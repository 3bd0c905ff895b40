// What strace wrote (-f -y), as a list of calls in order. A call that another thread interrupted stands in two lines: it begins at the
// first and ends at the second.

export interface SystemCall {
  readonly thread: string
  readonly name: string
  /** Of the file, pipe or socket that the first argument names: its path, or what strace calls it. */
  readonly on: string
  /** As strace printed it; texts are escaped. */
  readonly args: string
  readonly result: string
  /** Line numbers: what ended in a lower line than another began came before it. */
  readonly began: number
  readonly ended: number
}

const LINE = /^(\d+)\s+(?:[\d:.]+\s+)?(.*)$/
const UNFINISHED = /^(\w+)\((.*)<unfinished \.\.\.>$/
const RESUMED = /^<\.\.\. (\w+) resumed>(.*)$/
const WHOLE = /^(\w+)\((.*)\)\s+= (.+)$/
const REST = /^(.*)\)\s+= (.+)$/

export function readTrace(text: string): readonly SystemCall[] {
  const open = new Map<string, { readonly name: string; readonly args: string; readonly began: number }>()
  const calls: SystemCall[] = []
  for (const [at, line] of text.split('\n').entries()) {
    const [, thread = '', said = ''] = LINE.exec(line) ?? []
    const [, unfinished, begun] = UNFINISHED.exec(said) ?? []
    if (unfinished !== undefined) {
      open.set(thread, { name: unfinished, args: begun ?? '', began: at })
      continue
    }
    const [, resumed, tail] = RESUMED.exec(said) ?? []
    const before = resumed === undefined ? undefined : open.get(thread)
    if (before) open.delete(thread)
    const [, name = before?.name, args = '', result = ''] = (before ? undefined : WHOLE.exec(said)) ?? ['', before?.name, ...(REST.exec(tail ?? '')?.slice(1) ?? [])]
    if (name === undefined || result === '') continue
    const all = `${before?.args ?? ''}${args}`
    calls.push({ thread, name, on: /^\d+<([^>]*)>/.exec(all)?.[1] ?? '', args: all, result, began: before?.began ?? at, ended: at })
  }
  return calls
}

const WRITES: readonly string[] = ['write', 'writev', 'pwrite64', 'pwritev', 'sendto', 'sendmsg']
const SYNCS: readonly string[] = ['fsync', 'fdatasync']
const READS: readonly string[] = ['read', 'readv', 'recvfrom', 'recvmsg']

export interface Durability {
  readonly answered: boolean
  readonly logged: boolean
  /** A sync of the log began after the alert was in it and had ended when the answer was written. */
  readonly syncedBefore: boolean
}

/** Of one delivery, known by a text that nothing else carries: what lay on the disk when its 2xx was written to the socket. */
export function durabilityOf(calls: readonly SystemCall[], mark: string, log: string): Durability {
  const request = calls.find(({ name, on, args }) => READS.includes(name) && on.startsWith('socket:') && args.includes(mark))
  const answer = calls.find(({ name, on, began, args }) => request && WRITES.includes(name) && on === request.on && began > request.ended && /"HTTP\/1\.1 2\d\d /.test(args))
  const logged = calls.find(({ name, on, args }) => WRITES.includes(name) && on === log && args.includes(mark))
  const sync = calls.find(({ name, on, result, began }) => logged && SYNCS.includes(name) && on === log && result === '0' && began > logged.ended)
  return {
    answered: answer !== undefined,
    logged: logged !== undefined && answer !== undefined && logged.ended < answer.began,
    syncedBefore: sync !== undefined && answer !== undefined && sync.ended < answer.began,
  }
}
