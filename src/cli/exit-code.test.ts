import assert from 'node:assert/strict'
import { once } from 'node:events'
import { linkSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { type ErrorCode, HiveError } from '../wire/errors.ts'
import { explainUnreachable } from './daemon-client.ts'
import { EXIT_OF_ERROR } from './exit-code.ts'
import { agentOf, FakeHive } from './fake-hive.ts'
import { runHive } from './run-in-test.ts'

describe('what goes wrong', () => {
  let hive: FakeHive
  before(async () => {
    hive = await FakeHive.open()
  })
  after(() => hive[Symbol.asyncDispose]())
  const run = (args: string[]) => runHive([...args, '--run-dir', hive.runDir])

  test('every error has its exit code, its message and its next step', async () => {
    for (const [code, exit] of Object.entries(EXIT_OF_ERROR) as [ErrorCode, number][]) {
      hive.failures.set('list', new HiveError(code, `it was \x1b[1m${code}`, { hint: 'do this' }))
      const human = await run(['list'])
      assert.deepEqual(human, { code: exit, out: '', err: `hive: it was \\x1b[1m${code}\n  do this\n` })
      const { err } = await run(['list', '--json'])
      assert.deepEqual(JSON.parse(err), { error: { code, message: `it was \x1b[1m${code}`, hint: 'do this' } })
    }
    hive.failures.clear()
  })

  test('usage errors are 2, with the nearest word', async () => {
    for (const [args, said] of [
      [['lst'], /unknown command 'lst'\n\(Did you mean list\?\)/],
      [['help', 'lst'], /unknown command 'lst'\n\(Did you mean list\?\)/],
      [['list', '--jsn'], /unknown option '--jsn'\n\(Did you mean --json\?\)/],
      [['send', 'bob'], /missing required argument 'text'/],
      [['send', 'bob', 'two', 'words'], /too many arguments/],
      [['message', 'x'], /It is no whole number from 1 on/],
      [['messages', '-n', '1001'], /from 1 to 1000/],
      [['messages', '--state', 'lost'], /Allowed choices are queued, leased, done, dead/],
      [['send', 'Bob!', 'x'], /bob|must be 1 to 9 characters/i],
      [[], /Usage: hive/],
    ] as [string[], RegExp][]) {
      const { code, out, err } = await run(args)
      assert.deepEqual([code, out], [2, ''], args.join(' '))
      assert.match(err, said)
    }
  })

  test('usage errors are JSON where it was asked for', async () => {
    for (const [args, error] of [
      [['list', '--json', '--bogus'], { message: "unknown option '--bogus'" }],
      [['--json', 'lst'], { message: "unknown command 'lst'", hint: '(Did you mean list?)' }],
      [['send', 'bob', '--json'], { message: "missing required argument 'text'" }],
      [['message', 'x', '--json'], { message: /is invalid for argument 'id'\. It is no whole number/ }],
      [['--json'], { message: 'no command', hint: 'hive --help' }],
      [['help', 'lst', '--json'], { message: "unknown command 'lst'", hint: '(Did you mean list?)' }],
    ] as [string[], { message: string | RegExp; hint?: string }][]) {
      const { code, out, err } = await run(args)
      assert.deepEqual([code, out], [2, ''], args.join(' '))
      const { message, ...rest } = JSON.parse(err).error
      if (error.message instanceof RegExp) assert.match(message, error.message)
      else assert.equal(message, error.message)
      assert.deepEqual(rest, { code: 'bad_input', ...(error.hint && { hint: error.hint }) })
    }
    assert.match((await run(['send', '--bogus', '--', '--json'])).err, /^hive: unknown option/)
  })

  test('help is no error', async () => {
    for (const args of [['--help'], ['help', 'send'], ['help', 'help'], ['send', '--help']]) {
      const { code, out, err } = await run(args)
      assert.deepEqual([code, err], [0, ''])
      assert.match(out, /Usage: hive/)
    }
  })

  test('an answer that makes no sense is an error, not a default', async () => {
    hive.agents.set('odd', { ...agentOf('odd'), state: 'dancing' as never })
    const { code, err } = await run(['list'])
    assert.equal(code, 1)
    assert.match(err, /makes no sense here(.|\n)*state/)
    hive.agents.delete('odd')
  })
})

test('without a daemon it is 4, saying where it looked and how to start one', async () => {
  const { code, out, err } = await runHive(['list', '--run-dir', '/nonexistent/hive'])
  assert.deepEqual([code, out], [4, ''])
  assert.equal(
    err,
    `\
hive: cannot reach the hive daemon: there is no socket /nonexistent/hive/host.sock
  hive up                      starts one here
  systemctl status hive-c0re   shows one that runs as a service
  --state-dir, --run-dir       name one that lives elsewhere
`,
  )
})

test('a socket without a daemon behind it is said to be one', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'hive-cli-'))
  const server = createServer().listen(join(directory, 'first.sock'))
  await once(server, 'listening')
  // Closing removes the first name of the socket only.
  linkSync(join(directory, 'first.sock'), join(directory, 'host.sock'))
  server.close()
  const { code, err } = await runHive(['list', '--run-dir', directory])
  assert.equal(code, 4)
  assert.match(err, /nobody listens on .*host\.sock, its daemon has ended/)
  rmSync(directory, { recursive: true })
})

test('a socket that is closed to the caller is shown with mode and owner', () => {
  const directory = mkdtempSync(join(tmpdir(), 'hive-cli-'))
  const path = join(directory, 'host.sock')
  writeFileSync(path, '', { mode: 0o600 })
  const refusal = new HiveError('unreachable', 'no', { cause: Object.assign(new Error('no'), { code: 'EACCES' }) })
  assert.match(
    explainUnreachable(path, refusal).message,
    new RegExp(`you may not open ${path} \\(mode 0600, owner uid ${process.getuid?.()}\\)`),
  )
  rmSync(directory, { recursive: true })
})
