import assert from 'node:assert/strict'
import { test } from 'node:test'
import { agentOps } from '../../wire/agent-ops.ts'
import type { Delivery } from '../../wire/things.ts'
import { createHiveTools } from './hive-tools.ts'

const message: Delivery = {
  id: 7,
  from: 'bob',
  standing: 'peer',
  body: 'hello',
  attempt: 1,
  sentAt: 0,
  replyTo: null,
  pending: 0,
}

test('a message that the model takes is shown to it and joins its turn', async () => {
  const joined: number[] = []
  const tools = createHiveTools(agentOps, async () => ({ messages: [message] }), {
    onMessage: ({ id }) => joined.push(id),
  })
  const { text } = await tools.call('recv', {}, { signal: new AbortController().signal })
  assert.match(text, /Message 7 from bob.*hello/s)
  assert.deepEqual(joined, [7])
})

test('a message that comes when nobody waits for it any more joins nothing', async () => {
  const joined: number[] = []
  const received = Promise.withResolvers<{ messages: Delivery[] }>()
  const signals: AbortSignal[] = []
  const tools = createHiveTools(
    agentOps,
    (_op, _input, signal) => {
      signals.push(signal)
      return received.promise
    },
    { onMessage: ({ id }) => joined.push(id) },
  )
  const controller = new AbortController()
  const receiving = tools.call('recv', { wait_seconds: 180 }, { signal: controller.signal })
  controller.abort()
  received.resolve({ messages: [message] })
  await receiving
  assert.deepEqual(joined, [])
  assert.ok(signals[0]?.aborted, 'whoever carries the call can end it')
})
