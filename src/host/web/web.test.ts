import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { run } from '../../kit/run.ts'
import { HiveError } from '../../wire/errors.ts'
import { openTestWeb } from './web-in-test.ts'

type TestWeb = Awaited<ReturnType<typeof openTestWeb>>

const call = (hive: TestWeb, op: string, body: string) =>
  fetch(`${hive.base}/api/op/${op}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${hive.token.value}`, 'content-type': 'application/json', origin: hive.base },
    body,
  })

describe('operations by HTTP', () => {
  test('answer as on the socket, errors with the status that fits', async () => {
    await using hive = await openTestWeb({
      handlers: {
        deny: ({ id, reason }) => {
          throw new HiveError('conflict', `${id} ${reason}`, { hint: 'look again' })
        },
        approve: () => {
          throw new Error('a bug')
        },
        send: ({ body }) => ({ id: body.length, ids: [] }),
      },
    })
    const answerOf = async (op: string, body: string) => {
      const response = await call(hive, op, body)
      return [response.status, await response.json()]
    }
    assert.deepEqual(await answerOf('send', '{"to":"operator","body":"häl"}'), [200, { id: 3, ids: [] }])
    assert.deepEqual(await answerOf('deny', '{"id":7,"reason":"no"}'), [
      409,
      { error: { code: 'conflict', message: '7 no', hint: 'look again' } },
    ])
    const [status, body] = await answerOf('approve', `{"id":7,"base":null,"sha":null}`)
    assert.equal(status, 500)
    assert.match(JSON.stringify(body), /internal error: a bug/)
    for (const [op, input, code] of [
      ['deny', '{"id":0}', 400],
      ['deny', '{"id":7,"more":1}', 400],
      ['deny', 'no json', 400],
      ['deny', '[]', 400],
      ['__proto__', '{}', 404],
      ['constructor', '{}', 404],
    ] as const) {
      assert.equal((await answerOf(op, input))[0], code, `${op} ${input}`)
    }
  })

  test('a body that is too large is refused, however it comes', async () => {
    await using hive = await openTestWeb()
    const body = JSON.stringify({ to: 'operator', body: 'x'.repeat(2 * 1024 * 1024) })
    assert.equal((await call(hive, 'send', body)).status, 413)
    const stream = new Blob([body]).stream()
    const headers = {
      authorization: `Bearer ${hive.token.value}`,
      'content-type': 'application/json',
      origin: hive.base,
    }
    const init = { method: 'POST', headers, body: stream, duplex: 'half' } as RequestInit
    assert.equal((await fetch(`${hive.base}/api/op/send`, init)).status, 413)
  })

  test('the handler learns that its caller is gone', async () => {
    const called = Promise.withResolvers<AbortSignal>()
    await using hive = await openTestWeb({
      handlers: {
        events: (_, { signal }) => {
          called.resolve(signal)
          return new Promise(() => {})
        },
      },
    })
    const gone = new AbortController()
    const headers = {
      authorization: `Bearer ${hive.token.value}`,
      'content-type': 'application/json',
      origin: hive.base,
    }
    const asked = fetch(`${hive.base}/api/op/events`, {
      method: 'POST',
      headers,
      body: '{"agent":"alice"}',
      signal: gone.signal,
    })
    const signal = await called.promise
    const aborted = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
    gone.abort()
    await assert.rejects(asked)
    await aborted
  })
})

describe('the app', () => {
  test('is named as not built where it is not, on every page', async () => {
    await using hive = await openTestWeb()
    for (const path of ['/', '/a/alice', '/approvals/7']) {
      const response = await fetch(hive.base + path)
      assert.equal(response.status, 200)
      assert.match(await response.text(), /The dashboard is not built/)
    }
    assert.equal((await fetch(`${hive.base}/assets/index.js`)).status, 404)
  })

  test('is served from where it was built, also while the daemon runs; only what never changes is kept', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'app-'))
    try {
      const place = join(directory, 'dist')
      await using hive = await openTestWeb({ appPlaces: [place] })
      const get = async (path: string) => {
        const response = await fetch(hive.base + path)
        const { headers, status } = response
        return [status, await response.text(), headers.get('content-type')?.split(';')[0], headers.get('cache-control')]
      }
      assert.match(String((await get('/'))[1]), /not built/)
      mkdirSync(join(place, 'assets'), { recursive: true })
      writeFileSync(join(place, 'index.html'), '<p>the app')
      writeFileSync(join(place, 'assets/index-1.js'), '1')
      writeFileSync(join(directory, 'secret.txt'), 'secret')
      for (const path of ['/', '/a/alice/e/3']) {
        assert.deepEqual(await get(path), [200, '<p>the app', 'text/html', 'no-store'])
      }
      const kept = 'private, max-age=31536000, immutable'
      assert.deepEqual(await get('/assets/index-1.js'), [200, '1', 'text/javascript', kept])
      const missing = await get('/assets/index-2.js')
      assert.deepEqual([missing[0], missing[3]], [404, 'no-store'])
      assert.equal((await get('/secret.txt'))[0], 404)
    } finally {
      rmSync(directory, { recursive: true })
    }
  })
})

test('by https where there is a certificate, and the link says so', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'tls-'))
  try {
    const [cert, key] = [join(directory, 'cert.pem'), join(directory, 'key.pem')]
    const subject = ['-subj', '/CN=localhost', '-days', '1']
    await run(['openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', cert, ...subject])
    await using hive = await openTestWeb({ tls: { cert, key } })
    assert.match(hive.web.link(undefined), new RegExp(`^https://127\\.0\\.0\\.1:${hive.port}/#`))
    const status = await new Promise((resolve, reject) => {
      const url = `https://127.0.0.1:${hive.port}/healthz`
      request(url, { rejectUnauthorized: false }, (response) => resolve(response.statusCode))
        .on('error', reject)
        .end()
    })
    assert.equal(status, 200)
  } finally {
    rmSync(directory, { recursive: true })
  }
})

test('a token that another program may have been shown opens nothing any more', async () => {
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  try {
    const { port } = other.address() as AddressInfo
    await using hive = await openTestWeb({ port })
    assert.ok(!hive.token.is(hive.tokenBefore))
    assert.equal(readFileSync(hive.tokenPath, 'utf8'), hive.token.value)
    assert.match(hive.web.notices.join(), new RegExp(`another program has port ${port}, .* there is a new one`))
    assert.ok(hive.web.errors().every(({ where }) => where.startsWith('port')))
  } finally {
    other.close()
  }
  await using hive = await openTestWeb()
  assert.ok(hive.token.is(hive.tokenBefore))
  assert.deepEqual(hive.web.notices, [])
})
