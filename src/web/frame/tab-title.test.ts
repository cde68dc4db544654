import assert from 'node:assert/strict'
import { test } from 'node:test'
import { titleOf } from './tab-title.ts'

test('the title counts what waits, and names the page', () => {
  assert.equal(titleOf('', 0), 'hyperhive')
  assert.equal(titleOf('', 3), '(3) hyperhive')
  assert.equal(titleOf('alice', 3), '(3) alice – hyperhive')
  assert.equal(titleOf('alice', 0), 'alice – hyperhive')
})
