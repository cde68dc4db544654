import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer, get as getTls } from 'node:https'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { run } from '../../kit/run.ts'
import { capConnections } from './connection-cap.ts'

const MOST = 3

async function serve(server: Server) {
  capConnections(server, MOST)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const sockets: Socket[] = []
  const { port } = server.address() as AddressInfo
  return {
    port,
    async open(): Promise<Socket> {
      const accepted = once(server, 'connection')
      const socket = connect(port, '127.0.0.1').on('error', () => {
        // Closed by the server: the test looks at `close`.
      })
      sockets.push(socket)
      await accepted
      return socket
    },
    [Symbol.dispose]() {
      for (const socket of sockets) socket.destroy()
      server.closeAllConnections()
      server.close()
    },
  }
}

test('who only connects gives way, who is being answered does not', { timeout: 10_000 }, async () => {
  const answers: ServerResponse[] = []
  const server = createServer((_, response) => void answers.push(response))
  using here = await serve(server)
  const asks = await here.open()
  const asked = once(server, 'request')
  asks.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
  await asked
  const silent = await here.open()
  const slow = await here.open()
  slow.write('GET / HT')
  const silentEnds = once(silent, 'close')
  await here.open()
  await silentEnds
  const slowEnds = once(slow, 'close')
  await here.open()
  await slowEnds
  answers[0]?.end('answered')
  const [data] = await once(asks, 'data')
  assert.match(String(data), /answered/)
  // Between two requests it waits like the others, at the end of the line.
  const asksEnds = once(asks, 'close')
  for (let more = 0; more < MOST; more += 1) await here.open()
  await asksEnds
})

test('a request comes through a crowd of silent ones, with TLS too', { timeout: 30_000 }, async () => {
  const directory = mkdtempSync(join(tmpdir(), 'tls-'))
  try {
    const [cert, key] = [join(directory, 'cert.pem'), join(directory, 'key.pem')]
    const subject = ['-subj', '/CN=localhost', '-days', '1']
    await run(['openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', cert, ...subject])
    const tls = { cert: readFileSync(cert), key: readFileSync(key) }
    const answers: ServerResponse[] = []
    const server = createTlsServer(tls, (_, response) => void answers.push(response))
    using here = await serve(server)
    for (let round = 0; round < 2 * MOST; round += 1) {
      for (let silent = 0; silent < MOST; silent += 1) await here.open()
      const asked = once(server, 'request')
      const url = `https://127.0.0.1:${here.port}/`
      const answered = once(getTls(url, { rejectUnauthorized: false, agent: false }), 'response')
      await asked
      for (let silent = 0; silent < MOST; silent += 1) await here.open()
      answers.at(-1)?.end('answered')
      assert.equal(await text((await answered)[0]), 'answered')
    }
  } finally {
    rmSync(directory, { recursive: true })
  }
})
