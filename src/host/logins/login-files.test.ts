import assert from 'node:assert/strict'
import { linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { LoginFiles } from './login-files.ts'

describe('the credentials of an agent', () => {
  let directory: string
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'credentials-'))
    for (const agent of ['alice', 'bob']) mkdirSync(join(directory, agent))
    writeFileSync(join(directory, 'alice', '.credentials.json'), '{}')
  })
  afterEach(() => rmSync(directory, { recursive: true }))
  const open = () => new LoginFiles({ agent: (name) => ({ credentials: join(directory, name) }) as never })
  const fileOf = (agent: string) => join(directory, agent, '.credentials.json')
  const conflict = (how: RegExp) => ({ code: 'conflict', message: how })

  test('are its own, there or not', () => {
    const files = open()
    for (const agent of ['alice', 'bob', 'carol']) files.assertOwn(agent)
    assert.deepEqual(files.errors(), [])
  })

  test('are refused when another has them by a hard link, and both are shown until one is gone', () => {
    const files = open()
    linkSync(fileOf('alice'), fileOf('bob'))
    for (const agent of ['alice', 'bob']) assert.throws(() => files.assertOwn(agent), conflict(/has 2 names/))
    assert.deepEqual(
      files.errors().map(({ where }) => where),
      ['login of alice', 'login of bob'],
    )
    rmSync(fileOf('bob'))
    for (const agent of ['alice', 'bob']) files.assertOwn(agent)
    assert.deepEqual(files.errors(), [])
  })

  test('are refused when they lead to another’s', () => {
    symlinkSync(fileOf('alice'), fileOf('bob'))
    assert.throws(() => open().assertOwn('bob'), conflict(/\.credentials\.json is a link/))
    rmSync(join(directory, 'bob'), { recursive: true })
    symlinkSync(join(directory, 'alice'), join(directory, 'bob'))
    assert.throws(() => open().assertOwn('bob'), conflict(/bob is a link/))
  })
})
