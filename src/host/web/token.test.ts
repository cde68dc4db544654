import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { createLog } from '../../kit/log.ts'
import { WebToken } from './token.ts'

let directory: string
let path: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'token-'))
  path = join(directory, 'web-token')
})
afterEach(() => rmSync(directory, { recursive: true }))
const openToken = () => WebToken.open(path, createLog('fatal'))

test('is made once, for the daemon’s user alone, and is the same at the next start', async () => {
  const { value } = await openToken()
  assert.equal(Buffer.from(value, 'base64url').length, 32)
  assert.equal(statSync(path).mode & 0o777, 0o600)
  chmodSync(path, 0o644)
  const again = await openToken()
  assert.equal(again.value, value)
  assert.equal(statSync(path).mode & 0o777, 0o600)
})

test('is told from every other text', async () => {
  const token = await openToken()
  assert.equal(token.is(token.value), true)
  for (const other of ['', token.value.slice(1), `${token.value}x`, token.value.toLowerCase()]) {
    assert.equal(token.is(other), false)
  }
})

test('a new one takes the place of the old one', async () => {
  const token = await openToken()
  const old = token.value
  await token.renew()
  assert.equal(token.is(old), false)
  assert.equal(token.is(token.value), true)
  assert.equal((await openToken()).value, token.value)
})

test('what cannot be a token is none: nobody gets in with an empty one', async () => {
  for (const kept of ['', 'short', '\n']) {
    writeFileSync(path, kept)
    const token = await openToken()
    assert.equal(token.is(kept), false)
    assert.equal(token.value, readFileSync(path, 'utf8'))
  }
})

test('a new one that cannot be kept takes the place of the old one all the same', async () => {
  const token = await openToken()
  const old = token.value
  mkdirSync(`${path}.new`)
  await assert.rejects(token.renew(), { code: 'EISDIR' })
  assert.equal(token.is(old), false)
})
