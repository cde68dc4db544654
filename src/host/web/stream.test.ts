import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { describe, test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import { freePort } from '../../kit/free-port-in-test.ts'
import { createNotifier } from '../../kit/notifier.ts'
import type { LiveEvent } from '../../wire/events.ts'
import { type Frame, parsePositions } from '../../wire/frames.ts'
import { FRAMES } from '../../wire/stream.ts'
import type { Message } from '../../wire/things.ts'
import type { Source } from './sources.ts'
import { writeStream } from './stream.ts'
import { followStream, openCuttingProxy, StateView } from './stream-in-test.ts'
import { contentsOf, needOf, openTestWeb } from './web-in-test.ts'

const note = (text: string): LiveEvent => ({ kind: 'note', level: 'info', text })

describe('a stream', { timeout: 120_000 }, () => {
  test('F18: cut all the time while 10,000 things change, it loses nothing and doubles nothing', async () => {
    const port = await freePort()
    // By the name that the proxy has, so that the gate lets its clients in.
    await using proxy = await openCuttingProxy(port)
    await using hive = await openTestWeb({ port, allowedHosts: [`127.0.0.1:${proxy.port}`] })
    const through = { base: `http://127.0.0.1:${proxy.port}`, token: hive.token.value }
    const view = new StateView(through)
    const { seq } = await view.fetch()
    const seen: number[] = []
    const messages = new Map<number, Message>()
    const done = new AbortController()
    const following = followStream({
      ...through,
      topics: 'state,messages,events:alice',
      after: `state=${seq};messages=0;events:alice=0`,
      signal: done.signal,
      async onFrame(frame) {
        await view.take(frame)
        assert.notEqual(frame.event === 'resync' && frame.data, '{"topic":"events:alice"}')
        if (frame.event === 'events:alice') {
          for (const event of FRAMES.events.parse(JSON.parse(frame.data)).events) seen.push(event.n)
        } else if (frame.event === 'messages') {
          for (const one of FRAMES.messages.parse(JSON.parse(frame.data)).messages) messages.set(one.id, one)
        }
      },
    })
    let contents = contentsOf()
    for (let n = 1; n <= 5_000; n += 1) {
      const needs = contents.needs.filter(({ since }) => since !== n % 100 && since !== (n * 7) % 100)
      contents = contentsOf({ needs: [...needs, needOf(n % 100, `${n}`)] })
      hive.set(contents)
      await hive.events.append('alice', 1, [{ n, at: n, event: note(`${n}`) }])
      if (n % 10 === 0) await hive.broker.send('operator', { to: 'operator', body: `${n}` })
      // So that it takes as long as many connections live.
      if (n % 5 === 0) await new Promise((resolve) => setTimeout(resolve, 2))
    }
    const end = [needOf(1, 'the end')]
    hive.set(contentsOf({ needs: end }))
    const isThere = () => isDeepStrictEqual(view.state?.needs, end) && seen.length >= 5_000 && messages.size >= 500
    while (!isThere()) await nextTurn()
    done.abort()
    await following
    const direct = new StateView({ base: hive.base, token: hive.token.value })
    assert.deepEqual(view.state, await direct.fetch())
    assert.deepEqual(
      seen,
      Array.from({ length: 5_000 }, (_, at) => at + 1),
    )
    assert.deepEqual(
      [...messages.values()],
      (await hive.broker.store.list({ limit: 1000 })).messages.filter(({ id }) => messages.has(id)),
    )
    assert.equal(messages.size, 500)
    assert.ok(proxy.cuts() > 5, `${proxy.cuts()} cuts`)
    assert.equal(view.fetched, 1, 'the state was followed, not fetched again')
  })

  test('goes on after the id that a client brings, and says where it cannot', async () => {
    await using hive = await openTestWeb()
    for (const n of [1, 2, 3]) await hive.events.append('alice', 1, [{ n, at: n, event: note(`${n}`) }])
    const following = { base: hive.base, token: hive.token.value }
    const view = new StateView(following)
    const { seq } = await view.fetch()
    const first = async (topics: string, after: string, count: number): Promise<Frame[]> => {
      const frames: Frame[] = []
      const done = new AbortController()
      const onFrame = (frame: Frame) => {
        frames.push(frame)
        if (frames.length === count) done.abort()
      }
      await followStream({ ...following, topics, after, onFrame, signal: done.signal })
      return frames
    }
    const [opened, two] = await first('events:alice', 'events:alice=1', 2)
    assert.deepEqual([opened?.event, parsePositions(opened?.id ?? '')], ['open', { 'events:alice': 1 }])
    assert.deepEqual(
      FRAMES.events.parse(JSON.parse(two?.data ?? '')).events.map((event) => event.n),
      [2, 3],
    )
    assert.equal(two?.id, 'events:alice=3')
    for (const [topic, wrong] of [
      ['events:alice', 'events:alice=4'],
      ['messages', 'messages=1000000'],
      ['state', `state=${seq + 1}`],
      ['state', `state=${seq - 1}`],
    ] as const) {
      const [, frame] = await first(topic, wrong, 2)
      assert.deepEqual([frame?.event, frame?.data], ['resync', JSON.stringify({ topic })], wrong)
    }
    await hive.events.append(
      'alice',
      1,
      Array.from({ length: 3_000 }, (_, at) => ({ n: 4 + at, at, event: note('x') })),
    )
    const [, tooMany] = await first('events:alice', 'events:alice=3', 2)
    assert.equal(tooMany?.event, 'resync')
  })

  test('tells a new client of nothing that was before', async () => {
    await using hive = await openTestWeb()
    await hive.events.append('alice', 1, [{ n: 1, at: 1, event: note('before') }])
    const done = new AbortController()
    const frames: Frame[] = []
    await followStream({
      base: hive.base,
      token: hive.token.value,
      topics: 'events:alice',
      signal: done.signal,
      async onFrame(frame) {
        frames.push(frame)
        if (frame.event === 'open') await hive.events.append('alice', 1, [{ n: 2, at: 2, event: note('after') }])
        else done.abort()
      },
    })
    assert.deepEqual(
      frames.map(({ event, data }) => [event, /before/.test(data), /after/.test(data)]),
      [
        ['open', false, false],
        ['events:alice', false, true],
      ],
    )
  })

  test('a reader that takes nothing costs nothing, and is told to fetch when it reads again', async () => {
    await using hive = await openTestWeb()
    const view = new StateView({ base: hive.base, token: hive.token.value })
    const { seq } = await view.fetch()
    const socket = connect(hive.port, '127.0.0.1')
    socket.write(
      `GET /api/stream?topics=state HTTP/1.1\r\nHost: 127.0.0.1:${hive.port}\r\nAuthorization: Bearer ${hive.token.value}\r\nLast-Event-ID: state=${seq}\r\n\r\n`,
    )
    let text = ''
    await new Promise<void>((resolve) => {
      socket.on('data', (chunk) => {
        text += chunk
        if (text.includes('event: open')) resolve()
      })
    })
    socket.pause()
    // Each state is large: what is kept of them is not, nor what waits for the reader.
    const big = 'x'.repeat(200_000)
    for (let round = 0; round < 150; round += 1) {
      hive.set(contentsOf({ needs: [needOf(1, `${round}${big}`)] }))
      await view.fetch()
    }
    text = ''
    socket.resume()
    while (!text.includes('event: resync')) await nextTurn()
    socket.destroy()
  })

  test('many at once leave room for requests, and a new token cuts all of them', async () => {
    await using hive = await openTestWeb()
    const following = { base: hive.base, token: hive.token.value }
    const done = new AbortController()
    let opened = 0
    const streams = Array.from({ length: 8 }, () =>
      followStream({
        ...following,
        topics: 'state,messages',
        signal: done.signal,
        onFrame: ({ event }) => {
          opened += Number(event === 'open')
        },
      }),
    )
    const refused = Promise.allSettled(streams)
    while (opened < 8) await nextTurn()
    assert.equal((await new StateView(following).fetch()).agents.length, 0)
    await hive.web.newToken()
    const ends = await refused
    assert.ok(ends.every((end) => end.status === 'rejected' && /refused: 401/.test(String(end.reason))))
    assert.equal(
      (await fetch(`${hive.base}/api/state`, { headers: { authorization: `Bearer ${following.token}` } })).status,
      401,
    )
    assert.match(hive.web.link('alice'), new RegExp(`^${hive.base}/a/alice#${hive.token.value}$`))
  })

  test('is refused for topics that there are not', async () => {
    await using hive = await openTestWeb()
    const statusOf = async (topics: string) => {
      const headers = { authorization: `Bearer ${hive.token.value}` }
      return (await fetch(`${hive.base}/api/stream?topics=${topics}`, { headers })).status
    }
    assert.equal(await statusOf('events:bob'), 404)
    for (const topics of [
      '',
      'all',
      'events:',
      'events:__proto__',
      'state,',
      'events:-x',
      `events:${'a'.repeat(300)}`,
    ]) {
      assert.equal(await statusOf(topics), 400, topics)
    }
  })

  test('a quiet one says that it lives, and one that nobody reads is given up', async () => {
    const ends = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const notifier = createNotifier()
    const source = (data: string): Source => ({
      changes: notifier,
      newest: async () => 0,
      canGoOn: async () => true,
      next: async (after) => (data === '' ? undefined : { data, position: after + 1 }),
      watch: () => ({ [Symbol.dispose]() {} }),
    })
    await using stack = new AsyncDisposableStack()
    const server = createServer((incoming, outgoing) => {
      const isQuiet = incoming.url === '/quiet'
      const sources = new Map([['state', source(isQuiet ? '' : 'x'.repeat(1_000_000))]])
      const options = {
        outgoing,
        sources,
        after: {},
        signal: new AbortController().signal,
        heartbeatMs: 5,
        stallMs: 50,
      }
      void writeStream(options).then(ends[isQuiet ? 0 : 1]?.resolve)
    })
    server.listen(0, '127.0.0.1')
    stack.defer(() => void server.close())
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    for (const path of ['/quiet', '/loud']) {
      const socket = connect(port, '127.0.0.1')
      socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`)
      if (path === '/quiet') {
        let text = ''
        for await (const piece of socket) {
          text += piece
          if (text.split(': alive').length > 3) break
        }
      }
      await ends[path === '/quiet' ? 0 : 1]?.promise
      socket.destroy()
    }
  })
})
