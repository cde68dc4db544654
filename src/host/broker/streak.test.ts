import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TurnReason } from '../../wire/turn.ts'
import { openHiveDatabase } from '../database.ts'
import { createIntervals } from '../intervals.ts'
import { backoffMs } from './outcome.ts'
import { SqliteStore } from './sqlite-store.ts'

const INTERVALS = createIntervals()

test('an inbox waits longer while the API is away, and begins anew after any other end or when it is let go on', async () => {
  using db = openHiveDatabase(':memory:')
  const store = new SqliteStore({ db, inboxCap: 1_000, maxHops: 16 })
  const { epoch } = await store.beginEpoch('alice', { charge: false, reason: '' })
  for (const body of ['first', 'second']) await store.send({ from: 'operator', to: ['alice'], body })
  let now = 0
  /** Takes a turn that ends so; gives how long the next one has to wait. */
  const turn = async (reason: TurnReason): Promise<number> => {
    const [delivery] = (await store.lease('alice', { epoch, joins: false, now })).deliveries
    assert.ok(delivery)
    const end = { reason, detail: '' }
    await store.endTurn('alice', { epoch, ids: [delivery.id], end, accepted: reason === 'ok', now, random: 1 })
    const next = await store.lease('alice', { epoch, joins: false, now })
    if (next.deliveries.length > 0) await store.reclaim('alice', { charge: false, reason: '' })
    const waited = (next.waitUntil ?? now) - now
    now += waited
    return waited
  }
  assert.equal(await turn('overloaded'), backoffMs(0, 1, INTERVALS))
  assert.equal(await turn('network'), backoffMs(1, 1, INTERVALS))
  assert.equal(await turn('crash'), 0)
  assert.equal(await turn('overloaded'), backoffMs(0, 1, INTERVALS))
  assert.equal(await turn('overloaded'), backoffMs(1, 1, INTERVALS))
  assert.equal(await turn('ok'), 0)
  assert.equal(await turn('overloaded'), backoffMs(0, 1, INTERVALS))
  await store.unpark('alice')
  assert.equal(await turn('overloaded'), backoffMs(0, 1, INTERVALS))
})
