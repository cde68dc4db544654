import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dollarsText, sizeText, spanText, tokensText } from './figures.ts'

test('figures are for people', () => {
  assert.deepEqual([0, 512, 1500, 200 * 1024 ** 2].map(sizeText), ['0 B', '512 B', '1.5 KiB', '200 MiB'])
  assert.deepEqual([999, 12_400, 1_300_000].map(tokensText), ['999', '12k', '1.3M'])
  assert.deepEqual([0, 0.004, 1.5].map(dollarsText), ['$0.00', '<$0.01', '$1.50'])
  assert.deepEqual([850, 12_400, 185_000].map(spanText), ['850 ms', '12.4 s', '3 m 5 s'])
})
