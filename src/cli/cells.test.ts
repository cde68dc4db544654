import assert from 'node:assert/strict'
import { test } from 'node:test'
import { columns, cut, width } from './cells.ts'

test('counts cells, not characters: wide, combining and coloured text', () => {
  assert.equal(width('abc'), 3)
  assert.equal(width('構造'), 4)
  assert.equal(width('e\u0301'), 1)
  assert.equal(width('🎉'), 2)
  assert.equal(width('\x1b[31mred\x1b[39m'), 3)
})

test('cuts to the cells there are', () => {
  assert.equal(cut('abcdef', 6), 'abcdef')
  assert.equal(cut('abcdefg', 6), 'abcde…')
  assert.equal(cut('abcd efg', 6), 'abcd…')
  assert.equal(cut('構造構造', 6), '構造…')
})

test('aligns columns whatever their colours, and leaves no space at the end', () => {
  assert.equal(
    columns([
      ['a', 'b', 'c'],
      ['\x1b[31mlong\x1b[39m', '構', ''],
      ['x', '', 'last'],
    ]),
    'a     b   c\n\x1b[31mlong\x1b[39m  構\nx         last\n',
  )
})
