import assert from 'node:assert/strict'
import { test } from 'node:test'
import { matches } from './message-filter.ts'

const message = { id: 12, from: 'alice', to: 'bob', body: 'Deploy the Broker', state: 'dead' } as const

test('every word of a filter must fit', () => {
  const fits = (filter: string) => matches(message, filter)
  assert.ok(['', 'broker', 'from:al', 'to:bob is:dead', '#12', 'ali deploy'].every(fits))
  assert.deepEqual(['from:bob', 'broker is:done', '#1', 'carol'].filter(fits), [])
})
