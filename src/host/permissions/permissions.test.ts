import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { AuditLog } from '../audit-log.ts'
import { openHiveDatabase } from '../database.ts'
import { Permissions } from './permissions.ts'

const USE = { tool: 'Bash', input: '{"command":"npm test --x"}', description: 'as told' }
const call = (request: string, agent = 'alice', epoch = 1) => ({ agent, epoch, request })
const AT_ONCE = { waitMs: 0, signal: new AbortController().signal }
const PATIENT = { waitMs: 60_000, signal: new AbortController().signal }

function openPermissions() {
  const db = openHiveDatabase(':memory:')
  const hive = {
    db,
    now: 1_000,
    audit: new AuditLog(db),
    bash: ['git *'] as readonly string[] | undefined,
    open: () =>
      new Permissions({
        db,
        audit: hive.audit,
        bashOf: () => hive.bash,
        waitMs: 10_000,
        onChange: () => {},
        now: () => hive.now,
      }),
    [Symbol.dispose]: () => db.close(),
  }
  return hive
}

describe('a permission', () => {
  test('is asked for once for each call, and answers all who wait for it', async () => {
    using hive = openPermissions()
    const permissions = hive.open()
    const waiting = [1, 2].map(() => permissions.ask(call('a'), USE, PATIENT))
    assert.deepEqual(await permissions.ask(call('a'), USE, AT_ONCE), { state: 'pending', message: null })
    const [pending, ...more] = permissions.pending().permissions
    assert.deepEqual([pending?.agent, pending?.pattern, more], ['alice', 'npm test *', []])
    assert.ok(permissions.isAsking('alice') && !permissions.isAsking('bob'))
    await permissions.permit(pending?.id as number)
    const permitted = { state: 'permitted', message: null }
    assert.deepEqual(await Promise.all(waiting), [permitted, permitted])
    // As a daemon that was started again hears it.
    assert.deepEqual(await hive.open().ask(call('a'), USE, PATIENT), permitted)
    await assert.rejects(permissions.refuse(pending?.id as number, ''), { code: 'conflict', message: /permitted/ })
    const [entry] = hive.audit.list({ limit: 10 }).entries
    assert.deepEqual([entry?.verb, entry?.agent, entry?.detail.input], ['permit', 'alice', USE.input])
  })

  test('is listed, with all that others ask for, whatever one agent writes; and shown whole by its number', async () => {
    using hive = openPermissions()
    const permissions = hive.open()
    await permissions.ask(call('honest', 'bob'), USE, AT_ONCE)
    const hostile = { ...USE, input: '\u0001'.repeat(64 * 1024) }
    for (let n = 0; n < 16; n += 1) await permissions.ask(call(String(n), `a${n % 2}`), hostile, AT_ONCE)
    const { permissions: pending } = permissions.pending()
    assert.deepEqual([pending.length, pending[0]?.agent], [17, 'bob'])
    assert.ok(JSON.stringify(pending).length < 1024 * 1024)
    assert.match(pending[1]?.input ?? '', /… \(65536 characters\)$/)
    assert.equal(permissions.get(pending[1]?.id as number).input, hostile.input)
  })

  test('goes with its agent: the next one of that name has to ask anew', async () => {
    using hive = openPermissions()
    const permissions = hive.open()
    await permissions.ask(call('a'), USE, AT_ONCE)
    await permissions.permit(permissions.pending().permissions[0]?.id as number)
    await permissions.purge('alice')
    assert.equal((await permissions.ask(call('a'), { ...USE, input: '{}' }, AT_ONCE)).state, 'pending')
  })

  test('names a pattern only where one more would help', async () => {
    using hive = openPermissions()
    const permissions = hive.open()
    const patternWith = async (bash: readonly string[] | undefined) => {
      hive.bash = bash
      await permissions.ask(call(JSON.stringify({ bash })), USE, AT_ONCE)
      return permissions.pending().permissions.at(-1)?.pattern
    }
    assert.equal(await patternWith(['git *']), 'npm test *')
    assert.equal(await patternWith(['npm *']), null)
    assert.equal(await patternWith(undefined), null)
  })

  test('is refused with the operator’s words', async () => {
    using hive = openPermissions()
    const permissions = hive.open()
    const waiting = permissions.ask(call('a'), USE, PATIENT)
    while (!permissions.isAsking('alice')) await new Promise(setImmediate)
    await permissions.refuse(1, 'not now')
    assert.deepEqual(await waiting, { state: 'refused', message: 'not now' })
  })

  test('is refused when its time is over, whoever is late', async () => {
    using hive = openPermissions()
    const permissions = hive.open()
    const waiting = permissions.ask(call('a'), USE, PATIENT)
    while (!permissions.isAsking('alice')) await new Promise(setImmediate)
    assert.equal(permissions.nextAt(), 11_000)
    hive.now = 11_000
    await assert.rejects(permissions.permit(1), { code: 'conflict', message: /expired/ })
    await hive.open().tellDue(hive.now)
    // Another daemon's.
    assert.equal((await hive.open().ask(call('a'), USE, AT_ONCE)).state, 'expired')
    await permissions.tellDue(hive.now)
    await permissions.withdraw(call('a'))
    assert.deepEqual(await waiting, { state: 'expired', message: 'nobody decided within 10 s' })
  })

  test('is withdrawn by the engine, with its turn, and at the start when its turn is over', async () => {
    using hive = openPermissions()
    const permissions = hive.open()
    for (const request of ['a', 'b', 'c']) await permissions.ask(call(request), USE, AT_ONCE)
    await permissions.ask(call('a', 'bob', 7), USE, AT_ONCE)
    await permissions.ask(call('a', 'carol', 7), USE, AT_ONCE)
    const state = async (...of: Parameters<typeof call>) => (await permissions.ask(call(...of), USE, AT_ONCE)).state
    await permissions.withdraw(call('a'))
    await permissions.withdraw(call('never asked'))
    assert.deepEqual([await state('a'), await state('b')], ['withdrawn', 'pending'])
    await permissions.withdrawAllOf('alice')
    assert.deepEqual(
      [await state('b'), await state('c'), await state('a', 'bob', 7)],
      ['withdrawn', 'withdrawn', 'pending'],
    )
    await hive.open().resume((agent) => agent === 'carol')
    assert.deepEqual([await state('a', 'bob', 7), await state('a', 'carol', 7)], ['withdrawn', 'pending'])
  })

  test('cannot be asked for without end, and old ones go', async () => {
    using hive = openPermissions()
    const permissions = hive.open()
    for (let n = 0; n < 16; n += 1) await permissions.ask(call(`${n}`), USE, AT_ONCE)
    await assert.rejects(permissions.ask(call('one more'), USE, AT_ONCE), { code: 'too_many' })
    await permissions.ask(call('a', 'bob'), USE, AT_ONCE)
    const askMany = async () => {
      for (let n = 0; ; n += 1) {
        await permissions.withdrawAllOf('alice')
        await permissions.ask(call(`again ${n}`), USE, AT_ONCE)
      }
    }
    await assert.rejects(askMany(), { code: 'rate_limited' })
    await hive.db.write(() => {
      for (let n = 0; n < 1000; n += 1) {
        hive.db.run(
          `INSERT INTO permissions (agent, epoch, request, tool, input, state, asked_at, deadline_at)
           VALUES ('carol', 1, ?, 'Bash', '{}', 'refused', 0, 0)`,
          `old ${n}`,
        )
      }
    })
    await permissions.ask(call('new', 'carol'), USE, AT_ONCE)
    assert.equal(permissions.list({ all: true, agent: 'carol', limit: 1000 }).permissions.length, 501)
  })

  test('that cannot be read is listed as such', async () => {
    using hive = openPermissions()
    const permissions = hive.open()
    await permissions.ask(call('a'), USE, AT_ONCE)
    await hive.db.write(() => hive.db.run('UPDATE permissions SET id = -1'))
    const { permissions: found, errors } = permissions.pending()
    assert.deepEqual([found, errors.map(({ table, id }) => [table, id])], [[], [['permissions', '-1']]])
  })
})
