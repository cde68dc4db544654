import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createCall } from './call.ts'

const answering = (answer: () => Response) => {
  const asked: { path: string; init: RequestInit }[] = []
  const call = createCall({
    token: 'secret',
    fetch: async (path, init = {}) => {
      asked.push({ path: String(path), init })
      return answer()
    },
  })
  return { asked, call }
}

test('an operation is a POST of JSON with the token', async () => {
  const { asked, call } = answering(() => Response.json({ pid: 7, version: '1' }))
  assert.deepEqual(await call('ping', {}), { pid: 7, version: '1' })
  assert.equal(asked[0]?.path, '/api/op/ping')
  assert.deepEqual(asked[0]?.init.headers, { 'content-type': 'application/json', authorization: 'Bearer secret' })
})

test('an error of the daemon keeps its code and its hint', async () => {
  const error = { code: 'conflict', message: 'it changed', hint: 'look again' }
  const { call } = answering(() => Response.json({ error }, { status: 409 }))
  await assert.rejects(call('ping', {}), error)
})

test('an answer of something else is no answer of the hive', async () => {
  const { call } = answering(() => new Response('<h1>Bad gateway</h1>', { status: 502 }))
  await assert.rejects(call('ping', {}), { code: 'unreachable' })
})

test('an answer in another shape is said to be so', async () => {
  const { call } = answering(() => Response.json({ pid: 'seven' }))
  await assert.rejects(call('ping', {}), { code: 'internal', hint: /reload/ })
})

test('a hive that does not answer is unreachable', async () => {
  const { call } = answering(() => {
    throw new TypeError('fetch failed')
  })
  await assert.rejects(call('ping', {}), { code: 'unreachable' })
})
