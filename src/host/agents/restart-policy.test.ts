import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decideRestart } from './restart-policy.ts'

test('a container that ends unasked starts after 1 s, doubling, and is given up at the fifth end in ten minutes', () => {
  const minute = 60_000
  assert.deepEqual(decideRestart([0], 0), { after: 1_000 })
  assert.deepEqual(decideRestart([0, 10], 10), { after: 2_000 })
  assert.deepEqual(decideRestart([0, 10, 20, 30], 30), { after: 8_000 })
  assert.equal(decideRestart([0, 10, 20, 30, 40], 40), 'give_up')
  // What is long past does not count.
  assert.deepEqual(decideRestart([0, 10, 20, 30, 40, 11 * minute], 11 * minute), { after: 1_000 })
})
