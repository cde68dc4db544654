import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createLineCutter } from './line-cutter.ts'

describe('createLineCutter', () => {
  it('keeps a line, and a character, that is cut by a chunk', () => {
    const cutter = createLineCutter()
    const bytes = Buffer.from('héllo\n\nrest')
    assert.deepEqual(cutter.cut(bytes.subarray(0, 2)), [])
    assert.deepEqual(cutter.cut(bytes.subarray(2)), ['héllo', ''])
    assert.deepEqual(cutter.end(), ['rest'])
  })

  it('gives a line that is too long in pieces', () => {
    const cutter = createLineCutter(4)
    assert.deepEqual(cutter.cut(Buffer.from('abcdefghij\nabcd\nk')), ['abcd', 'efgh', 'ij', 'abcd'])
    assert.deepEqual(cutter.end(), ['k'])
    assert.deepEqual(createLineCutter(4).end(), [])
  })
})
