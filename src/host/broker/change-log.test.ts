import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ChangeLog } from './change-log.ts'

test('names what changed since a position, each once, by its last change', () => {
  const log = new ChangeLog(40)
  assert.deepEqual([log.record(7), log.record(8), log.record(7)], [41, 42, 43])
  assert.deepEqual(log.since(40), [8, 7])
  assert.deepEqual(log.since(42), [7])
  assert.deepEqual(log.since(43), [])
  assert.equal(log.since(39), undefined)
})

test('keeps thousands of changes and says when more were asked for', () => {
  const log = new ChangeLog(0)
  for (let id = 1; id <= 100_000; id += 1) log.record(id)
  assert.equal(log.position, 100_000)
  assert.deepEqual(log.since(99_998), [99_999, 100_000])
  assert.equal(log.since(92_000)?.length, 8_000)
  assert.equal(log.since(0), undefined)
})
