import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { createServer, request, type Server } from 'node:http'
import { type AddressInfo, createConnection, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { connectOps, type OpConnection } from '../kit/op-client.ts'
import type { HiveError } from '../wire/errors.ts'
import { gatewayOps } from '../wire/gateway-ops.ts'

const PROGRAM = join(import.meta.dirname, 'main.ts')

describe('the egress gateway', { timeout: 60_000 }, () => {
  const directory = mkdtempSync(join(tmpdir(), 'gateway-'))
  const control = join(directory, 'control.sock')
  const log = join(directory, 'requests.log')
  const socketOf = (agent: string) => join(directory, agent, 'egress.sock')
  let origin: Server
  let port: number
  let process_: ChildProcess
  let connection: OpConnection<typeof gatewayOps>

  const startGateway = async () => {
    const argv = [
      PROGRAM,
      '--control',
      control,
      '--config',
      join(directory, 'config.json'),
      '--log',
      log,
      '--revision',
      'r1',
    ]
    process_ = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'inherit'] })
    await once(process_.stdout as NodeJS.ReadableStream, 'data')
    connection = await connectOps(gatewayOps, control)
  }
  const configure = (agents: { name: string; allow?: string[] }[]) => {
    for (const { name } of agents) mkdirSync(join(directory, name), { recursive: true })
    return connection.call.configure({
      agents: agents.map(({ name, allow }) => ({ name, socket: socketOf(name), allow })),
      endpoints: [`127.0.0.1:${port}`],
    })
  }
  const open = async (agent: string): Promise<Socket> => {
    const socket = createConnection(socketOf(agent))
    await once(socket, 'connect')
    socket.on('error', () => {})
    return socket
  }
  /** Sends raw bytes, gives what came back until the other side ended it. */
  const exchange = async (agent: string, bytes: string): Promise<string> => {
    const socket = await open(agent)
    let text = ''
    socket.on('data', (chunk) => {
      text += chunk
    })
    const ended = new Promise((resolve) => socket.once('close', resolve))
    socket.write(bytes)
    await ended
    return text
  }

  before(async () => {
    origin = createServer((incoming, outgoing) => {
      if (incoming.url === '/stream') {
        outgoing.writeHead(200, { 'content-type': 'text/event-stream' })
        outgoing.write('data: one\n\n')
        // The second part waits for the first to have arrived.
        origin.once('go on', () => outgoing.end('data: two\n\n'))
        return
      }
      outgoing.end(JSON.stringify({ url: incoming.url, headers: incoming.headers }))
    })
    origin.listen(0, '127.0.0.1')
    await once(origin, 'listening')
    port = (origin.address() as AddressInfo).port
    await startGateway()
    await configure([{ name: 'alice' }, { name: 'bob', allow: ['example.com'] }])
  })
  after(async () => {
    connection.close()
    process_.kill('SIGTERM')
    await once(process_, 'exit')
    origin.close()
    origin.closeAllConnections()
    rmSync(directory, { recursive: true })
  })

  test('passes plain requests to a configured endpoint, without the headers of the hop', async () => {
    const text = await exchange(
      'alice',
      `GET http://127.0.0.1:${port}/x?y=1 HTTP/1.1\r\nHost: evil.example\r\nProxy-Authorization: secret\r\nConnection: close, x-hop\r\nX-Hop: 1\r\nX-Kept: 2\r\n\r\n`,
    )
    assert.match(text, /^HTTP\/1\.1 200/)
    const { url, headers } = JSON.parse(text.slice(text.indexOf('{'), text.lastIndexOf('}') + 1))
    assert.equal(url, '/x?y=1')
    assert.equal(headers.host, `127.0.0.1:${port}`)
    assert.equal(headers['x-kept'], '2')
    assert.equal(headers['x-hop'] ?? headers['proxy-authorization'], undefined)
  })

  test('tunnels, and lets a stream through as it comes', async () => {
    const socket = await open('alice')
    socket.write(`CONNECT 127.0.0.1:${port} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`)
    const [head] = await once(socket, 'data')
    assert.match(String(head), /^HTTP\/1\.1 200/)
    const tunnelled = request({ path: '/stream', createConnection: () => socket })
    tunnelled.end()
    const [response] = await once(tunnelled, 'response')
    const [first] = await once(response, 'data')
    assert.equal(String(first), 'data: one\n\n')
    origin.emit('go on')
    const [second] = await once(response, 'data')
    assert.equal(String(second), 'data: two\n\n')
    socket.destroy()
  })

  test('refuses what is not public, with a reason, and what is no proxy request', async () => {
    const refused = [
      'CONNECT 127.0.0.1:22 HTTP/1.1\r\nHost: x\r\n\r\n',
      'CONNECT 169.254.169.254:80 HTTP/1.1\r\nHost: x\r\n\r\n',
      'GET http://localhost:1/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
    ]
    for (const bytes of refused)
      assert.match(await exchange('alice', bytes), /^HTTP\/1\.1 403[\s\S]*not a public address/)
    assert.match(
      await exchange('bob', 'CONNECT 8.8.8.8:53 HTTP/1.1\r\nHost: x\r\n\r\n'),
      /^HTTP\/1\.1 403[\s\S]*egress list/,
    )
    const odd = [
      'GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n',
      `POST http://127.0.0.1:${port}/ HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      `GET http://127.0.0.1:${port}/ HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(100_000)}\r\n\r\n`,
      'nonsense\r\n\r\n',
    ]
    for (const bytes of odd) assert.match(await exchange('alice', bytes), /^HTTP\/1\.1 4\d\d/, bytes.slice(0, 60))
  })

  test('says when the other side is not there', async () => {
    await connection.call.configure({
      agents: [
        { name: 'alice', socket: socketOf('alice') },
        { name: 'bob', socket: socketOf('bob') },
      ],
      endpoints: ['127.0.0.1:1', `127.0.0.1:${port}`],
    })
    assert.match(await exchange('alice', 'CONNECT 127.0.0.1:1 HTTP/1.1\r\nHost: x\r\n\r\n'), /^HTTP\/1\.1 502/)
    assert.match(
      await exchange('alice', 'GET http://127.0.0.1:1/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'),
      /^HTTP\/1\.1 502/,
    )
  })

  test('counts and logs requests, without what may be secret', async () => {
    await exchange('alice', `GET http://127.0.0.1:${port}/secret-path HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)
    const { agents } = await connection.call.counts({})
    assert.ok((agents.alice?.allowed ?? 0) > 0 && (agents.alice?.refused ?? 0) > 0)
    const text = readFileSync(log, 'utf8')
    assert.doesNotMatch(text, /secret/)
    const lines = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    assert.ok(lines.some(({ agent, verdict }) => agent === 'alice' && verdict === 'passed'))
  })

  test('goes on with the same configuration after it was killed', async () => {
    process_.kill('SIGKILL')
    await once(process_, 'exit')
    await startGateway()
    assert.match(
      await exchange('alice', `GET http://127.0.0.1:${port}/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`),
      /200 OK/,
    )
  })

  test('takes a thousand connections of one agent without harm to another', async () => {
    const flood: Socket[] = []
    while (flood.length < 1000) flood.push(await open('bob'))
    assert.match(
      await exchange('alice', `GET http://127.0.0.1:${port}/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`),
      /200 OK/,
    )
    for (const socket of flood) socket.destroy()
  })

  test('closes the socket of an agent that is gone, and keeps others from its own', async () => {
    assert.equal(statSync(socketOf('alice')).mode & 0o777, 0o660)
    await configure([{ name: 'alice' }])
    await assert.rejects(open('bob'))
    await assert.rejects(
      connection.call.configure({ agents: [], endpoints: ['nonsense'] }),
      (error: HiveError) => error.code === 'bad_input',
    )
  })
})
