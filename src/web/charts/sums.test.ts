import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NOTHING_SPENT, type UsageRow } from '../../wire/money.ts'
import { sumsBy } from './sums.ts'

const row = (agent: string, model: string, more: Partial<UsageRow>): UsageRow => ({
  ...NOTHING_SPENT,
  day: '2026-11-26',
  agent,
  model,
  ...more,
})

test('every figure of the rows of one key is added', () => {
  const figures = {
    turns: 1,
    inputTokens: 2,
    outputTokens: 3,
    cacheReadTokens: 4,
    cacheWriteTokens: 5,
    dollars: 0.25,
    durationMs: 6,
  }
  const sums = sumsBy(
    [row('bob', 'haiku', figures), row('alice', 'haiku', { turns: 9 }), row('bob', 'opus', figures)],
    ({ agent }) => agent,
  )
  const twice = Object.fromEntries(Object.entries(figures).map(([name, value]) => [name, 2 * value]))
  assert.deepEqual(
    [...sums],
    [
      ['bob', twice],
      ['alice', { ...NOTHING_SPENT, turns: 9 }],
    ],
  )
})

test('names that every object has are names', () => {
  assert.equal(sumsBy([row('constructor', 'm', { turns: 1 })], ({ agent }) => agent).get('constructor')?.turns, 1)
})
