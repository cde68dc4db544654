import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LiveEvent } from '../../wire/events.ts'
import { openEventDatabase } from '../database.ts'
import { EventStore } from './event-store.ts'

const note = (text: string): LiveEvent => ({ kind: 'note', level: 'info', text })

test('gives large events in pages, none left out', async () => {
  using db = openEventDatabase(':memory:')
  const store = new EventStore(db)
  const events = Array.from({ length: 60 }, (_, n) => ({ n, at: n, event: note('x'.repeat(100_000)) }))
  await store.append('alice', 1, events)
  await store.append('alice', 1, events)
  const seen: number[] = []
  for (let after = 0; ; ) {
    const page = store.list('alice', { after, limit: 500 })
    if (page.length === 0) break
    assert.ok(page.length < 30, `${page.length} events of 100 kB in a page`)
    seen.push(...page.map(({ n }) => n))
    after = page.at(-1)?.seq ?? 0
  }
  assert.deepEqual(
    seen,
    events.map(({ n }) => n),
  )
  assert.equal(store.list('alice', { limit: 500 }).at(-1)?.n, 59)
})

test('leaves what space is left to the messages', async () => {
  using db = openEventDatabase(':memory:')
  const store = new EventStore(db, () => true)
  await assert.rejects(store.append('alice', 1, [{ n: 1, at: 1, event: note('x') }]), { code: 'disk_full' })
})

test('shows a row that cannot be read in its place', async () => {
  using db = openEventDatabase(':memory:')
  const store = new EventStore(db)
  await store.append('alice', 1, [
    { n: 1, at: 1, event: note('first') },
    { n: 2, at: 2, event: note('second') },
  ])
  db.run(`UPDATE events SET event = '{' WHERE n = 1`)
  const [broken, sound] = store.list('alice', { after: 0, limit: 10 })
  assert.match(JSON.stringify(broken?.event), /cannot be decoded/)
  assert.deepEqual(sound?.event, note('second'))
})
