import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { openHiveDatabase } from '../database.ts'
import { testStore } from './conformance.ts'
import { SqliteStore } from './sqlite-store.ts'

testStore('sqlite', async () => new SqliteStore({ db: openHiveDatabase(':memory:'), inboxCap: 1_000, maxHops: 16 }))

/** A store in a file, opened again and again. */
function openFile(now: () => number = Date.now) {
  const directory = mkdtempSync(join(tmpdir(), 'store-'))
  return {
    open: () =>
      new SqliteStore({ db: openHiveDatabase(join(directory, 'hive.sqlite')), inboxCap: 1_000, maxHops: 16, now }),
    [Symbol.dispose]: () => rmSync(directory, { recursive: true }),
  }
}

test('tells a follower what changed before it was opened again', async () => {
  using file = openFile()
  let cursor: number
  {
    await using store = file.open()
    await store.send({ from: 'carol', to: ['alice'], body: 'seen' })
    cursor = (await store.list({ limit: 1 })).cursor
    await store.send({ from: 'carol', to: ['alice'], body: 'missed' })
  }
  await using store = file.open()
  const page = await store.changes(cursor, { limit: 10 })
  assert.deepEqual(
    page.messages.map(({ body }) => body),
    ['missed'],
  )
  await store.send({ from: 'carol', to: ['alice'], body: 'new' })
  const next = await store.changes(page.cursor, { limit: 10 })
  assert.deepEqual(
    next.messages.map(({ body }) => body),
    ['new'],
  )
})

test('believes no backoff from the days before the clock was set back', async () => {
  let wall = Date.now()
  using file = openFile(() => wall)
  {
    await using store = file.open()
    await store.send({ from: 'carol', to: ['alice'], body: 'x' })
    const { epoch } = await store.beginEpoch('alice', { charge: false, reason: '' })
    const [delivery] = (await store.lease('alice', { epoch, joins: false, now: wall })).deliveries
    const end = { reason: 'overloaded', detail: '' } as const
    const turn = { epoch, ids: [delivery?.id as number], end, accepted: false, now: wall, random: 0 }
    await store.endTurn('alice', turn)
  }
  wall -= 10 * 86_400_000
  await using store = file.open()
  const { waitUntil } = await store.lease('alice', { epoch: store.epoch('alice'), joins: false, now: wall })
  assert.ok((waitUntil ?? 0) <= wall + 300_000)
})

test('serves the others when the parking of an inbox cannot be read', async () => {
  using db = openHiveDatabase(':memory:')
  db.run(`INSERT INTO inboxes (agent, parked) VALUES ('alice', '{')`)
  const store = new SqliteStore({ db, inboxCap: 1_000, maxHops: 16 })
  assert.deepEqual(
    (await store.undecodable()).map(({ table, id }) => [table, id]),
    [['inboxes', 'alice']],
  )
  assert.equal(store.parked('alice'), null)
  await store.unpark('alice')
  assert.deepEqual(await store.undecodable(), [])
})
