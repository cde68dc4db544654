import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inputText } from './permission-input.ts'

test('texts keep their lines, other values are JSON', () => {
  assert.equal(inputText('{"command":"a\\nb","timeout":5}'), 'command: a\nb\ntimeout: 5')
})

test('what is no object is shown as it is', () => {
  assert.equal(inputText('[1]'), '[1]')
  assert.equal(inputText('{"cut'), '{"cut')
})
