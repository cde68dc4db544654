import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Message } from '../../wire/things.ts'
import { mergeMessages } from './kept-messages.ts'

const message = (id: number, state: Message['state'] = 'queued'): Message => ({
  id,
  from: 'operator',
  to: 'bob',
  body: 'x',
  state,
  attempt: 0,
  failures: 0,
  sentAt: id,
  doneAt: null,
  rootId: id,
  hops: 0,
  replyTo: null,
  error: null,
})
const short = (list: readonly Message[]) => list.map(({ id, state }) => `${id} ${state}`)

test('a message that changed stands where it stood', () => {
  const kept = [message(1), message(2)]
  assert.deepEqual(short(mergeMessages(kept, [message(1, 'done'), message(3)])), ['1 done', '2 queued', '3 queued'])
})

test('the oldest go, and do not come back when they change', () => {
  const kept = mergeMessages([message(1), message(2)], [message(3)], 2)
  assert.deepEqual(short(kept), ['2 queued', '3 queued'])
  assert.deepEqual(short(mergeMessages(kept, [message(1, 'dead')], 2)), ['2 queued', '3 queued'])
})

test('nothing new is the same list', () => {
  const kept = [message(1)]
  assert.equal(mergeMessages(kept, []), kept)
})
