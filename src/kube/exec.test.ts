import { createHash } from 'node:crypto'
import { createServer } from 'node:http'
import type { Duplex } from 'node:stream'
import { describe, expect, it, onTestFinished } from 'vitest'
import { manualPorts } from '../../test/manual-ports.ts'
import { realPorts } from '../ports.ts'
import { connect } from './connect.ts'

/** A short binary frame of the server, its first byte the channel. */
function frame(channel: number, text: string): Buffer {
  const payload = Buffer.concat([Buffer.from([channel]), Buffer.from(text)])
  const length = payload.length < 126 ? [payload.length] : [126, payload.length >> 8, payload.length & 0xff]
  return Buffer.concat([Buffer.from([0x82, ...length]), payload])
}
const success = JSON.stringify({ kind: 'Status', status: 'Success' })
const exited = (code: number) =>
  JSON.stringify({
    kind: 'Status',
    status: 'Failure',
    reason: 'NonZeroExitCode',
    message: 'command terminated',
    details: { causes: [{ reason: 'ExitCode', message: String(code) }] },
  })

/** An API server that knows nothing but the WebSocket of exec, as RFC 6455 and the channel protocol want it. */
async function execServer(play: (socket: Duplex) => void, refusal?: number) {
  const asked: { readonly url: string; readonly authorization: string | undefined }[] = []
  const server = createServer()
  server.on('upgrade', (request, socket) => {
    asked.push({ url: request.url ?? '', authorization: request.headers.authorization })
    socket.on('error', () => {})
    if (refusal !== undefined) return void socket.end(`HTTP/1.1 ${refusal} No\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
    const accept = createHash('sha1').update(`${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\nSec-WebSocket-Protocol: v5.channel.k8s.io\r\n\r\n`,
    )
    play(socket)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close().closeAllConnections())
  const address = server.address()
  const url = `http://127.0.0.1:${address !== null && typeof address === 'object' ? address.port : 0}`
  return { asked, url }
}
const COMMAND = { namespace: 'team-a', pod: 'web-1', container: 'main', argv: ['redis-cli', 'config get', 'maxmemory'] } as const

describe('a command in a container', () => {
  it('runs as given, never through a shell, and its output and exit code come back', async () => {
    const { asked, url } = await execServer((socket) => socket.write(Buffer.concat([frame(1, 'out 1\n'), frame(2, 'err\n'), frame(1, 'out 2\n'), frame(3, success)])))
    const { exec } = await connect({ server: url, token: 's3cret' }, realPorts)
    expect(await exec(COMMAND)).toEqual({ exitCode: 0, stdout: 'out 1\nout 2\n', stderr: 'err\n' })
    const { pathname, searchParams } = new URL(asked[0]?.url ?? '', url)
    expect(pathname).toBe('/api/v1/namespaces/team-a/pods/web-1/exec')
    expect(searchParams.getAll('command')).toEqual(COMMAND.argv)
    expect(searchParams.get('container')).toBe('main')
    expect(asked[0]?.authorization).toBe('Bearer s3cret')
  })

  it('that fails is an answer', async () => {
    const { url } = await execServer((socket) => socket.write(Buffer.concat([frame(2, 'no\n'), frame(3, exited(3))])))
    expect(await (await connect({ server: url }, realPorts)).exec(COMMAND)).toEqual({ exitCode: 3, stdout: '', stderr: 'no\n' })
  })

  it('keeps no more output than it must', async () => {
    const { url } = await execServer((socket) => {
      for (let i = 0; i < 20; i++) socket.write(frame(1, 'x'.repeat(10_000)))
      socket.write(frame(3, success))
    })
    expect((await (await connect({ server: url }, realPorts)).exec(COMMAND)).stdout).toHaveLength(65_536)
  })

  it.each([
    [403, 'CLUSTER_FORBIDDEN'],
    [404, 'CLUSTER_NOT_FOUND'],
    [500, 'CLUSTER_ERROR'],
  ])('that is refused with %i did not run', async (status, code) => {
    const { url } = await execServer(() => {}, status)
    await expect((await connect({ server: url, token: 's3cret' }, realPorts)).exec(COMMAND)).rejects.toMatchObject({ code, message: expect.not.stringContaining('s3cret') })
  })

  it('did not run when nobody listens', async () => {
    const { exec } = await connect({ server: 'http://127.0.0.1:1' }, realPorts)
    await expect(exec(COMMAND)).rejects.toMatchObject({ code: 'CLUSTER_UNREACHABLE' })
  })

  it('may have run when the connection breaks', async () => {
    const { url } = await execServer((socket) => socket.end(frame(1, 'half')))
    await expect((await connect({ server: url }, realPorts)).exec(COMMAND)).rejects.toMatchObject({ code: 'CLUSTER_ANSWER_UNKNOWN' })
  })

  it('may have run when it takes too long', async () => {
    const started = Promise.withResolvers<void>()
    const { url } = await execServer(() => started.resolve())
    const ports = manualPorts()
    const { exec } = await connect({ server: url }, ports)
    const ran = exec({ ...COMMAND, timeoutMs: 1_000 })
    await started.promise
    await Promise.all([expect(ran).rejects.toMatchObject({ code: 'CLUSTER_ANSWER_UNKNOWN', message: expect.stringContaining('1000 ms') }), ports.advance(1_000)])
  })
})
