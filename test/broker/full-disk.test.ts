import assert from 'node:assert/strict'
import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { SqliteStore } from '../../src/host/broker/sqlite-store.ts'
import { openHiveDatabase } from '../../src/host/database.ts'
import { HiveError } from '../../src/wire/errors.ts'
import { fillDisk, openLoopDisk, whyNoLoopDisk } from './loop-disk.ts'

const QUEUED = 200

test('a full disk refuses sends, lets turns go on and end, and goes on by itself', { timeout: 60_000 }, async (t) => {
  const why = await whyNoLoopDisk()
  if (why) return t.skip(why)
  await using disk = await openLoopDisk(48)
  const database = join(disk.path, 'hive.sqlite')
  using db = openHiveDatabase(database)
  const store = new SqliteStore({ db, inboxCap: 10_000, maxHops: 16 })
  const send = () => store.send({ from: 'operator', to: ['alice'], body: 'x'.repeat(1000) })
  for (let n = 0; n < QUEUED; n += 1) await send()
  const { epoch } = await store.beginEpoch('alice', { charge: false, reason: '' })

  const filler = join(disk.path, 'filler')
  fillDisk(disk.path, filler)
  const refusal = await sendUntilRefused(send)
  assert.equal(refusal.code, 'disk_full')
  assert.match(refusal.hint ?? '', /free some space/)
  const before = store.pending('alice')

  let done = 0
  for (; done < QUEUED; done += 1) {
    const [delivery] = (await store.lease('alice', { epoch, joins: false, now: Date.now() })).deliveries
    assert.ok(delivery, `after ${done}`)
    const end = { reason: 'ok', detail: '' } as const
    await store.endTurn('alice', { epoch, ids: [delivery.id], end, accepted: true, now: Date.now(), random: 0 })
  }
  assert.equal(store.pending('alice'), before - QUEUED)
  assert.equal((await store.count()).done, QUEUED)
  assert.equal(existsSync(`${database}.ballast`), false)
  await assert.rejects(send(), { code: 'disk_full' })

  rmSync(filler)
  while (db.isFull) await new Promise((resolve) => setTimeout(resolve, 100))
  assert.equal(existsSync(`${database}.ballast`), true)
  await send()
})

async function sendUntilRefused(send: () => Promise<unknown>): Promise<HiveError> {
  for (;;) {
    try {
      await send()
    } catch (error) {
      assert.ok(error instanceof HiveError)
      return error
    }
  }
}
