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

test('forgets an agent, and lets others write meanwhile', async () => {
  using db = openEventDatabase(':memory:')
  const store = new EventStore(db)
  const events = Array.from({ length: 2_000 }, (_, n) => ({ n, at: n, event: note('x') }))
  for (const agent of ['alice', 'bob']) await store.append(agent, 1, events)
  const purging = store.purge('alice')
  await store.append('bob', 2, [{ n: 1, at: 1, event: note('meanwhile') }])
  assert.ok(store.hasMoreThan('alice', 0, 0), 'bob had to wait for all of it')
  await purging
  assert.equal(store.hasMoreThan('alice', 0, 0), false)
  assert.equal(store.hasMoreThan('bob', 0, 2_000), true)
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

test('pages back, newest page first', async () => {
  using db = openEventDatabase(':memory:')
  const store = new EventStore(db)
  for (const agent of ['alice', 'bob']) {
    await store.append(
      agent,
      1,
      [1, 2, 3].map((n) => ({ n, at: n, event: note(`${n}`) })),
    )
  }
  const numbers = (before?: number) => store.list('bob', { before, limit: 2 }).map(({ seq, n }) => [seq, n])
  assert.deepEqual(numbers(), [
    [5, 2],
    [6, 3],
  ])
  assert.deepEqual(numbers(5), [[4, 1]])
  assert.deepEqual(numbers(4), [])
  assert.equal(store.newest('alice'), 3)
  assert.equal(store.hasMoreThan('alice', 0, 2), true)
  assert.equal(store.hasMoreThan('alice', 0, 3), false)
  assert.throws(() => store.get('alice', 4), { code: 'not_found' })
})

test('finds what events say, however it is written there, and not the names of their fields', async () => {
  using db = openEventDatabase(':memory:')
  const store = new EventStore(db)
  const texts = ['say "häl\no"', 'nothing', 'SAY "HÄL\nO" again', 'level']
  await store.append(
    'alice',
    1,
    texts.map((text, n) => ({ n, at: n, event: note(text) })),
  )
  const found = (text: string, limit = 10) => store.search('alice', { text, limit }).events.map(({ n }) => n)
  assert.deepEqual(found('"häl\no"'), [2, 0])
  assert.deepEqual(found('LEVEL'), [3])
  assert.deepEqual(found('%'), [])
  const first = store.search('alice', { text: 'say', limit: 1 })
  assert.deepEqual([first.events[0]?.n, first.next], [2, 3])
  const second = store.search('alice', { text: 'say', limit: 1, before: first.next ?? 0 })
  assert.equal(second.events[0]?.n, 0)
})

test('looks at so much of the past in one search, and says where to go on', async () => {
  using db = openEventDatabase(':memory:')
  const store = new EventStore(db)
  const events = Array.from({ length: 6_000 }, (_, n) => ({ n, at: n, event: note(n === 0 ? 'needle' : 'hay') }))
  await store.append('alice', 1, events)
  const first = store.search('alice', { text: 'needle', limit: 10 })
  assert.deepEqual([first.events, first.next], [[], 1_001])
  const second = store.search('alice', { text: 'needle', limit: 10, before: first.next ?? 0 })
  assert.deepEqual([second.events.map(({ n }) => n), second.next], [[0], null])
})
