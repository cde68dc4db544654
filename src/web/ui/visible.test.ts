import assert from 'node:assert/strict'
import { test } from 'node:test'
import { visible, visibleLine } from './visible.ts'

test('what reorders or hides text is spelled out', () => {
  assert.equal(visible('a\u202egnp.exe\u001b[31m'), 'a<U+202E>gnp.exe<U+001B>[31m')
})

test('lines, tabs and joined emoji stay', () => {
  assert.equal(visible('a\r\n\tb 👩\u200d🔧'), 'a\n\tb 👩\u200d🔧')
})

test('one line is one line, and is cut', () => {
  assert.equal(visibleLine('a\n  b', 10), 'a b')
  assert.equal(visibleLine('x'.repeat(50), 10), `${'x'.repeat(10)}…`)
})
