import assert from 'node:assert/strict'
import { after, afterEach, before, describe, test } from 'node:test'
import type { hostLoginOps, LoginFlow } from '../../wire/logins.ts'
import type { Handlers } from '../../wire/op.ts'
import { FakeHive } from '../fake-hive.ts'
import { runOnTerminal, startHive } from '../process-in-test.ts'
import { createTestIo, runHive } from '../run-in-test.ts'

const URL = 'https://claude.com/cai/oauth/authorize?state=x'
const WAITING: LoginFlow = { state: 'waiting', url: URL, output: '', problem: null, since: 1, version: 2 }
const REFUSED: LoginFlow = { ...WAITING, problem: 'the # is \x1b missing' }
const DONE: LoginFlow = { ...WAITING, state: 'done', url: null }
const FAILED: LoginFlow = { ...DONE, state: 'failed', problem: 'getaddrinfo ENOTFOUND platform.claude.com' }

describe('hive login', { timeout: 60_000 }, () => {
  let hive: FakeHive
  before(async () => {
    hive = await FakeHive.open()
    answer({
      login: () => ({ flow: WAITING }),
      login_cancel: () => ({ flow: { ...DONE, state: 'cancelled' } }),
      login_code: ({ code }) => ({ flow: code === 'good#1' ? DONE : code === 'late#1' ? FAILED : REFUSED }),
    })
  })
  after(() => hive[Symbol.asyncDispose]())
  const answer = (handlers: Partial<Handlers<typeof hostLoginOps>>) => Object.assign(hive.also, handlers)
  afterEach(() => hive.calls.splice(0))
  const run = (args: string[], stdin = '') =>
    runHive(['login', ...args, '--run-dir', hive.runDir], { io: createTestIo({ stdin }) })
  const type = (...typed: string[]) =>
    runOnTerminal(hive.runDir, ['login', 'alice'], { typed: ['(not shown): ', ...typed], cells: 200 })

  test('without a terminal prints the page and how to bring the code', async () => {
    const { code, out } = await run(['alice'])
    assert.equal(code, 0)
    assert.equal(out, `${URL}\nopen this page, then bring its code: hive login alice --code - < file\n`)
    assert.deepEqual(hive.calls, [['login', { agent: 'alice', method: 'claudeai' }]])
    await run(['alice', '--console'])
    assert.deepEqual(hive.calls.at(-1), ['login', { agent: 'alice', method: 'console' }])
    assert.deepEqual(JSON.parse((await run(['alice', '--json'])).out), WAITING)
  })

  test('takes the code from stdin, never from the command line', async () => {
    const done = await run(['alice', '--code', '-'], 'good#1\n')
    assert.deepEqual([done.code, done.out], [0, 'alice is logged in\n'])
    assert.deepEqual(hive.calls.at(-1), ['login_code', { agent: 'alice', code: 'good#1' }])
    const refused = await run(['alice', '--code', '-'], 'bad')
    assert.equal(refused.code, 2)
    assert.match(refused.err, /the # is \\x1b missing\n/)
    const failed = await run(['alice', '--code', '-'], 'late#1')
    assert.equal(failed.code, 1)
    assert.match(failed.err, /alice was not logged in: getaddrinfo ENOTFOUND/)
    assert.equal((await run(['alice', '--code', '-'], 'two words')).code, 2)
    assert.equal((await run(['alice', '--code', 'good#1'])).code, 2)
  })

  test('gives up with --cancel', async () => {
    assert.equal((await run(['alice', '--cancel'])).out, 'the login of alice was given up\n')
    assert.equal((await run(['alice', '--cancel', '--code', '-'])).code, 2)
  })

  test('has its opposite in hive logout', async () => {
    answer({ logout: () => ({ text: 'Logged \x1b out' }) })
    const { code, out } = await runHive(['logout', 'alice', '--run-dir', hive.runDir])
    assert.deepEqual([code, out], [0, 'alice: Logged \\x1b out\n'])
    assert.deepEqual(hive.calls, [['logout', { agent: 'alice' }]])
  })

  test('says why there is no page', async () => {
    answer({ login: () => ({ flow: { ...FAILED, problem: 'ANTHROPIC_API_KEY is in its environment' } }) })
    const { code, err } = await run(['alice'])
    answer({ login: () => ({ flow: WAITING }) })
    assert.equal(code, 1)
    assert.match(err, /alice was not logged in: ANTHROPIC_API_KEY is in its environment\n/)
  })

  test('on a terminal asks for the code, does not show it, and asks again after a wrong one', async () => {
    const { code, out } = await type('bad\n', 'two words\n', '\n', 'good#1\n')
    assert.equal(code, 0)
    assert.ok(out.includes(URL), out)
    assert.match(out, /the # is \\x1b missing/)
    assert.match(out, /that is no code/)
    assert.match(out, /alice is logged in\n$/)
    assert.doesNotMatch(out, /good#1/)
  })

  test('on a terminal is given up with Ctrl-C or Ctrl-D', async () => {
    for (const key of ['\x03', '\x04']) {
      const { code, out } = await type(key)
      assert.equal(code, 130)
      assert.match(out, /alice was not logged in/)
      assert.equal(hive.calls.at(-1)?.[0], 'login_cancel')
    }
  })

  test('gives the login up when it is interrupted while it waits', async () => {
    const held = Promise.withResolvers<void>()
    const called = Promise.withResolvers<void>()
    answer({
      async login() {
        called.resolve()
        await held.promise
        return { flow: WAITING }
      },
    })
    const child = startHive(hive.runDir, ['login', 'alice'])
    await called.promise
    const exit = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGINT')
    assert.equal(await exit, 130)
    assert.equal(hive.calls.at(-1)?.[0], 'login_cancel')
    held.resolve()
    answer({ login: () => ({ flow: WAITING }) })
  })
})
