import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createNotifier } from '../../kit/notifier.ts'
import { openHiveDatabase } from '../database.ts'
import { Needs } from '../needs/needs.ts'
import { sourcesOf } from '../needs/sources-in-test.ts'
import { SqliteStore } from './sqlite-store.ts'

test('a row that cannot be read is shown, and holds nobody up', async () => {
  using db = openHiveDatabase(':memory:')
  const store = new SqliteStore({ db, inboxCap: 1_000, maxHops: 16 })
  const { ids } = await store.send({ from: 'carol', to: ['alice'], body: 'broken' })
  await store.send({ from: 'carol', to: ['alice'], body: 'sound' })
  db.run('DELETE FROM bodies WHERE id = ?', ids[0] as number)

  const { messages, errors } = await store.list({ limit: 10 })
  assert.deepEqual(
    messages.map(({ body }) => body),
    ['sound'],
  )
  assert.deepEqual(
    errors.map(({ table, id }) => [table, id]),
    [['messages', String(ids[0])]],
  )
  const { epoch } = await store.beginEpoch('alice', { charge: false, reason: '' })
  assert.equal((await store.lease('alice', { epoch, joins: false, now: 0 })).deliveries[0]?.body, 'sound')
  assert.deepEqual(
    (await new Needs(sourcesOf({ store, undecodable: () => store.undecodable() }), createNotifier()).list()).map(
      ({ kind }) => kind,
    ),
    ['undecodable'],
  )
})
