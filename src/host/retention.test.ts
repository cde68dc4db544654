import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLog } from '../kit/log.ts'
import { SqliteStore } from './broker/sqlite-store.ts'
import { openHiveDatabase } from './database.ts'
import { KEEP_DONE_MS, startRetention } from './retention.ts'

test('deletes what was done more than 30 days ago, and nothing else', async () => {
  using db = openHiveDatabase(':memory:')
  let now = 1_000
  const store = new SqliteStore({ db, inboxCap: 10_000, maxHops: 16, now: () => now })
  const send = (to: string) => store.send({ from: 'alice', to: [to], body: 'x' })
  // To the operator it is done once stored.
  await Promise.all(Array.from({ length: 1_200 }, () => send('operator')))
  await send('bob')
  now += KEEP_DONE_MS
  await send('operator')
  now += 1
  using _retention = startRetention(store, createLog('silent'), () => now)
  while ((await store.count()).done > 1) await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual(await store.count(), { queued: 1, leased: 0, done: 1, dead: 0 })
})
