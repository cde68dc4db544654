import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HiveError } from '../../wire/errors.ts'
import { afterFailure, retryDelayMs } from './connection.ts'

test('the waits double, and end at eight seconds', () => {
  const middle = () => 0.5
  assert.deepEqual(
    [1, 2, 3, 6, 50].map((failures) => retryDelayMs(failures, middle)),
    [250, 500, 1000, 8000, 8000],
  )
})

test('two pages do not come again at the same moment', () => {
  assert.equal(
    retryDelayMs(6, () => 0),
    6000,
  )
  assert.equal(
    retryDelayMs(6, () => 1),
    10_000,
  )
})

test('a cut is waited for, a token that opens nothing is not', () => {
  assert.deepEqual(
    afterFailure(2, new Error('gone'), 1000, () => 0.5),
    { is: 'waiting', failures: 2, until: 1500, problem: 'gone' },
  )
  assert.deepEqual(afterFailure(1, new HiveError('forbidden', 'no'), 1000), { is: 'refused' })
})
