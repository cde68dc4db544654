import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LiveEvent, StoredEvent } from '../../../wire/events.ts'
import { called, gave, storedEvents } from './events-in-test.ts'
import type { Row } from './row.ts'
import { type EventSource, type Follower, TranscriptStore } from './transcript-store.ts'

const note = (n: number): LiveEvent => ({ kind: 'note', level: 'info', text: `${n}` })
const notes = (count: number): LiveEvent[] => Array.from({ length: count }, (_, n) => note(n + 1))

/** A hive of one agent: what it stores is told of at once. */
class FakeAgent implements EventSource {
  events: StoredEvent[]
  follower: Follower | undefined
  /** Runs when a page was read and has not arrived. */
  onPage = (): void => {}
  calls = 0

  constructor(events: readonly LiveEvent[]) {
    this.events = storedEvents(events)
  }

  page = async ({
    after,
    before = Number.POSITIVE_INFINITY,
    limit,
  }: {
    after?: number
    before?: number
    limit: number
  }) => {
    this.calls += 1
    const page =
      after === undefined
        ? this.events.filter(({ seq }) => seq < before).slice(-limit)
        : this.events.filter(({ seq }) => seq > after).slice(0, limit)
    this.onPage()
    return page
  }

  event = async (seq: number) => this.events.find((event) => event.seq === seq) as StoredEvent

  search = async () => ({ events: [], next: null })

  follow = (follower: Follower) => {
    this.follower = follower
    follower.began(this.newest)
    return () => {
      this.follower = undefined
    }
  }

  get newest(): number {
    return this.events.at(-1)?.seq ?? 0
  }

  store(...events: LiveEvent[]): void {
    const stored = storedEvents(events, this.newest + 10)
    this.events.push(...stored)
    this.follower?.events(stored)
  }

  /** As after a break of the connection that was too long. */
  storeUnheard(...events: LiveEvent[]): void {
    this.events.push(...storedEvents(events, this.newest + 10))
    this.follower?.began(this.newest)
  }
}

const openStore = async (agent: FakeAgent, seq?: number): Promise<TranscriptStore> => {
  const store = new TranscriptStore(agent, (run) => run())
  await store.show(seq)
  return store
}
const texts = (rows: readonly Row[]): string[] => rows.map((row) => (row.kind === 'note' ? row.text : row.kind))
const upTo = (count: number, first = 1): string[] => notes(count).map((_, n) => `${n + first}`)

test('it shows the newest, then what comes, and older pages on demand as far as the beginning', async () => {
  const agent = new FakeAgent(notes(1200))
  const store = await openStore(agent)
  assert.deepEqual(texts(store.snapshot().rows), upTo(500, 701))
  agent.store(note(1201))
  agent.store(note(1202))
  await store.loadOlder()
  await store.loadOlder()
  assert.deepEqual(texts(store.snapshot().rows), upTo(1202))
  await store.loadOlder()
  assert.equal(store.snapshot().hasOlder, false)
  assert.equal(store.snapshot().generation, 1)
})

test('an event that comes while a page is on its way is neither lost nor doubled', async () => {
  const agent = new FakeAgent(notes(3))
  agent.onPage = () => {
    agent.onPage = () => {}
    agent.store(note(4))
  }
  const store = await openStore(agent)
  assert.equal(store.snapshot().hasNewer, true)
  agent.onPage = () => {
    agent.onPage = () => {}
    agent.store(note(5))
  }
  while (store.snapshot().hasNewer) await store.loadNewer()
  agent.store(note(6))
  assert.deepEqual(texts(store.snapshot().rows), upTo(6))
})

test('what a stream could not tell of is fetched', async () => {
  const agent = new FakeAgent(notes(2))
  const store = await openStore(agent)
  agent.storeUnheard(note(3), note(4))
  agent.store(note(5))
  assert.deepEqual(texts(store.snapshot().rows), upTo(2))
  while (store.snapshot().hasNewer) await store.loadNewer()
  assert.deepEqual(texts(store.snapshot().rows), upTo(5))
})

test('an event of long ago is shown with what stands around it; the rest comes page by page until now', async () => {
  const agent = new FakeAgent(notes(3000))
  const store = await openStore(agent, 1000 * 10)
  assert.deepEqual(texts(store.snapshot().rows), upTo(1000, 501))
  assert.equal(texts(store.snapshot().rows)[store.indexOf(10_000)], '1000')
  assert.equal(store.indexOf(20), -1)
  agent.store(note(3001))
  assert.equal(store.snapshot().hasNewer, true)
  while (store.snapshot().hasNewer) await store.loadNewer()
  assert.deepEqual(texts(store.snapshot().rows), upTo(2501, 501))
  await store.show()
  assert.deepEqual([store.snapshot().generation, texts(store.snapshot().rows).at(-1)], [2, '3001'])
})

test('asking for a page again while it is on its way asks once', async () => {
  const agent = new FakeAgent(notes(1200))
  const store = await openStore(agent)
  const before = agent.calls
  await Promise.all([store.loadOlder(), store.loadOlder(), store.loadOlder()])
  assert.equal(agent.calls, before + 1)
})

test('a page that cannot be had is told of, and forgotten when the stream begins again', async () => {
  const agent = new FakeAgent(notes(600))
  const store = await openStore(agent)
  agent.onPage = () => {
    throw new Error('no way')
  }
  await store.loadOlder()
  assert.equal(store.snapshot().problem, 'no way')
  agent.follower?.began(agent.newest)
  assert.equal(store.snapshot().problem, undefined)
})

test('an agent without any event gets its first', async () => {
  const agent = new FakeAgent([])
  const store = await openStore(agent)
  assert.deepEqual([store.snapshot().isOpen, store.snapshot().rows], [true, []])
  agent.store(note(1))
  assert.deepEqual(texts(store.snapshot().rows), ['1'])
})

test('a link to an event that is not there shows what is', async () => {
  const agent = new FakeAgent([])
  const store = await openStore(agent, 1_000_000)
  agent.store(note(1))
  assert.deepEqual(texts(store.snapshot().rows), ['1'])
})

test('a row is fetched whole', async () => {
  const agent = new FakeAgent([called('a', 'Bash', { command: 'cat' }), note(1), gave('a', 'x'.repeat(9000))])
  const store = await openStore(agent)
  const [row] = store.snapshot().rows
  assert.equal(row?.kind, 'calls')
  assert.equal(row.calls[0]?.result?.text.text.length, 2000)
  const whole = await store.whole(row)
  assert.equal(whole.kind === 'calls' && whole.calls[0]?.result?.text.text.length, 9000)
})

test('when it is closed it hears no more', async () => {
  const agent = new FakeAgent(notes(1))
  const store = await openStore(agent)
  store.close()
  assert.equal(agent.follower, undefined)
})

test('what is asked for the moment that something was fetched is fetched too', { timeout: 10_000 }, async () => {
  const agent = new FakeAgent(notes(600))
  const store = await openStore(agent)
  // As a page does that shows the end.
  store.subscribe(() => {
    if (store.snapshot().hasNewer) void store.loadNewer()
  })
  agent.onPage = () => {
    agent.onPage = () => {}
    agent.storeUnheard(note(601))
  }
  await store.loadOlder()
  while (store.snapshot().hasNewer) await new Promise(setImmediate)
  assert.deepEqual(texts(store.snapshot().rows), upTo(601))
})

test('what was put out of sight stays there while more comes, and is there again when it is asked for', async () => {
  const agent = new FakeAgent(notes(3))
  const store = await openStore(agent)
  await store.clear()
  agent.store(note(4))
  assert.deepEqual(texts(store.snapshot().rows), ['4'])
  await store.loadOlder()
  assert.deepEqual([texts(store.snapshot().rows), store.snapshot().isCleared], [['4'], true])
  await store.unclear()
  assert.deepEqual([texts(store.snapshot().rows), store.snapshot().isCleared], [upTo(4), false])
})
