import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { Heartbeat } from './heartbeat.ts'

test('beats that come while one is on its way are one more', async () => {
  const calls: PromiseWithResolvers<void>[] = []
  const heartbeat = new Heartbeat(() => {
    const call = Promise.withResolvers<void>()
    calls.push(call)
    return call.promise
  })
  for (let times = 0; times < 5; times++) heartbeat.beat()
  await setImmediate()
  assert.equal(calls.length, 1)
  calls[0]?.resolve()
  await setImmediate()
  assert.equal(calls.length, 2)
  calls[1]?.resolve()
  await setImmediate()
  assert.equal(calls.length, 2)
  heartbeat.beat()
  assert.equal(calls.length, 3)
})
