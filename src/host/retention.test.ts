import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLog } from '../kit/log.ts'
import { SqliteStore } from './broker/sqlite-store.ts'
import { openEventDatabase, openHiveDatabase } from './database.ts'
import { EventStore } from './events/event-store.ts'
import { KEEP_DONE_MS, KEEP_STREAM_MS, type Perishable, Retention, STEP } from './retention.ts'

const retentionOf = (perishables: readonly Perishable[], now: () => number) =>
  new Retention({ perishables, everyMs: 3_600_000, log: createLog('silent'), now })

const turn = () => new Promise((resolve) => setImmediate(resolve))

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
  await using _ = retentionOf(
    [{ what: 'messages', keepMs: KEEP_DONE_MS, vacuum: (before, limit) => store.vacuum(before, limit) }],
    () => now,
  )
  while ((await store.count()).done > 1) await turn()
  assert.deepEqual(await store.count(), { queued: 1, leased: 0, done: 1, dead: 0 })
})

test('deletes lines of the stream by the clock of the daemon, whatever their agent says, and keeps the other events', async () => {
  using db = openEventDatabase(':memory:')
  let now = 1_000
  const events = new EventStore(db, undefined, () => now)
  const stream = { kind: 'stream', value: {} } as const
  const note = { kind: 'note', level: 'info', text: 'kept' } as const
  await events.append('alice', 1, [
    { n: 1, at: Number.MAX_SAFE_INTEGER, event: stream },
    { n: 2, at: 0, event: note },
  ])
  now += KEEP_STREAM_MS
  await events.append('alice', 1, [{ n: 3, at: 0, event: stream }])
  now += 1
  await using _ = retentionOf(
    [{ what: 'events', keepMs: KEEP_STREAM_MS, vacuum: (before, limit) => events.vacuum(before, limit) }],
    () => now,
  )
  const numbers = () => events.list('alice', { limit: 10 }).map(({ n }) => n)
  while (numbers().length > 2) await turn()
  assert.deepEqual(numbers(), [2, 3])
})

test('lets others in between its steps', async () => {
  using db = openHiveDatabase(':memory:')
  const store = new SqliteStore({ db, inboxCap: 10_000, maxHops: 16, now: () => 1_000 })
  const send = () => store.send({ from: 'alice', to: ['operator'], body: 'x' })
  await Promise.all(Array.from({ length: 5 * STEP + 2 }, send))
  const left: number[] = []
  await using _ = retentionOf(
    [{ what: 'messages', keepMs: 0, vacuum: (before, limit) => store.vacuum(before, limit) }],
    () => 2_000,
  )
  do {
    // Something else is written, and is answered, before the next step.
    await db.write(() => db.run("INSERT INTO settings VALUES ('other', '') ON CONFLICT DO NOTHING"))
    left.push((await store.count()).done)
  } while ((left.at(-1) ?? 0) > 1)
  assert.ok(left.length >= 5, `${left}`)
})

test('goes in bounded steps, goes on where a sweep was ended, and shows what fails', async () => {
  let left = 3 * STEP + 1
  const limits: number[] = []
  const many = (onStep: () => void): Perishable => ({
    what: 'things',
    keepMs: 0,
    async vacuum(_, limit) {
      limits.push(limit)
      const deleted = Math.min(left, limit)
      left -= deleted
      onStep()
      await turn()
      return deleted
    },
  })
  const begun = Promise.withResolvers<void>()
  {
    await using _ = retentionOf([many(begun.resolve)], Date.now)
    await begun.promise
  }
  assert.deepEqual(limits, [STEP], 'the step that had begun was the last')
  const failing: Perishable = { what: 'others', keepMs: 0, vacuum: () => Promise.reject(new Error('no')) }
  await using next = retentionOf([failing, many(() => {})], Date.now)
  while (left > 0) await turn()
  assert.deepEqual(limits, [STEP, STEP, STEP, STEP])
  assert.deepEqual(
    next.errors().map(({ where, problem }) => [where, problem]),
    [['deletion of old others', 'no']],
  )
})
