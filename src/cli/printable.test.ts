import assert from 'node:assert/strict'
import { test } from 'node:test'
import { jsonText, printable, printableLine } from './printable.ts'

const HOSTILE = 'a\x1b[31mred\x07\r\x9b2J\u202eevil\u2066\ufeff\u{e0041}\ud800 b'

test('shows every character that could move, hide or reorder text as an escape', () => {
  assert.equal(printable(HOSTILE), 'a\\x1b[31mred\\x07\\x0d\\x9b2J\\u202eevil\\u2066\\ufeff\\u{e0041}\\ud800 b')
})

test('leaves line breaks, other scripts and emoji with joiners as they are', () => {
  const text = 'één\n\t構造 שלום 👩‍💻'
  assert.equal(printable(text), text)
})

test('brings a text to one line', () => {
  assert.equal(printableLine('a\nb\tc\r'), 'a⏎b c\\x0d')
})

test('escapes hidden characters in JSON without changing its value', () => {
  const value = { [HOSTILE]: [HOSTILE, 'plain', 1] }
  for (const text of [jsonText(value), jsonText(value, 2)]) {
    assert.deepEqual(JSON.parse(text), value)
    assert.doesNotMatch(text.replaceAll('\n', ''), /[\p{Cc}\p{Cf}\p{Cs}]/u)
  }
})
