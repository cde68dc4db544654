import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { spelledOut, spellOut } from './spelled-out.ts'

const HIDDEN = [
  0x00, 0x07, 0x0d, 0x1b, 0x7f, 0x85, 0x9b, 0xa0, 0xad, 0x061c, 0x115f, 0x200b, 0x200c, 0x200d, 0x200e, 0x200f, 0x2028,
  0x2029, 0x202a, 0x202e, 0x2060, 0x2066, 0x2069, 0x3000, 0x3164, 0xe000, 0xfe0f, 0xfeff, 0xe0001, 0xe0041, 0xe007f,
  0xe0100,
]

describe('spellOut', () => {
  it('spells out whatever is not seen', () => {
    for (const code of HIDDEN) {
      const name = `U+${code.toString(16).toUpperCase().padStart(4, '0')}`
      assert.deepEqual(spellOut(Buffer.from(`a${String.fromCodePoint(code)}b`)), {
        text: `a<${name}>b`,
        hidden: [name],
      })
    }
  })

  it('leaves text of any script, line ends and tabs', () => {
    const text = 'naïve\tΩ 漢字 العربية עברית 😀\n'
    assert.deepEqual(spellOut(Buffer.from(text)), { text, hidden: [] })
  })

  it('spells out bytes that are no UTF-8, one by one, between text that is', () => {
    const bytes = Buffer.from([
      0xff, 0xc3, 0xa4, 0xc0, 0xaf, 0xed, 0xa0, 0x80, 0xe2, 0x80, 0x41, 0xf0, 0x9f, 0x98, 0x80, 0xe2, 0x80, 0xae,
    ])
    const { text, hidden } = spellOut(bytes)
    assert.equal(text, '<0xFF>ä<0xC0><0xAF><0xED><0xA0><0x80><0xE2><0x80>A😀<U+202E>')
    assert.deepEqual(hidden, ['0xFF', '0xC0', '0xAF', '0xED', '0xA0', '0x80', '0xE2', 'U+202E'])
  })

  it('leaves nothing hidden of any bytes, and names what it found', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        const { text, hidden } = spellOut(bytes)
        assert.equal(spelledOut(text), text)
        assert.equal(hidden.length === 0, Buffer.from(text).equals(bytes))
      }),
    )
  })
})
