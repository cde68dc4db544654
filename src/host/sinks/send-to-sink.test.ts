import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { Sink } from '../../wire/sinks.ts'
import type { Notification } from './notification.ts'
import { sendToSink } from './send-to-sink.ts'
import { openSinkServer } from './sink-in-test.ts'

const NOTIFICATION: Notification = {
  title: 'a',
  text: 'ä'.repeat(5000),
  isUrgent: true,
  kinds: ['failed'],
  keys: ['k'],
}
const signal = AbortSignal.timeout(60_000)
const secret = (name: string) => (name === 'known' ? 'value' : undefined)

test('secrets go into headers, a long text is cut to what ntfy shows', async () => {
  await using server = await openSinkServer()
  const ntfy = { kind: 'ntfy', url: `${server.url}/deep/topic/`, priority: 2 } as const
  await sendToSink({ ...ntfy, token: { secret: 'known' } }, NOTIFICATION, { secret, signal })
  const headers = { 'X-Key': { secret: 'known' }, 'X-Plain': 'plain' }
  await sendToSink({ kind: 'webhook', url: `${server.url}/hook?a=b`, headers }, NOTIFICATION, { secret, signal })
  const [first, second] = server.received
  assert.equal(first?.headers.authorization, 'Bearer value')
  assert.deepEqual([first?.path, first?.body.topic, first?.body.priority], ['/deep/', 'topic', 5])
  assert.equal(Buffer.byteLength(String(first?.body.message)), 4000)
  assert.deepEqual(
    [second?.path, second?.headers['x-key'], second?.headers['x-plain']],
    ['/hook?a=b', 'value', 'plain'],
  )
})

test('what cannot be told is said: a missing secret, a refusal, a redirect, nobody there', async () => {
  await using server = await openSinkServer()
  const webhook = { kind: 'webhook', url: server.url, headers: {} } as const
  const send = (sink: Parameters<typeof sendToSink>[0]) => sendToSink(sink, NOTIFICATION, { secret, signal })
  await assert.rejects(send({ ...webhook, headers: { 'X-Key': { secret: 'missing' } } }), {
    code: 'bad_input',
    hint: 'hive secret set missing',
  })
  server.status = 403
  await assert.rejects(send(webhook), { code: 'unavailable', message: /^webhook 127\.0\.0\.1:\d+ answered 403$/ })
  server.status = 307
  await assert.rejects(send(webhook), { code: 'unavailable' })
  await assert.rejects(send({ ...webhook, url: 'http://127.0.0.1:9' }), {
    code: 'unavailable',
    message: /cannot be reached/,
  })
  assert.equal(server.received.length, 0)
})

test('no error says a secret', async () => {
  await using server = await openSinkServer()
  const webhook = { kind: 'webhook', url: server.url, headers: { Authorization: { secret: 'key' } } } as const
  const textOf = async (sink: Sink, value: string) => {
    const sending = sendToSink(sink, NOTIFICATION, { secret: () => value, signal })
    const text = await sending.then(
      () => 'it was sent',
      (error) => inspect(error, { depth: 9 }),
    )
    assert.ok(!text.includes('s3cret'), text)
    return text
  }
  for (const value of ['s3cret\n', 's3cret\r\nX-Other: 1', 's3cret\0', 's3cret…']) {
    assert.match(await textOf(webhook, value), /the secret key has a line break or a character that no header can hold/)
  }
  const ntfy = { kind: 'ntfy', url: `${server.url}/topic`, priority: 2, token: { secret: 'key' } } as const
  assert.match(await textOf(ntfy, 's3cret\n'), /the secret key has/)
  // Settings refuse these two; what fetch would say of them is not passed on either.
  for (const sink of [
    { ...webhook, url: server.url.replace('http://', 'http://me:s3cret@') },
    { ...webhook, headers: { 'X-Key': 's3cret\n1' } },
  ]) {
    assert.ok(!Sink.safeParse(sink).success)
    assert.match(await textOf(sink, 'v'), /the request for webhook 127\.0\.0\.1:\d+ cannot be made/)
  }
  assert.equal(server.received.length, 0)
})
