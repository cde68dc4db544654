import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { createSession } from './session.ts'

const ID = '0b8f7d5e-1111-4222-8333-944445555666'
let directory: string
let file: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'session-'))
  file = join(directory, 'session')
})
afterEach(() => rmSync(directory, { recursive: true }))

test('is fresh until its first message, then resumed, also by the next harness', () => {
  const session = createSession(file, () => ID)
  assert.deepEqual(session.current(), { id: ID, resume: false })
  assert.deepEqual(readdirSync(directory), [])
  session.keep(ID)
  assert.deepEqual(createSession(file).current(), { id: ID, resume: true })
  assert.deepEqual(readdirSync(directory), ['session'])
  assert.equal(statSync(file).mode & 0o777, 0o600)
})

test('is fresh again once forgotten', () => {
  const session = createSession(file)
  session.keep(ID)
  session.forget()
  session.forget()
  assert.equal(session.current().resume, false)
  assert.notEqual(session.current().id, ID)
})

test('takes nothing but an id from its file', () => {
  for (const text of ['', '--dangerously-skip-permissions', `${ID}/../x`, '{}']) {
    writeFileSync(file, text)
    assert.equal(createSession(file).current().resume, false)
  }
})
