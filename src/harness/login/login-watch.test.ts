import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { createNotifier } from '../../kit/notifier.ts'
import { watchLogin } from './login-watch.ts'

describe('the watch over a login', { timeout: 20_000 }, () => {
  let directory: string
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'watch-'))
  })
  afterEach(() => rmSync(directory, { recursive: true, force: true }))

  const open = (path: string) => {
    const changes = createNotifier()
    const file = join(path, 'login')
    const seen: string[] = []
    const blind: string[] = []
    const readId = () => (existsSync(file) ? readFileSync(file, 'utf8') : '')
    const watching = watchLogin({
      directory: path,
      files: ['login'],
      readId,
      onChange: () => {
        seen.push(readId())
        changes.notify()
      },
      onBlind: (why) => blind.push(why),
      slowMs: 20,
    })
    return {
      file,
      seen,
      blind,
      async sees(count: number) {
        while (seen.length < count) await changes.wait(20_000, new AbortController().signal)
      },
      [Symbol.dispose]: () => watching[Symbol.dispose](),
    }
  }

  test('sees it come, be replaced and go, and nothing else', async () => {
    using watching = open(directory)
    writeFileSync(join(directory, 'other'), 'x')
    writeFileSync(watching.file, 'one')
    await watching.sees(1)
    writeFileSync(watching.file, 'one')
    writeFileSync(`${watching.file}.new`, 'two')
    renameSync(`${watching.file}.new`, watching.file)
    await watching.sees(2)
    rmSync(watching.file)
    await watching.sees(3)
    assert.deepEqual(watching.seen, ['one', 'two', ''])
    assert.deepEqual(watching.blind, [])
  })

  test('looks now and then where nothing can be watched, and says so', async () => {
    const missing = join(directory, 'missing')
    using watching = open(missing)
    assert.equal(watching.blind.length, 1)
    assert.match(watching.blind[0] ?? '', /ENOENT/)
    mkdirSync(missing)
    writeFileSync(watching.file, 'one')
    await watching.sees(1)
    assert.deepEqual(watching.seen, ['one'])
  })
})
