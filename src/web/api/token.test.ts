import assert from 'node:assert/strict'
import { test } from 'node:test'
import { takeToken, tokenIn } from './token.ts'

const TOKEN = `${'a'.repeat(42)}_`

function browserWith(hash: string, kept?: string) {
  const items = new Map(kept === undefined ? [] : [['hive-token', kept]])
  let cleared = 0
  const place = {
    hash,
    clearHash: () => {
      cleared += 1
    },
    storage: {
      getItem: (key: string) => items.get(key) ?? null,
      setItem: (key: string, value: string) => void items.set(key, value),
      removeItem: (key: string) => void items.delete(key),
    },
  }
  return { place, items, cleared: () => cleared }
}

test('the token of a link is kept, and taken out of the address', () => {
  const { place, items, cleared } = browserWith(`#${TOKEN}`, 'old')
  assert.equal(takeToken(place), TOKEN)
  assert.equal(items.get('hive-token'), TOKEN)
  assert.equal(cleared(), 1)
})

test('another fragment is left alone, and the kept token is used', () => {
  const { place, cleared } = browserWith('#L12', TOKEN)
  assert.equal(takeToken(place), TOKEN)
  assert.equal(cleared(), 0)
})

test('a browser without link and without token has none', () => {
  assert.equal(takeToken(browserWith('').place), undefined)
})

test('a pasted link and a pasted token are the same', () => {
  assert.equal(tokenIn(` http://127.0.0.1:7000/a/bob#${TOKEN}\n`), TOKEN)
  assert.equal(tokenIn(TOKEN), TOKEN)
  assert.equal(tokenIn('http://127.0.0.1:7000/'), undefined)
})
