import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, request, type ServerResponse } from 'node:http'
import { createServer as createRawServer, type Socket } from 'node:net'
import { after, before, describe, test } from 'node:test'
import fc from 'fast-check'
import { listenLocally, openTestProxy, type TestProxy } from './proxy-in-test.ts'

const echo = createServer((incoming, outgoing) => {
  if (incoming.url === '/stream') {
    outgoing.writeHead(200, { 'content-type': 'text/event-stream' })
    outgoing.write('data: one\n\n')
    // The second part waits for the first to have arrived.
    echo.once('go on', () => outgoing.end('data: two\n\n'))
    return
  }
  if (incoming.url === '/flood') {
    outgoing.write(Buffer.alloc(64 * 1024 * 1024))
    echo.emit('flooding', outgoing)
    return
  }
  outgoing.end(JSON.stringify({ url: incoming.url, headers: incoming.headers }))
})
/** Gives one line of text, whatever was asked, and keeps what it was asked. */
const raw = createRawServer({ allowHalfOpen: true }, (socket) => {
  socket.on('error', () => {})
  raw.emit('asked', socket)
})

describe('the proxy of an agent', { timeout: 60_000 }, () => {
  let proxy: TestProxy
  let port: number
  let rawPort: number

  before(async () => {
    port = await listenLocally(echo)
    rawPort = await listenLocally(raw)
    proxy = await openTestProxy({ endpoints: [`127.0.0.1:${port}`, `127.0.0.1:${rawPort}`, '127.0.0.1:1'] })
  })
  after(async () => {
    await proxy[Symbol.asyncDispose]()
    echo.closeAllConnections()
    echo.close()
    raw.close()
  })
  const get = (path: string, headers = 'Host: x\r\n') =>
    `GET http://127.0.0.1:${port}${path} HTTP/1.1\r\n${headers}\r\n`
  const connect = (to: number) => `CONNECT 127.0.0.1:${to} HTTP/1.1\r\nHost: 127.0.0.1:${to}\r\n\r\n`
  /** What the other side makes of a request; it answers with `answer`. */
  const exchangeWithRaw = async (bytes: string, answer: string): Promise<{ asked: string; answered: string }> => {
    const asked = once(raw, 'asked') as Promise<[Socket]>
    const answered = proxy.exchange(bytes)
    const [socket] = await asked
    let text = ''
    for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
      text += chunk
      if (text.endsWith('\r\n\r\n')) break
    }
    socket.end(answer)
    return { asked: text, answered: await answered }
  }

  test('passes plain requests on, the path as it was, without the headers of the hop', async () => {
    const hop =
      'Proxy-Authorization: secret\r\nProxy-Connection: keep-alive\r\nConnection: close, x-hop\r\nX-Hop: 1\r\n'
    const text = await proxy.exchange(get('/a/../x?y=1', `Host: evil.example\r\n${hop}X-Kept: 2\r\n`))
    assert.match(text, /^HTTP\/1\.1 200/)
    const { url, headers } = JSON.parse(text.slice(text.indexOf('{'), text.lastIndexOf('}') + 1))
    assert.equal(url, '/a/../x?y=1')
    assert.deepEqual(headers, { host: `127.0.0.1:${port}`, connection: 'close', 'x-kept': '2' })
  })

  test('passes a stream on as it comes, in a plain request', async () => {
    const socket = await proxy.open()
    socket.write(get('/stream'))
    let text = ''
    while (!text.includes('data: one')) text += (await once(socket, 'data'))[0]
    echo.emit('go on')
    while (!text.includes('data: two')) text += (await once(socket, 'data'))[0]
  })

  test('passes a stream on as it comes, in a tunnel', async () => {
    const socket = await proxy.open()
    socket.write(connect(port))
    assert.match(String((await once(socket, 'data'))[0]), /^HTTP\/1\.1 200/)
    const tunnelled = request({ path: '/stream', createConnection: () => socket }).end()
    const [response] = await once(tunnelled, 'response')
    assert.equal(String((await once(response, 'data'))[0]), 'data: one\n\n')
    echo.emit('go on')
    assert.equal(String((await once(response, 'data'))[0]), 'data: two\n\n')
    socket.destroy()
  })

  test('lets one side of a tunnel end before the other', async () => {
    const asked = once(raw, 'asked') as Promise<[Socket]>
    const socket = await proxy.open()
    socket.end(`${connect(rawPort)}question`)
    const [other] = await asked
    const question = (await other.toArray()).join('')
    other.end(`answer to ${question}`)
    assert.match((await socket.toArray()).join(''), /^HTTP\/1\.1 200 [\s\S]*\r\n\r\nanswer to question$/)
  })

  test('frames a body that came in chunks, whatever the method', async () => {
    const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n'
    const chunk = `${smuggled.length.toString(16)}\r\n${smuggled}\r\n0\r\n\r\n`
    const head = `GET http://127.0.0.1:${rawPort}/ HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n`
    const asked = once(raw, 'asked') as Promise<[Socket]>
    const answered = proxy.exchange(head + chunk)
    const [socket] = await asked
    let text = ''
    while (!text.endsWith('0\r\n\r\n')) text += (await once(socket, 'data'))[0]
    socket.end('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
    assert.match(text, /\r\ntransfer-encoding: chunked\r\n/i)
    assert.ok(text.endsWith(`\r\n\r\n${chunk}`), text)
    assert.match(await answered, /^HTTP\/1\.1 200/)
  })

  test('goes where the URL says, not where a Host header does, nor the second of two', async () => {
    const text = await proxy.exchange(get('/', 'Host: a.example\r\nHost: b.example\r\n'))
    assert.match(text, new RegExp(`"host":"127\\.0\\.0\\.1:${port}"`))
    assert.doesNotMatch(text, /\.example/)
  })

  test('takes one request on a connection: what is sent behind it goes nowhere', async () => {
    const text = await proxy.exchange(get('/first') + get('/second'))
    assert.match(text, /"url":"\/first"/)
    assert.doesNotMatch(text, /"url":"\/second"/)
  })

  test('refuses with a reason', async () => {
    const refused = ['CONNECT 127.1:22', 'CONNECT 169.254.169.254:80', 'CONNECT [::1]:22', 'GET http://10.0.0.1/']
    for (const line of refused) {
      const text = await proxy.exchange(`${line} HTTP/1.1\r\nHost: x\r\n\r\n`)
      assert.match(text, /^HTTP\/1\.1 403 Forbidden\r\n[\s\S]*\r\n\r\nhyperhive gateway: .*endpoints/, line)
    }
  })

  test('answers what is no request of a proxy client with 4xx', async () => {
    const url = `http://127.0.0.1:${port}/`
    const odd = [
      'GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n',
      `GET https://127.0.0.1:${port}/ HTTP/1.1\r\nHost: x\r\n\r\n`,
      `GET http://user:word@127.0.0.1:${port}/ HTTP/1.1\r\nHost: x\r\n\r\n`,
      `CONNECT ${url} HTTP/1.1\r\nHost: x\r\n\r\n`,
      `CONNECT user@127.0.0.1:${port} HTTP/1.1\r\nHost: x\r\n\r\n`,
      `POST ${url} HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      `POST ${url} HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd`,
      `GET ${url} HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(100_000)}\r\n\r\n`,
      `GET ${url} HTTP/1.1\r\n\r\n`,
      'nonsense\r\n\r\n',
    ]
    for (const bytes of odd) assert.match(await proxy.exchange(bytes), /^HTTP\/1\.1 4\d\d /, bytes.slice(0, 60))
  })

  test('survives whatever is sent', async () => {
    const piece = fc.oneof(
      fc.constantFrom(
        'GET ',
        'CONNECT ',
        'http://',
        '127.0.0.1',
        ':1',
        ' HTTP/1.1',
        '\r\n',
        'Host: x',
        'Expect: 100-continue',
      ),
      fc.constantFrom(
        'Transfer-Encoding: chunked',
        'Content-Length: 5',
        'Upgrade: websocket',
        'Connection: upgrade',
        '\0',
        '\xff',
      ),
      fc.string({ maxLength: 5 }),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 12 }), async (pieces) => {
        await proxy.exchange(`${pieces.join('')}\r\n\r\n\r\n\0`)
      }),
      { numRuns: 300 },
    )
    assert.match(await proxy.exchange(get('/')), /^HTTP\/1\.1 200/)
  })

  test('says 502 and why when the other side is not there, or answers no HTTP', async () => {
    assert.match(await proxy.exchange(connect(1)), /^HTTP\/1\.1 502 [\s\S]*no answer from 127\.0\.0\.1: .*ECONNREFUSED/)
    const plain = 'GET http://127.0.0.1:1/ HTTP/1.1\r\nHost: x\r\n\r\n'
    assert.match(await proxy.exchange(plain), /^HTTP\/1\.1 502 [\s\S]*ECONNREFUSED/)
    for (const answer of [
      '',
      'nonsense\r\n\r\n',
      'HTTP/1.1 000 None\r\n\r\n',
      'HTTP/1.1 101 Up\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n',
    ]) {
      const { answered } = await exchangeWithRaw(`GET http://127.0.0.1:${rawPort}/ HTTP/1.1\r\nHost: x\r\n\r\n`, answer)
      assert.match(answered, /^HTTP\/1\.1 502 [\s\S]*hyperhive gateway: /, answer)
    }
  })

  test('cuts a response short that was cut short', async () => {
    const bytes = `GET http://127.0.0.1:${rawPort}/ HTTP/1.1\r\nHost: x\r\n\r\n`
    const ended = proxy.ended()
    const { answered } = await exchangeWithRaw(bytes, 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort')
    assert.match(answered, /content-length: 9\r\n[\s\S]*\r\n\r\nshort$/)
    assert.equal((await ended).verdict, 'failed')
  })

  test('lets the other side wait while its response is not read', async () => {
    const flooding = once(echo, 'flooding') as Promise<[ServerResponse]>
    const socket = await proxy.open()
    socket.write(get('/flood'))
    const [response] = await flooding
    for (let round = 0; round < 20; round += 1) assert.match(await proxy.exchange(get('/')), /^HTTP\/1\.1 200/)
    assert.ok((response.socket?.writableLength ?? 0) > 32 * 1024 * 1024)
    socket.destroy()
  })

  test('tells of each request where it went and how much, once it has ended', async () => {
    const ended = proxy.ended()
    await proxy.exchange(get('/secret?key=1', 'Host: x\r\nAuthorization: secret\r\n'))
    const entry = await ended
    assert.ok(entry.bytesUp > 50 && entry.bytesDown > 100)
    assert.deepEqual(
      { ...entry, bytesUp: 0, bytesDown: 0 },
      { host: '127.0.0.1', port, verdict: 'passed', reason: undefined, bytesUp: 0, bytesDown: 0 },
    )
    const refused = proxy.ended()
    await proxy.exchange('CONNECT /secret HTTP/1.1\r\nHost: x\r\n\r\n')
    const { host, verdict, reason } = await refused
    assert.deepEqual({ host, verdict }, { host: null, verdict: 'refused' })
    assert.doesNotMatch(String(reason), /secret/)
  })
})

describe('the limits of a proxy', { timeout: 60_000 }, () => {
  test('end a connection whose request does not come', async () => {
    await using proxy = await openTestProxy({ endpoints: [], limits: { headTimeoutMs: 100 } })
    assert.match(await proxy.exchange('GET http://slow.example/ HTTP/1.1\r\nX: '), /^HTTP\/1\.1 408|^HTTP\/1\.1 400|^$/)
    await proxy.exchange('')
  })

  test('close connections beyond what one agent may have, and let it go on with fewer', async () => {
    await using proxy = await openTestProxy({ endpoints: [], limits: { connections: 2 } })
    const held = [await proxy.open(), await proxy.open()]
    assert.equal(await proxy.exchange('CONNECT 127.0.0.1:1 HTTP/1.1\r\nHost: x\r\n\r\n'), '')
    for (const socket of held)
      assert.match(
        await new Promise((resolve) => {
          socket.once('data', (chunk) => resolve(String(chunk)))
          socket.write('CONNECT 127.0.0.1:1 HTTP/1.1\r\nHost: x\r\n\r\n')
        }),
        /^HTTP\/1\.1 403/,
      )
  })
})

describe('a name that a proxy looks up', { timeout: 60_000 }, () => {
  test('is looked up once: where it points to afterwards does not matter', async () => {
    const server = createServer((_incoming, outgoing) => outgoing.end('the one that was judged'))
    const port = await listenLocally(server)
    const answers = [['127.0.0.1'], ['127.0.0.2']]
    await using proxy = await openTestProxy({
      endpoints: [`moving.example:${port}`],
      lookUpEndpoint: async () => answers.shift() ?? [],
    })
    const text = await proxy.exchange(`GET http://moving.example:${port}/ HTTP/1.1\r\nHost: x\r\n\r\n`)
    assert.match(text, /the one that was judged/)
    assert.equal(answers.length, 1)
    server.close()
  })

  test('counts by what is allowed when it is found, not when it was asked for', async () => {
    const server = createRawServer(() => assert.fail('it is closed by now'))
    const port = await listenLocally(server)
    const endpoints = [`slow.example:${port}`]
    const asked = Promise.withResolvers<void>()
    const lookedUp = Promise.withResolvers<string[]>()
    await using proxy = await openTestProxy({
      endpoints,
      lookUpEndpoint: () => {
        asked.resolve()
        return lookedUp.promise
      },
    })
    const answer = proxy.exchange(`CONNECT slow.example:${port} HTTP/1.1\r\nHost: x\r\n\r\n`)
    await asked.promise
    endpoints.pop()
    lookedUp.resolve(['127.0.0.1'])
    assert.match(await answer, /^HTTP\/1\.1 (403|502)/)
    server.close()
  })

  test('opens no connection for one who has gone in the meantime, nor after its end', async () => {
    const server = createRawServer(() => assert.fail('nobody is there to use it'))
    const port = await listenLocally(server)
    const leavings = {
      [`GET http://slow.example:${port}/`]: async (proxy: TestProxy, socket: Socket) => {
        socket.destroy()
        // A round trip on the same loop: its end was seen by then.
        await proxy.exchange('nonsense\r\n\r\n')
      },
      [`CONNECT slow.example:${port}`]: (proxy: TestProxy) => proxy[Symbol.asyncDispose](),
    }
    for (const [line, leave] of Object.entries(leavings)) {
      const asked = Promise.withResolvers<void>()
      const lookedUp = Promise.withResolvers<string[]>()
      const proxy = await openTestProxy({
        endpoints: [`slow.example:${port}`],
        lookUpEndpoint: () => {
          asked.resolve()
          return lookedUp.promise
        },
      })
      const ended = proxy.ended()
      const socket = await proxy.open()
      socket.write(`${line} HTTP/1.1\r\nHost: x\r\n\r\n`)
      await asked.promise
      await leave(proxy, socket)
      lookedUp.resolve(['127.0.0.1'])
      assert.equal((await ended).reason, 'who asked has gone', line)
      await proxy[Symbol.asyncDispose]()
    }
    server.close()
  })
})
