import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { openSchedulesInTest } from './schedules-in-test.ts'

const HOURLY = { cron: '0 * * * *', message: 'look' }

describe('schedules', () => {
  test('tell an agent when it is time, from the deployment on', async () => {
    await using hive = await openSchedulesInTest()
    const daily = { cron: '30 12 * * *', message: 'count' }
    await hive.deploy('alice', HOURLY, daily)
    assert.equal(hive.schedules.nextAt(), Date.parse('2026-06-01T11:00:00Z'))
    hive.set('2026-06-01T10:59:59Z')
    await hive.schedules.tellDue(hive.wall.now)
    assert.deepEqual(await hive.told(), [])
    hive.set('2026-06-01T11:00:00Z')
    assert.deepEqual(await hive.schedules.tellDue(hive.wall.now), [])
    assert.deepEqual(await hive.schedules.tellDue(hive.wall.now), [])
    assert.deepEqual(await hive.told(), [{ event: 'scheduled', ...HOURLY, dueAt: hive.wall.now }])
    const nextAt = (time: string) => Date.parse(`2026-06-01T${time}:00Z`)
    assert.deepEqual(hive.schedules.list({ limit: 9 }), [
      { agent: 'alice', ...HOURLY, nextAt: nextAt('12:00'), lastAt: nextAt('11:00') },
      { agent: 'alice', ...daily, nextAt: nextAt('12:30'), lastAt: null },
    ])
    assert.deepEqual(hive.schedules.list({ agent: 'bob', limit: 9 }), [])
  })

  test('what was missed is told once, for the first time that was missed', async () => {
    await using hive = await openSchedulesInTest()
    await hive.deploy('alice', HOURLY)
    hive.set('2026-06-04T09:10:00Z')
    hive.restart()
    await hive.schedules.tellDue(hive.wall.now)
    await hive.work('alice')
    hive.set('2026-06-04T10:00:00Z')
    await hive.schedules.tellDue(hive.wall.now)
    assert.deepEqual(await hive.times(), ['2026-06-01T11:00', '2026-06-04T10:00'])
  })

  test('do not pile up while the last message of the entry is not done', async () => {
    await using hive = await openSchedulesInTest()
    const other = { cron: '0 */2 * * *', message: 'other' }
    await hive.deploy('alice', HOURLY, other)
    for (const hour of [11, 12, 13, 14]) {
      hive.set(`2026-06-01T${hour}:00:00Z`)
      await hive.schedules.tellDue(hive.wall.now)
    }
    assert.deepEqual(await hive.times(), ['2026-06-01T11:00', '2026-06-01T12:00'])
    await hive.work('alice')
    hive.set('2026-06-01T15:00:00Z')
    await hive.schedules.tellDue(hive.wall.now)
    assert.deepEqual((await hive.times()).slice(2), ['2026-06-01T15:00'])
  })

  test('a deployment leaves alone what it does not change, begins what is new, ends what is gone', async () => {
    await using hive = await openSchedulesInTest()
    const gone = { cron: '30 * * * *', message: 'gone' }
    await hive.deploy('alice', HOURLY, gone)
    hive.set('2026-06-01T11:40:00Z')
    // All of it was due, and is so still.
    await hive.deploy('alice', HOURLY, { cron: '* * * * *', message: 'new' })
    assert.deepEqual(
      (await hive.told()).map(({ message }) => message),
      ['look'],
    )
    hive.set('2026-06-01T11:41:00Z')
    await hive.schedules.tellDue(hive.wall.now)
    assert.deepEqual(
      (await hive.told()).map(({ message }) => message),
      ['look', 'new'],
    )
    await hive.deploy('alice')
    assert.deepEqual([hive.schedules.list({ limit: 9 }), hive.schedules.nextAt()], [[], undefined])
  })

  test('a daemon that is killed after a message was stored does not send it again', async () => {
    await using hive = await openSchedulesInTest()
    await hive.deploy('alice', HOURLY)
    hive.set('2026-06-01T11:00:10Z')
    hive.dies.at = 'schedule.told'
    assert.equal((await hive.schedules.tellDue(hive.wall.now)).length, 1)
    await hive.work('alice')
    hive.dies.at = ''
    hive.set('2026-06-01T14:30:00Z')
    hive.restart()
    assert.deepEqual(await hive.schedules.tellDue(hive.wall.now), [])
    assert.deepEqual(await hive.times(), ['2026-06-01T11:00'])
    assert.equal(hive.schedules.nextAt(), Date.parse('2026-06-01T15:00:00Z'))
  })

  test('a clock that goes back makes nothing come twice, and nothing wait for a time that was wrong', async () => {
    await using hive = await openSchedulesInTest()
    await hive.deploy('alice', HOURLY)
    const look = async (time: string) => {
      hive.set(time)
      assert.deepEqual(await hive.schedules.tellDue(hive.wall.now), [])
      await hive.work('alice')
    }
    await look('2026-06-01T11:00:00Z')
    await look('2026-06-01T17:20:00Z')
    await look('2026-06-01T11:21:00Z')
    assert.equal(hive.schedules.nextAt(), Date.parse('2026-06-01T12:00:00Z'))
    for (const hour of [12, 13, 14]) await look(`2026-06-01T${hour}:00:00Z`)
    const expected = ['11:00', '12:00', '13:00', '14:00'].map((time) => `2026-06-01T${time}`)
    assert.deepEqual(await hive.times(), expected)
  })

  test('of a destroyed agent rest, and go with it when it is purged', async () => {
    await using hive = await openSchedulesInTest()
    await hive.deploy('alice', HOURLY)
    await hive.registry.destroy('alice')
    hive.set('2026-06-02T12:00:00Z')
    assert.deepEqual(await hive.schedules.tellDue(hive.wall.now), [])
    assert.deepEqual([hive.schedules.nextAt(), hive.schedules.list({ limit: 9 })], [undefined, []])
    await hive.registry.create('alice', 1)
    await hive.schedules.tellDue(hive.wall.now)
    assert.deepEqual(await hive.times(), ['2026-06-01T11:00'])
    await hive.registry.destroy('alice')
    await hive.registry.purge('alice')
    assert.equal(hive.db.get('SELECT count(*) AS n FROM schedules')?.n, 0)
  })

  test('go by the time zone that they were given', async () => {
    await using hive = await openSchedulesInTest({ at: '2026-03-28T12:00:00Z', timeZone: 'Europe/Berlin' })
    await hive.deploy('alice', { cron: '30 2 * * *', message: 'nightly' })
    for (const night of ['2026-03-29T01:00:00Z', '2026-03-30T00:30:00Z']) {
      assert.equal(hive.schedules.nextAt(), Date.parse(night))
      hive.set(night)
      await hive.schedules.tellDue(hive.wall.now)
      await hive.work('alice')
    }
    assert.equal((await hive.told()).length, 2)
  })

  test('an entry that means nothing is said, and does not keep other agents waiting', async () => {
    await using hive = await openSchedulesInTest()
    const [failure] = await hive.deploy('alice', { cron: '0 0 30 2 *', message: 'never' })
    assert.match(String(failure), /the schedule "0 0 30 2 \*" of alice: that day never comes/)
    await hive.deploy('bob', HOURLY)
    hive.set('2026-06-01T11:00:00Z')
    assert.equal((await hive.schedules.tellDue(hive.wall.now)).length, 1)
    assert.deepEqual(await hive.times('bob'), ['2026-06-01T11:00'])
  })

  test('a hundred agents for a day: the due number of messages, and no look between two due times', async () => {
    const agents = Array.from({ length: 100 }, (_, n) => `a${n}`)
    await using hive = await openSchedulesInTest({ at: '2026-06-01T00:00:00Z', agents })
    // The odd ones have a schedule, a third of those two.
    for (const [n, agent] of agents.entries()) {
      if (n % 2 === 0) await hive.deploy(agent)
      else if (n % 3 === 0) await hive.deploy(agent, HOURLY, { cron: '15 6,18 * * *', message: 'twice' })
      else await hive.deploy(agent, HOURLY)
    }
    const end = Date.parse('2026-06-02T00:00:00Z')
    let looks = 0
    for (let next = hive.schedules.nextAt(); next !== undefined && next <= end; next = hive.schedules.nextAt()) {
      hive.wall.now = next
      assert.deepEqual(await hive.schedules.tellDue(next), [])
      for (const agent of agents) await hive.work(agent)
      looks += 1
    }
    assert.equal(looks, 24 + 2)
    assert.equal((await hive.told()).length, 50 * 24 + 17 * 2)
    assert.equal((await hive.told('a2')).length, 0)
    assert.equal((await hive.told('a3')).length, 26)
  })
})
