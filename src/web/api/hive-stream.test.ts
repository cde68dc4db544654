import assert from 'node:assert/strict'
import { test } from 'node:test'
import { frameText } from '../../wire/frames.ts'
import type { Connection } from './connection.ts'
import { type Follower, HiveStream } from './hive-stream.ts'

/** A server that a test plays: each connection waits for what the test does with it. */
function createServer() {
  const opened: { url: string; after: string; send: (text: string) => void; cut: () => void }[] = []
  let changed = Promise.withResolvers<void>()
  let refuse: Response | undefined
  const serve: typeof fetch = async (url, { headers, signal } = {}) => {
    if (refuse) return refuse
    let controller: ReadableStreamDefaultController<Uint8Array>
    const body = new ReadableStream<Uint8Array>({
      start: (given) => {
        controller = given
      },
    })
    signal?.addEventListener('abort', () => controller.error(signal.reason))
    opened.push({
      url: String(url),
      after: (headers as Record<string, string>)['last-event-id'] ?? '',
      send: (text) => controller.enqueue(new TextEncoder().encode(text)),
      cut: () => controller.close(),
    })
    changed.resolve()
    changed = Promise.withResolvers()
    return new Response(body)
  }
  return {
    serve,
    opened,
    refuseWith: (response: Response) => {
      refuse = response
    },
    /** The `n`-th connection, from 0. */
    async connection(n: number) {
      while (!opened[n]) await changed.promise
      return opened[n]
    },
  }
}

/** Follows one topic and remembers what comes. */
function createFollower(position = 5) {
  const taken: string[] = []
  let loads = 0
  let heard = Promise.withResolvers<void>()
  const follower: Follower = {
    load: async () => {
      loads += 1
      heard.resolve()
      heard = Promise.withResolvers()
      return position
    },
    take: ({ data }) => {
      taken.push(data)
      heard.resolve()
      heard = Promise.withResolvers()
    },
  }
  return {
    follower,
    taken,
    loads: () => loads,
    async until(isSo: () => boolean) {
      while (!isSo()) await heard.promise
    },
  }
}

const frame = (topic: string, position: number, text: string) =>
  frameText({ event: topic, id: `${topic}=${position}`, data: JSON.stringify(text) })

function openStream(serve: typeof fetch, more: { silenceMs?: number } = {}) {
  const connections: Connection['is'][] = []
  const stream = new HiveStream({
    origin: { token: 't', fetch: serve },
    onConnection: ({ is }) => void connections.push(is),
    random: () => 0,
    ...more,
  })
  return { stream, connections }
}

test('it loads first, and goes on after the last frame when it is cut', async () => {
  const server = createServer()
  const { stream, connections } = openStream(server.serve)
  using _ = stream
  const { follower, taken, loads, until } = createFollower()
  stream.follow('state', follower)
  const first = await server.connection(0)
  assert.deepEqual([first.url, first.after], ['/api/stream?topics=state', 'state=5'])
  first.send(frame('state', 6, 'six'))
  await until(() => taken.length === 1)
  first.cut()
  const second = await server.connection(1)
  assert.equal(second.after, 'state=6')
  assert.equal(loads(), 1)
  assert.deepEqual(connections, ['live', 'waiting', 'connecting', 'live'])
})

test('a frame that was cut in the middle is not taken', async () => {
  const server = createServer()
  const { stream } = openStream(server.serve)
  using _ = stream
  const { follower, taken, until } = createFollower()
  stream.follow('state', follower)
  const first = await server.connection(0)
  first.send(frame('state', 6, 'six') + frame('state', 7, 'seven').slice(0, 20))
  await until(() => taken.length === 1)
  first.cut()
  assert.equal((await server.connection(1)).after, 'state=6')
  assert.deepEqual(taken, ['"six"'])
})

test('a topic that cannot be gone on with is loaded again', async () => {
  const server = createServer()
  const { stream } = openStream(server.serve)
  using _ = stream
  const { follower, loads, until } = createFollower()
  stream.follow('state', follower)
  const first = await server.connection(0)
  first.send(frameText({ event: 'resync', id: 'state=9', data: '{"topic":"state"}' }))
  await until(() => loads() === 2)
})

test('another topic joins the same stream, without loading the first again', async () => {
  const server = createServer()
  const { stream } = openStream(server.serve)
  using _ = stream
  const state = createFollower()
  const events = createFollower(40)
  stream.follow('state', state.follower)
  await server.connection(0)
  const leave = stream.follow('events:bob', events.follower)
  const second = await server.connection(1)
  assert.equal(second.url, '/api/stream?topics=state,events:bob')
  assert.equal(second.after, 'state=5;events:bob=40')
  second.send(frame('events:bob', 41, 'hello'))
  await events.until(() => events.taken.length === 1)
  leave()
  assert.equal((await server.connection(2)).after, 'state=5')
  assert.equal(state.loads(), 1)
})

test('a stream that is silent is opened again; a sign of life keeps it', async () => {
  const server = createServer()
  const { stream, connections } = openStream(server.serve, { silenceMs: 50 })
  using _ = stream
  stream.follow('state', createFollower().follower)
  const first = await server.connection(0)
  first.send(': alive\n\n')
  await server.connection(1)
  assert.deepEqual(connections.slice(0, 2), ['live', 'waiting'])
})

test('a token that opens nothing is not tried again by itself', async () => {
  const server = createServer()
  const error = { code: 'forbidden', message: 'the token is missing' }
  server.refuseWith(Response.json({ error }, { status: 401 }))
  const refused = Promise.withResolvers<void>()
  using stream = new HiveStream({
    origin: { token: 't', fetch: server.serve },
    onConnection: ({ is }) => is === 'refused' && refused.resolve(),
  })
  stream.follow('state', createFollower().follower)
  await refused.promise
  assert.equal(server.opened.length, 0)
})
