import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openHiveDatabase } from '../database.ts'
import { Broker } from './broker.ts'
import { SqliteStore } from './sqlite-store.ts'

const NO_LIMIT = { perSecond: 1e9, burst: 1e9 }
const FOREVER = new AbortController().signal

/** A broker whose wall clock the test sets. */
function openBroker(wall: { now: number }) {
  const db = openHiveDatabase(':memory:')
  return new Broker({
    store: new SqliteStore({ db, inboxCap: 1000, maxHops: 16, now: () => wall.now }),
    slots: 4,
    sendRate: NO_LIMIT,
    chainRate: NO_LIMIT,
    recipients: { names: () => ['a'], has: () => true, wasDestroyed: () => false },
    now: () => performance.now(),
    wallNow: () => wall.now,
    random: () => 0,
  })
}

/** Parks an inbox until `until`; gives what the next recv will bring. */
async function park(broker: Broker, until: number) {
  const epoch = await broker.beginEpoch('a', { charge: false, reason: '' })
  const [id] = await broker.send('operator', { to: 'a', body: 'x' })
  await broker.recv('a', { epoch, waitMs: 0, signal: FOREVER })
  await broker.endTurn('a', epoch, [id as number], { reason: 'quota', detail: '', resetsAt: until }, false)
  return (await broker.recv('a', { epoch, waitMs: 1e9, signal: FOREVER }))[0]
}

test('lets a parked inbox go on by itself although its timer comes early', { timeout: 20_000 }, async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const wall = { now: 1_000_000 }
  using broker = openBroker(wall)
  const parked = park(broker, wall.now + 10_000)
  await once(() => broker.store.parked('a') !== null)
  wall.now += 9_999.5
  t.mock.timers.tick(10_000)
  assert.notEqual(broker.store.parked('a'), null)
  wall.now += 1
  t.mock.timers.tick(1)
  assert.equal((await parked)?.attempt, 2)
  assert.equal(broker.store.parked('a'), null)
})

test('notices within a minute that the clock was set, or that the machine slept', { timeout: 20_000 }, async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const wall = { now: 1_000_000 }
  using broker = openBroker(wall)
  const parked = park(broker, wall.now + 8 * 3_600_000)
  await once(() => broker.store.parked('a') !== null)
  t.mock.timers.tick(60_000)
  assert.notEqual(broker.store.parked('a'), null)
  wall.now += 9 * 3_600_000
  t.mock.timers.tick(60_000)
  assert.equal((await parked)?.attempt, 2)
})

test('does not hurry when the reset time of a quota has passed', async () => {
  const wall = { now: 1_000_000 }
  using broker = openBroker(wall)
  void park(broker, wall.now - 1)
  await once(() => broker.store.parked('a') !== null)
  assert.equal(broker.store.parked('a')?.until, wall.now + 5_000)
})

async function once(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve))
}
