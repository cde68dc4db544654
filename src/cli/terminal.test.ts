import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { after, before, describe, test } from 'node:test'
import { promisify, stripVTControlCharacters } from 'node:util'
import { FakeHive, messageOf, SENT_AT } from './fake-hive.ts'
import { ENV, MAIN, NODE, runOnTerminal, runPiped, startHive } from './process-in-test.ts'

/** The whole program, as a process of its own. */
describe('hive as a process', () => {
  let hive: FakeHive
  before(async () => {
    hive = await FakeHive.open()
    const body = `${'word '.repeat(40)}\nsecond`
    hive.put(messageOf(1, { state: 'done', sentAt: Date.now(), doneAt: SENT_AT, body }))
  })
  after(() => hive[Symbol.asyncDispose]())

  const start = (args: string[]) => startHive(hive.runDir, args)
  const piped = (args: string[], env = {}) => runPiped(hive.runDir, args, env)
  const onTerminal = (args: string[], options = {}) => runOnTerminal(hive.runDir, args, options)
  const ESCAPE = '\x1b['

  test('colours and cuts on a terminal, neither in a pipe', async () => {
    const terminal = await onTerminal(['messages'])
    assert.equal(terminal.code, 0)
    assert.ok(terminal.out.includes(`${ESCAPE}32mdone${ESCAPE}39m   0    word word`), terminal.out)
    const [demo, , row = ''] = terminal.out.split('\n')
    assert.equal(demo, 'hive: DEMO: a scripted model answers')
    assert.match(row, /…$/)
    assert.ok(stripVTControlCharacters(row).length <= 80)
    const { out } = await piped(['messages'])
    assert.ok(!out.includes(ESCAPE))
    assert.ok((out.split('\n')[1] ?? '').length > 100)
  })

  test('cuts nothing on a terminal that does not know its width', async () => {
    const { out } = await onTerminal(['messages'], { cells: 0 })
    assert.match(out, /(word ){20}/)
  })

  test('NO_COLOR and FORCE_COLOR are obeyed', async () => {
    assert.ok(!(await onTerminal(['list'], { env: { NO_COLOR: '1' } })).out.includes(ESCAPE))
    assert.ok((await piped(['list'], { FORCE_COLOR: '1' })).out.includes(ESCAPE))
  })

  test('exit codes reach the caller', async () => {
    assert.equal((await piped(['list'])).code, 0)
    assert.equal((await piped(['spawn', 'BAD'])).code, 2)
    assert.equal((await piped(['message', '99'])).code, 3)
    assert.equal((await piped(['list', '--run-dir', '/nonexistent'])).code, 0, 'the last --run-dir counts')
    assert.equal((await piped(['spawn', 'alice'])).code, 5)
    await assert.rejects(promisify(execFile)(NODE, [MAIN, 'list', '--run-dir', '/nonexistent'], { env: ENV }), {
      code: 4,
    })
    await assert.rejects(promisify(execFile)(NODE, [MAIN], { env: ENV }), { code: 2 })
  })

  test('ends with 130 when interrupted', async () => {
    const child = start(['messages', '-f'])
    await once(child.stdout, 'data')
    child.kill('SIGINT')
    assert.deepEqual(await once(child, 'close'), [130, null])
  })

  test('ends quietly when its reader is gone', async () => {
    const child = start(['messages', '-f'])
    await once(child.stdout, 'data')
    child.stdout.destroy()
    const ended = Promise.all([once(child, 'close'), text(child.stderr)])
    hive.put(messageOf(2))
    hive.put(messageOf(3))
    assert.deepEqual(await ended, [[0, null], ''])
  })

  test('doctor tries a real sandbox', async () => {
    const { out } = await piped(['doctor', '--json', '--state-dir', hive.runDir])
    const { checks } = JSON.parse(out)
    const found = checks.find((check: { name: string }) => check.name === 'sandbox')
    assert.deepEqual([found.status, found.detail.slice(0, 15)], ['ok', 'starts and ends'])
  })

  test('follows by itself on a terminal only', async () => {
    hive.putEvent('alice', { kind: 'note', level: 'info', text: 'noted' })
    assert.match((await piped(['tail', 'alice'])).out, /noted\n$/)
    assert.match((await onTerminal(['tail', 'alice', '--no-follow'])).out, /noted/)
  })

  test('destroy asks on a terminal, says what goes, and takes nothing but a yes', async () => {
    const refused = await onTerminal(['destroy', 'alice', '--purge'], { typed: ['[y/N]', '\n'] })
    assert.equal(refused.code, 130)
    assert.match(refused.out, /Destroying alice \(idle, 0 unread\):\n.*container goes\n.*no way back\n/)
    assert.match(refused.out, /nothing was destroyed/)
    assert.ok(hive.agents.has('alice'))
    const endOfInput = await onTerminal(['destroy', 'alice'], { typed: ['[y/N]', '\x04'] })
    assert.equal(endOfInput.code, 130)
    assert.match(endOfInput.out, /nothing was destroyed/)
    assert.ok(hive.agents.has('alice'))
    assert.equal((await onTerminal(['destroy', 'alice'], { typed: ['[y/N]', 'y\n'] })).code, 0)
    assert.ok(!hive.agents.has('alice'))
  })
})
