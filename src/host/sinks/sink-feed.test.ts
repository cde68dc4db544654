import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLog } from '../../kit/log.ts'
import { createNotifier } from '../../kit/notifier.ts'
import type { Need } from '../../wire/things.ts'
import { openHiveDatabase } from '../database.ts'
import { SinkFeed, type SinkFeedOptions } from './sink-feed.ts'
import { openSinkServer, type SinkServer } from './sink-in-test.ts'

const TIMES = { graceMs: 5, burstMs: 1, forgetMs: 1, soonestMs: 1, latestMs: 20, retryFirstMs: 1, retryLongestMs: 10 }

const failed = (agent: string): Need => ({
  kind: 'failed',
  key: `failed:${agent}`,
  since: 0,
  link: `/a/${agent}`,
  actions: [],
  agent,
  detail: 'it \u202e keeps ending, and what it said is long',
})

/** A list of needs that can be changed, a database, and a feed of it. */
function openRoom(server: SinkServer) {
  const db = openHiveDatabase(':memory:')
  let list: Need[] = []
  const changes = createNotifier()
  const feed = (more: Partial<SinkFeedOptions> = {}) =>
    new SinkFeed({
      sink: { kind: 'ntfy', url: `${server.url}/my-topic`, priority: 3 },
      db,
      needs: { list: () => Promise.resolve(list), changes },
      secret: () => undefined,
      urgent: ['low_disk'],
      characters: 20,
      times: TIMES,
      log: createLog('silent'),
      now: () => performance.now(),
      ...more,
    })
  return {
    db,
    feed,
    changes,
    list: () => Promise.resolve(list),
    wait(...needs: Need[]) {
      list = needs
      changes.notify()
    },
    /** Resolves when the sink was told of exactly these, and that is written down. */
    async noted(...keys: string[]) {
      const rows = () => db.all('SELECT key FROM notified ORDER BY key').map(({ key }) => String(key))
      while (rows().join() !== keys.join()) await new Promise((resolve) => setImmediate(resolve))
    },
    [Symbol.dispose]: () => db.close(),
  }
}

const titles = (server: SinkServer) => server.received.map(({ body }) => body.title)

test('tells each thing once, over restarts too, and again when it comes again', { timeout: 20_000 }, async () => {
  await using server = await openSinkServer()
  using room = openRoom(server)
  room.wait(failed('alice'))
  {
    await using _ = room.feed({ publicUrl: 'https://hive.example/' })
    await room.noted('failed:alice')
  }
  assert.deepEqual(server.received[0]?.path, '/')
  assert.deepEqual(server.received[0]?.body, {
    topic: 'my-topic',
    title: 'alice failed',
    message: 'it <U+202E> keeps e…',
    tags: ['failed'],
    priority: 3,
    click: 'https://hive.example/a/alice',
  })
  await using _ = room.feed()
  room.wait(failed('alice'), failed('bob'))
  await room.noted('failed:alice', 'failed:bob')
  room.wait(failed('bob'))
  await room.noted('failed:bob')
  room.wait(failed('alice'), failed('bob'))
  await room.noted('failed:alice', 'failed:bob')
  assert.deepEqual(titles(server), ['alice failed', 'bob failed', 'alice failed'])
})

test('what is away for a moment, as everything is after a restart, is not told again', {
  timeout: 20_000,
}, async () => {
  await using server = await openSinkServer()
  using room = openRoom(server)
  room.wait(failed('alice'))
  {
    await using _ = room.feed()
    await room.noted('failed:alice')
  }
  room.wait()
  const looked = Promise.withResolvers<void>()
  const list = () => {
    looked.resolve()
    return room.list()
  }
  await using _ = room.feed({ needs: { list, changes: room.changes }, times: { ...TIMES, forgetMs: 60_000 } })
  await looked.promise
  room.wait(failed('alice'), failed('bob'))
  await room.noted('failed:alice', 'failed:bob')
  assert.deepEqual(titles(server), ['alice failed', 'bob failed'])
})

test('a sink that fails is shown and tried again, with what waits by then', { timeout: 20_000 }, async () => {
  await using server = await openSinkServer()
  using room = openRoom(server)
  server.status = 503
  await using feed = room.feed()
  room.wait(failed('alice'))
  await server.requests(2)
  while (feed.errors().length === 0) await new Promise((resolve) => setImmediate(resolve))
  assert.match(feed.errors()[0]?.problem ?? '', /answered 503/)
  room.wait(failed('bob'))
  server.status = 200
  await room.noted('failed:bob')
  while (feed.errors().length > 0) await new Promise((resolve) => setImmediate(resolve))
  assert.equal(titles(server).at(-1), 'bob failed')
})

test('is still in quiet hours, and tells all of it in one when they end', { timeout: 20_000 }, async () => {
  await using server = await openSinkServer()
  using room = openRoom(server)
  const local = (hour: number) => new Date(2026, 0, 10, hour).getTime()
  let wall = local(23)
  const quietHours = { from: '22:00', to: '07:00' }
  await using _ = room.feed({
    quietHours,
    wallNow: () => wall,
    sink: { kind: 'webhook', url: server.url, headers: {} },
  })
  const disk: Need = { kind: 'low_disk', key: 'low_disk', since: 0, link: '/', actions: [], detail: '1 MiB is free' }
  room.wait(failed('alice'), failed('bob'), disk)
  await server.requests(1)
  wall = local(31)
  room.wait(failed('alice'), failed('bob'))
  await server.requests(2)
  assert.deepEqual(
    server.received.map(({ body }) => body),
    [
      {
        title: 'The disk is nearly full',
        text: '1 MiB is free',
        urgent: true,
        kinds: ['low_disk'],
        keys: ['low_disk'],
        link: null,
      },
      {
        title: '2 things wait for you',
        text: 'alice failed\nbob failed',
        urgent: false,
        kinds: ['failed'],
        keys: ['failed:alice', 'failed:bob'],
        link: null,
      },
    ],
  )
})
