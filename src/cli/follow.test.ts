import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HiveError } from '../wire/errors.ts'
import { FakeHive, messageOf, SENT_AT } from './fake-hive.ts'
import { createTestIo, runHive, type TestIo, type TestRun } from './run-in-test.ts'

/** Ends a follower, which never ends by itself: the hive refuses its next call. Gives the exit code. */
const endOf =
  (hive: FakeHive, op: 'messages' | 'events' | 'status', following: Promise<TestRun>) => async (): Promise<number> => {
    hive.failures.set(op, new HiveError('conflict', 'the test is over'))
    hive.put(messageOf(999))
    hive.putEvent('alice', { kind: 'gap', lost: 999 })
    return (await following).code
  }

const idsOf = (io: TestIo): number[] =>
  io.written.out
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line).id)

test('follows messages across a restart of the daemon, each change once', async () => {
  await using hive = await FakeHive.open()
  hive.put(messageOf(1))
  const io = createTestIo()
  const done = endOf(hive, 'messages', runHive(['messages', '-f', '--json', '--run-dir', hive.runDir], { io }))
  await io.seen('"id":1')
  hive.put(messageOf(2))
  await io.seen('"id":2')
  await hive.stop()
  await io.seen('waiting for it')
  hive.put(messageOf(3))
  hive.put(messageOf(2, { state: 'done', doneAt: SENT_AT }))
  await hive.start()
  await io.seen('"id":2,"from":"operator","to":"manager","body":"body of 2","state":"done"')
  hive.put(messageOf(4))
  await io.seen('"id":4')
  assert.deepEqual(idsOf(io), [1, 2, 3, 2, 4])
  assert.match(io.written.err, /the daemon is away.*\nhive: the daemon is back\n/)
  assert.equal(await done(), 5)
})

test('begins anew when the hive at that place is another one', async () => {
  await using hive = await FakeHive.open()
  for (const id of [1, 2, 3]) hive.put(messageOf(id))
  const io = createTestIo()
  const done = endOf(hive, 'messages', runHive(['messages', '-f', '--json', '--run-dir', hive.runDir], { io }))
  await io.seen('"id":3')
  await hive.stop()
  hive.wipe()
  hive.put(messageOf(1, { body: 'of the new hive' }))
  await hive.start()
  await io.seen('of the new hive')
  assert.deepEqual(idsOf(io), [1, 2, 3, 1])
  assert.match(io.written.err, /this is a new hive/)
  assert.equal(await done(), 5)
})

test('shows one line for each change, the body once', async () => {
  process.env.TZ = 'UTC'
  await using hive = await FakeHive.open()
  hive.put(messageOf(1, { body: 'Build it.\nWith tests.' }))
  const io = createTestIo()
  const done = endOf(hive, 'messages', runHive(['messages', '-f', '--run-dir', hive.runDir], { io }))
  await io.seen('Build it.')
  const changes = [
    messageOf(1, { state: 'leased', attempt: 1 }),
    messageOf(1, { state: 'queued', attempt: 1, failures: 1 }),
    messageOf(1, { state: 'leased', attempt: 2, failures: 1 }),
    messageOf(1, { state: 'dead', attempt: 3, failures: 3, error: 'crash\x1b[2J', doneAt: SENT_AT + 9000 }),
    messageOf(2, { from: 'manager', to: 'operator', state: 'done', doneAt: SENT_AT + 3000, body: 'ok' }),
  ]
  for (const [at, change] of changes.entries()) {
    hive.put(change)
    await io.seen(2 + at)
  }
  assert.equal(
    io.written.out,
    `\
14:03:22  #1     operator → manager   queued     Build it.…
14:04:27  #1     operator → manager   in turn
14:04:27  #1     operator → manager   queued     again, 1 failure
14:04:27  #1     operator → manager   in turn    attempt 2
14:03:31  #1     operator → manager   dead       crash\\x1b[2J, 3 failures
14:03:25  #2     manager → operator   done       3s  ok
`,
  )
  assert.equal(await done(), 5)
})

test('without a daemon at the beginning it does not wait', async () => {
  const { code } = await runHive(['messages', '-f', '--run-dir', '/nonexistent/hive'])
  assert.equal(code, 4)
})

test('status -w goes on across a restart', async () => {
  await using hive = await FakeHive.open()
  const io = createTestIo()
  const done = endOf(hive, 'status', runHive(['status', '-w', '--json', '--run-dir', hive.runDir], { io }))
  await io.seen(1)
  await hive.stop()
  await io.seen('waiting for it')
  hive.model = 'real'
  await hive.start()
  await io.seen('"model":"real"')
  assert.match(io.written.err, /the daemon is away.*\nhive: the daemon is back\n/)
  assert.equal(await done(), 5)
})

test('status -w leaves what was scrolled away on a terminal', async () => {
  await using hive = await FakeHive.open()
  const io = createTestIo({ isTTY: true })
  const done = endOf(hive, 'status', runHive(['status', '-w', '--run-dir', hive.runDir], { io }))
  await io.seen('DEMO')
  assert.ok(io.written.out.startsWith('\x1b[H\x1b[J'))
  assert.ok(!io.written.out.includes('\x1b[3J'))
  assert.equal(await done(), 5)
})

test('tail -f goes on with what an agent does, across a restart', async () => {
  await using hive = await FakeHive.open()
  hive.putEvent('alice', { kind: 'note', level: 'info', text: 'first' })
  const io = createTestIo()
  const done = endOf(hive, 'events', runHive(['tail', 'alice', '-f', '--run-dir', hive.runDir], { io }))
  await io.seen('first')
  await hive.stop()
  hive.putEvent('alice', { kind: 'note', level: 'warn', text: 'second' })
  hive.putEvent('bob', { kind: 'note', level: 'warn', text: 'not alice' })
  await hive.start()
  await io.seen('second')
  assert.deepEqual(
    io.written.out
      .trim()
      .split('\n')
      .map((line) => line.slice(10)),
    ['• first', '• second'],
  )
  assert.equal(await done(), 5)
})
