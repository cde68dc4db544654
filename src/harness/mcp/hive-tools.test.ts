import assert from 'node:assert/strict'
import { test } from 'node:test'
import { agentOps } from '../../wire/agent-ops.ts'
import type { Delivery } from '../../wire/things.ts'
import { createHiveTools, offeredOps } from './hive-tools.ts'

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

test('only those who may ask the operator are offered the tools for it', () => {
  const names = (mayAsk: boolean) => createHiveTools(offeredOps(agentOps, { mayAsk }), async () => ({})).tools()
  const asking = (mayAsk: boolean) => names(mayAsk).filter(({ name }) => /question|operator/.test(name))
  assert.deepEqual(asking(false), [])
  assert.deepEqual(
    asking(true).map(({ name }) => name),
    ['ask_operator', 'cancel_question'],
  )
})

test('a question is asked with a key, so that a call that is repeated asks once; the model is told not to poll', async () => {
  const inputs: Record<string, unknown>[] = []
  const tools = createHiveTools(agentOps, async (_op, input) => {
    inputs.push(input)
    return { id: 3 }
  })
  const call = () => tools.call('ask_operator', { question: 'which?' }, { signal: new AbortController().signal })
  const [{ text }] = [await call(), await call()]
  assert.match(text, /Question 3 waits .*end your turn/)
  assert.equal(new Set(inputs.map(({ key }) => key)).size, 2)
})
