import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { UnreadBytes } from './unread-bytes.ts'

describe('unread bytes', () => {
  it('are given again until they are forgotten, and by their position', () => {
    const unread = new UnreadBytes(8)
    unread.add(Buffer.from('abc'))
    unread.add(Buffer.from('defgh'))
    assert.deepEqual(unread.oldest(100), { data: Buffer.from('abcdefgh'), position: 8 })
    assert.deepEqual(unread.oldest(4), { data: Buffer.from('abcd'), position: 4 })
    unread.forget(4)
    assert.deepEqual(unread.oldest(100), { data: Buffer.from('efgh'), position: 8 })
    unread.forget(2)
    assert.deepEqual(unread.oldest(2), { data: Buffer.from('ef'), position: 6 })
    unread.forget(99)
    assert.deepEqual(unread.oldest(100), { data: Buffer.alloc(0), position: 8 })
    unread.add(Buffer.from('i'))
    assert.deepEqual(unread.oldest(100), { data: Buffer.from('i'), position: 9 })
    assert.equal(unread.end, 9)
  })

  it('say when they are as many as they may be', () => {
    const unread = new UnreadBytes(3)
    unread.add(Buffer.from('ab'))
    assert.ok(!unread.isFull)
    unread.add(Buffer.from('cd'))
    assert.ok(unread.isFull)
    unread.forget(2)
    assert.ok(!unread.isFull)
  })
})
