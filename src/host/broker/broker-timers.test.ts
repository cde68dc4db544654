import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openHiveDatabase } from '../database.ts'
import { Broker } from './broker.ts'
import { SqliteStore } from './sqlite-store.ts'

const NO_LIMIT = { perSecond: 1e9, burst: 1e9 }
const FOREVER = new AbortController().signal

test('lets a parked inbox go on by itself although its timer comes early', { timeout: 10_000 }, async () => {
  let clock = 0
  const broker = new Broker({
    store: new SqliteStore({ db: openHiveDatabase(':memory:'), inboxCap: 1000, maxHops: 16 }),
    slots: 4,
    sendRate: NO_LIMIT,
    chainRate: NO_LIMIT,
    recipients: { active: () => ['a'], wasDestroyed: () => false },
    // Goes slower than the timers do.
    now: () => (clock += 0.5),
  })
  using _ = broker
  const epoch = await broker.beginEpoch('a', { charge: false, reason: '' })
  const [id] = await broker.send('operator', { to: 'a', body: 'x' })
  await broker.recv('a', { epoch, waitMs: 0, signal: FOREVER })
  const end = { reason: 'quota', detail: '', resetsAt: clock + 20 } as const
  await broker.endTurn('a', epoch, [id as number], end, false)
  const again = await broker.recv('a', { epoch, waitMs: 60_000, signal: FOREVER })
  assert.equal(again?.attempt, 2)
  assert.equal(broker.store.parked('a'), null)
})
