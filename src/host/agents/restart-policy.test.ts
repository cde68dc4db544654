import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createIntervals } from '../intervals.ts'
import { decideRestart } from './restart-policy.ts'

const INTERVALS = createIntervals()

test('a container that ends unasked starts after 1 s, doubling, and is given up at the fifth end in ten minutes', () => {
  const minute = 60_000
  assert.deepEqual(decideRestart([0], 0, INTERVALS), { after: 1_000 })
  assert.deepEqual(decideRestart([0, 10], 10, INTERVALS), { after: 2_000 })
  assert.deepEqual(decideRestart([0, 10, 20, 30], 30, INTERVALS), { after: 8_000 })
  assert.equal(decideRestart([0, 10, 20, 30, 40], 40, INTERVALS), 'give_up')
  // What is long past does not count.
  assert.deepEqual(decideRestart([0, 10, 20, 30, 40, 11 * minute], 11 * minute, INTERVALS), { after: 1_000 })
})
