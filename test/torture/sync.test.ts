// Each 2xx means: on the disk. A kill -9 cannot show that, because the page cache outlives the process; the order of the system calls can.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it, onTestFinished } from 'vitest'
import { guard, type Started, start } from '../child-processes.ts'
import { suiteNeeding } from '../suites.ts'
import { temporaryFolder } from '../temporary.ts'
import { until } from '../waiting.ts'
import { alertOf, deliver } from './deliveries.ts'
import { durabilityOf, readTrace } from './system-calls.ts'
import { PROGRAM, tornCluster } from './torn-cluster.ts'

const DOOR = fileURLToPath(new URL('durable-door.ts', import.meta.url))
const DELIVERIES = 12
const CALLS = 'trace=read,readv,recvfrom,recvmsg,write,writev,pwrite64,pwritev,sendto,sendmsg,fsync,fdatasync'

/** The strings are long enough for a whole page of the log: the alert itself is looked for in it. */
const underStrace = (trace: string, args: readonly string[]): Started =>
  start('strace', ['-f', '-tt', '-y', '-s', '4200', '-e', CALLS, '-e', 'signal=none', '-o', trace, process.execPath, ...args], { environment: { UV_USE_IO_URING: '0' } })

/** Delivers one after the other to the URL, ends the traced process, and says of each delivery what the trace shows. */
async function deliverAndJudge(traced: Started, pid: number, url: string, files: { readonly trace: string; readonly log: string }) {
  const marks = Array.from({ length: DELIVERIES }, (_, i) => `DurableDelivery${i}x`)
  for (const mark of marks) expect(await deliver(`${url}/alerts`, [alertOf({ alertname: mark, namespace: 'practice' })])).toBe(200)
  process.kill(pid, 'SIGTERM')
  await until('the traced program has ended', () => !traced.running())
  const calls = readTrace(readFileSync(files.trace, 'utf8'))
  return marks.map((mark) => durabilityOf(calls, mark, files.log))
}
const each = <T>(value: T): readonly T[] => Array.from({ length: DELIVERIES }, () => value)

suiteNeeding('strace', { programs: ['strace'], get: 'apt-get install strace' }, () => {
  async function door(synchronous: 'FULL' | 'NORMAL') {
    const folder = temporaryFolder()
    const [trace, file] = [join(folder, 'trace'), join(folder, 'history.db')]
    const traced = underStrace(trace, [DOOR, file, synchronous])
    const [, pid, url = ''] = await traced.says(/process (\d+) listens at (\S+)\n/)
    guard(Number(pid))
    return deliverAndJudge(traced, Number(pid), url, { trace, log: `${file}-wal` })
  }
  it('syncs the log after the alert is in it and before the 2xx is on the socket', async () => {
    expect(await door('FULL')).toEqual(each({ answered: true, logged: true, syncedBefore: true }))
  })
  it('would be seen to fail where commits are not synced', async () => {
    expect(await door('NORMAL')).toEqual(each({ answered: true, logged: true, syncedBefore: false }))
  })
  it('holds for the sidecar as it is run', async () => {
    const cluster = await tornCluster(onTestFinished)
    const folder = temporaryFolder()
    const [trace, file, config] = [join(folder, 'trace'), join(folder, 'history.db'), join(folder, 'alerts-slm.yaml')]
    writeFileSync(config, cluster.configuration(file))
    const traced = underStrace(trace, [PROGRAM, 'sidecar', '--config', config])
    const [, url = ''] = await traced.says(/"webhook":"([^"]+)".*ready to take alerts/)
    const pid = Number(/^\d+/.exec(readFileSync(trace, 'utf8'))?.[0])
    guard(pid)
    expect(await deliverAndJudge(traced, pid, url, { trace, log: `${file}-wal` })).toEqual(each({ answered: true, logged: true, syncedBefore: true }))
  })
})
