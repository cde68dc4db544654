import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { INBOX_CAP, openSchedulesInTest } from './schedules-in-test.ts'

describe('reminders', () => {
  test('are told once, when it is time, and are gone then', async () => {
    await using hive = await openSchedulesInTest()
    const { reminders } = hive
    const later = await reminders.remind('alice', { message: 'later', inSeconds: 7200 })
    const sooner = await reminders.remind('alice', { message: 'sooner', at: '2026-06-01T11:00:00Z' })
    assert.deepEqual(
      reminders.list({ agent: 'alice' }).reminders.map(({ message }) => message),
      ['sooner', 'later'],
    )
    assert.deepEqual(reminders.list({ agent: 'bob' }), { reminders: [], errors: [] })
    assert.equal(reminders.nextAt(), sooner.dueAt)
    hive.set('2026-06-01T11:59:59Z')
    for (const _ of [1, 2]) assert.deepEqual(await reminders.tellDue(hive.wall.now), [])
    assert.deepEqual(await hive.told(), [
      { event: 'reminder', id: sooner.id, message: 'sooner', dueAt: Date.parse('2026-06-01T11:00:00Z') },
    ])
    assert.deepEqual(
      reminders.list({}).reminders.map(({ id }) => id),
      [later.id],
    )
  })

  test('take a time in seconds or as text, one of both, and not any', async () => {
    await using hive = await openSchedulesInTest()
    const dueAt = async (at: string) => (await hive.reminders.remind('alice', { message: 'm', at })).dueAt
    assert.equal(await dueAt('2026-06-01T13:00:00+02:00'), Date.parse('2026-06-01T11:00:00Z'))
    assert.equal(await dueAt('2026-06-01t12:00z'), Date.parse('2026-06-01T12:00:00Z'))
    // Without a zone it is the host's.
    assert.equal(await dueAt('2026-07-01 09:00'), new Date(2026, 6, 1, 9).getTime())
    assert.equal(await dueAt('2026-07-01'), new Date(2026, 6, 1).getTime())
    const refused = async (wish: { inSeconds?: number; at?: string }, message: RegExp) =>
      assert.rejects(hive.reminders.remind('alice', { message: 'm', ...wish }), { code: 'bad_input', message })
    await refused({}, /either in_seconds or at/)
    await refused({ inSeconds: 1, at: '2026-07-01' }, /either in_seconds or at/)
    await refused({ at: '2026-06-01T10:00:00Z' }, /has passed/)
    await refused({ at: '2027-06-03T00:00:00Z' }, /more than 366 days away/)
    for (const at of ['', 'tomorrow', '2026-02-30', '2026-06-31T10:00', '2026-07-01T25:00', '1780000000000']) {
      await refused({ at }, /is no time$/)
    }
  })

  test('fifty are enough', async () => {
    await using hive = await openSchedulesInTest()
    const { reminders } = hive
    const remind = () => reminders.remind('alice', { message: 'm', inSeconds: 60 })
    const [first] = await Promise.all(Array.from({ length: 50 }, remind))
    await assert.rejects(remind(), { code: 'too_many' })
    await reminders.remind('bob', { message: 'm', inSeconds: 60 })
    await reminders.cancel(first?.id as number)
    hive.wall.now += 60_000
    await remind()
  })

  test('are set once a minute in the long run: what is taken back makes no room for more', async () => {
    await using hive = await openSchedulesInTest()
    const { reminders } = hive
    const remind = (key?: string) => reminders.remind('alice', { message: 'm', inSeconds: 3600, key })
    const { id } = await remind('kept')
    for (let count = 1; count < 50; count += 1) await reminders.cancel((await remind()).id)
    await assert.rejects(remind(), { code: 'rate_limited' })
    assert.equal((await remind('kept')).id, id, 'one that is there already is not set')
    await reminders.remind('bob', { message: 'm', inSeconds: 60 })
    hive.wall.now += 60_000
    await remind()
    await assert.rejects(remind(), { code: 'rate_limited' })
  })

  test('a repeated wish is one reminder, also when that was told meanwhile', async () => {
    await using hive = await openSchedulesInTest()
    const wish = { message: 'm', inSeconds: 1, key: 'k' }
    const { id } = await hive.reminders.remind('alice', wish)
    assert.equal((await hive.reminders.remind('alice', wish)).id, id)
    await hive.reminders.remind('bob', wish)
    hive.wall.now += 5_000
    await hive.reminders.tellDue(hive.wall.now)
    await hive.reminders.remind('alice', wish)
    hive.wall.now += 5_000
    await hive.reminders.tellDue(hive.wall.now)
    assert.deepEqual([(await hive.told('alice')).length, (await hive.told('bob')).length], [1, 1])
    assert.equal(hive.reminders.nextAt(), undefined)
  })

  test('an agent takes back its own only', async () => {
    await using hive = await openSchedulesInTest()
    const { id } = await hive.reminders.remind('alice', { message: 'm', inSeconds: 60 })
    await assert.rejects(hive.reminders.cancel(id, 'bob'), { code: 'not_found' })
    assert.equal(await hive.reminders.cancel(id, 'alice'), 'alice')
    await assert.rejects(hive.reminders.cancel(id), { code: 'not_found' })
    hive.wall.now += 60_000
    await hive.reminders.tellDue(hive.wall.now)
    assert.deepEqual(await hive.told(), [])
  })

  test('a daemon that is killed after a message was stored does not send it again', async () => {
    await using hive = await openSchedulesInTest()
    await hive.reminders.remind('alice', { message: 'm', inSeconds: 60 })
    hive.wall.now += 60_000
    hive.dies.at = 'reminder.told'
    assert.equal((await hive.reminders.tellDue(hive.wall.now)).length, 1)
    hive.dies.at = ''
    hive.restart()
    assert.deepEqual(await hive.reminders.tellDue(hive.wall.now), [])
    assert.deepEqual([(await hive.told()).length, hive.reminders.list({}).reminders.length], [1, 0])
  })

  test('of a destroyed agent wait for its return, and go with it when it is purged', async () => {
    await using hive = await openSchedulesInTest()
    const remind = () => hive.reminders.remind('alice', { message: 'm', inSeconds: 60 })
    await remind()
    await hive.registry.destroy('alice')
    hive.wall.now += 120_000
    await hive.reminders.tellDue(hive.wall.now)
    assert.deepEqual([await hive.told(), hive.reminders.nextAt()], [[], undefined])
    await hive.registry.create('alice', 1)
    await hive.reminders.tellDue(hive.wall.now)
    assert.equal((await hive.told()).length, 1)
    await remind()
    await hive.registry.destroy('alice')
    await hive.registry.purge('alice')
    assert.deepEqual(hive.reminders.list({}).reminders, [])
  })

  test('wait while the inbox is full, and those of others do not', async () => {
    await using hive = await openSchedulesInTest()
    for (let n = 0; n < INBOX_CAP; n += 1) await hive.broker.send('operator', { to: 'alice', body: `${n}` })
    for (const agent of ['alice', 'bob']) await hive.reminders.remind(agent, { message: 'm', inSeconds: 60 })
    hive.wall.now += 60_000
    const [failure, ...more] = await hive.reminders.tellDue(hive.wall.now)
    assert.match(String(failure), /alice has 20 unread messages/)
    assert.deepEqual([more, (await hive.told('bob')).length], [[], 1])
    await hive.work('alice')
    assert.deepEqual(await hive.reminders.tellDue(hive.wall.now), [])
    assert.deepEqual(hive.reminders.list({}).reminders, [])
  })
})
