import assert from 'node:assert/strict'
import { test } from 'node:test'
import { countTraffic } from './traffic-table.ts'

test('messages are counted by who wrote to whom', () => {
  const { names, count } = countTraffic([
    { from: 'manager', to: 'alice' },
    { from: 'manager', to: 'alice' },
    { from: 'alice', to: 'manager' },
  ])
  assert.deepEqual(names, ['alice', 'manager'])
  assert.deepEqual([count('manager', 'alice'), count('alice', 'manager'), count('alice', 'alice')], [2, 1, 0])
})
