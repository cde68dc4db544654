import assert from 'node:assert/strict'
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { HiveError } from '../wire/errors.ts'
import { FakeHive } from './fake-hive.ts'
import { createTestIo, runHive } from './run-in-test.ts'

const URL = 'http://127.0.0.1:7000/#t0ken'

describe('hive open', () => {
  let hive: FakeHive
  let directory: string
  beforeEach(async () => {
    hive = await FakeHive.open()
    directory = mkdtempSync(join(tmpdir(), 'desktop-'))
    Object.assign(hive.also, {
      web_link: ({ agent }: { agent?: string }) => ({ url: agent ? URL.replace('#', `a/${agent}#`) : URL }),
    })
  })
  afterEach(async () => {
    await hive[Symbol.asyncDispose]()
    rmSync(directory, { recursive: true })
  })

  /** A desktop whose browser writes down what it was called with. */
  const desktop = () => {
    writeFileSync(
      join(directory, 'xdg-open'),
      `#!/bin/sh\necho "$@" > ${directory}/called.new\nmv ${directory}/called.new ${directory}/called\n`,
    )
    chmodSync(join(directory, 'xdg-open'), 0o755)
    return { PATH: `${directory}:/usr/bin:/bin`, DISPLAY: ':0' }
  }
  const open = (args: string[], { isTTY = true, env = {} }: { isTTY?: boolean; env?: NodeJS.ProcessEnv } = {}) =>
    runHive(['open', '--run-dir', hive.runDir, ...args], { io: createTestIo({ isTTY }), env })
  const called = async () => {
    while (!existsSync(join(directory, 'called'))) await sleep(10)
    return readFileSync(join(directory, 'called'), 'utf8').trim()
  }

  test('prints the link, to the page of an agent if one is named, with a new token if that is wanted', async () => {
    assert.deepEqual(await open([]), { code: 0, out: `${URL}\n`, err: '' })
    assert.equal((await open(['alice'])).out, 'http://127.0.0.1:7000/a/alice#t0ken\n')
    assert.deepEqual(JSON.parse((await open(['--json', '--new-token'])).out), { url: URL })
    assert.deepEqual(
      hive.calls.map(([, input]) => input),
      [{ new_token: false }, { agent: 'alice', new_token: false }, { new_token: true }],
    )
  })

  test('opens it on a desktop, and nobody sees the token in a command line', async () => {
    const { code, out } = await open([], { env: desktop() })
    assert.deepEqual([code, out], [0, `${URL}\n`])
    const file = await called()
    assert.equal(file, join(hive.runDir, 'open.html'))
    assert.match(readFileSync(file, 'utf8'), /url=http:\/\/127\.0\.0\.1:7000\/#t0ken"/)
    assert.equal(statSync(file).mode & 0o777, 0o600)
  })

  test('only prints where nobody looks, or where that was asked for', async () => {
    const env = desktop()
    await open(['--print'], { env })
    await open(['--json'], { env })
    await open([], { env, isTTY: false })
    await open([], { env: { PATH: env.PATH } })
    assert.equal(existsSync(join(hive.runDir, 'open.html')), false)
  })

  test('says so where there is no browser, and why there is no link', async () => {
    const { code, err } = await open([], { env: { PATH: directory, DISPLAY: ':0' } })
    assert.deepEqual([code, err], [0, 'hive: there is no xdg-open here: open the link yourself\n'])
    hive.failures.set('web_link', new HiveError('unavailable', 'port 7000 cannot be listened on', { hint: 'ss -ltnp' }))
    assert.deepEqual(await open([]), { code: 1, out: '', err: 'hive: port 7000 cannot be listened on\n  ss -ltnp\n' })
  })
})
