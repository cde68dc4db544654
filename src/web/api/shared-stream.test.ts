import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Connection } from './connection.ts'
import type { Follower, Stream } from './hive-stream.ts'
import { SharedStream } from './shared-stream.ts'
import { StreamHub } from './stream-hub.ts'
import type { FromWorker, ToWorker } from './stream-protocol.ts'

/** The stream of the worker, played by a test. */
class FakeStream implements Stream {
  readonly followers = new Map<string, Follower>()
  isDisposed = false
  readonly tell: (connection: Connection) => void

  constructor(tell: (connection: Connection) => void) {
    this.tell = tell
  }

  follow(topic: string, follower: Follower) {
    this.followers.set(topic, follower)
    return () => void this.followers.delete(topic)
  }

  retry() {}

  /** The stream is there, with all topics. */
  open() {
    for (const { opened } of this.followers.values()) opened?.()
  }

  send(topic: string, position: number) {
    void this.followers.get(topic)?.take({ event: topic, id: `${topic}=${position}`, data: String(position) })
  }

  [Symbol.dispose]() {
    this.isDisposed = true
  }
}

function createBrowser() {
  const streams: FakeStream[] = []
  const hub = new StreamHub((_, onConnection) => {
    const stream = new FakeStream(onConnection)
    streams.push(stream)
    return stream
  })
  const openTab = (token = 't') => {
    const connections: Connection['is'][] = []
    const port = {
      onmessage: null as ((event: MessageEvent<FromWorker>) => void) | null,
      postMessage: (message: ToWorker) => hub.take(tab, message),
      close: () => {},
    }
    const tab = { postMessage: (data: FromWorker) => port.onmessage?.({ data } as MessageEvent<FromWorker>) }
    const own = new FakeStream(() => {})
    const stream = new SharedStream({
      port: port as unknown as MessagePort,
      onConnection: ({ is }) => void connections.push(is),
      openOwn: () => own,
    })
    stream.hello(token, undefined)
    return { stream, connections, own }
  }
  return { streams, openTab }
}

/** Follows a topic from what it loaded on; a test decides when that is there. */
function createFollower() {
  const taken: string[] = []
  const loads: PromiseWithResolvers<number>[] = []
  let heard = Promise.withResolvers<void>()
  const hear = () => {
    heard.resolve()
    heard = Promise.withResolvers()
  }
  const follower: Follower = {
    load: () => {
      const load = Promise.withResolvers<number>()
      loads.push(load)
      hear()
      return load.promise
    },
    take: ({ data }) => {
      taken.push(data)
      hear()
    },
  }
  return {
    follower,
    taken,
    loads,
    async until(isSo: () => boolean) {
      while (!isSo()) await heard.promise
    },
  }
}

test('two tabs have one stream, and what comes while one loads is neither lost nor doubled', async () => {
  const { streams, openTab } = createBrowser()
  const [first, second] = [createFollower(), createFollower()]
  openTab().stream.follow('state', first.follower)
  openTab().stream.follow('state', second.follower)
  const [stream] = streams
  assert.equal(streams.length, 1)
  assert.equal(first.loads.length, 0, 'nothing is loaded before the stream is there')
  stream?.open()
  stream?.send('state', 6)
  stream?.send('state', 7)
  first.loads[0]?.resolve(6)
  second.loads[0]?.resolve(5)
  await first.until(() => first.taken.length === 1)
  await second.until(() => second.taken.length === 2)
  assert.deepEqual(first.taken, ['7'])
  assert.deepEqual(second.taken, ['6', '7'])
})

test('what cannot be told any more is loaded again by each tab', async () => {
  const { streams, openTab } = createBrowser()
  const { follower, loads, taken, until } = createFollower()
  openTab().stream.follow('state', follower)
  const [stream] = streams
  stream?.open()
  loads[0]?.resolve(5)
  await stream?.followers.get('state')?.load()
  assert.equal(loads.length, 2)
  stream?.send('state', 9)
  loads[1]?.resolve(8)
  await until(() => taken.length === 1)
  assert.deepEqual(taken, ['9'])
})

test('a topic that no tab follows any more is left', () => {
  const { streams, openTab } = createBrowser()
  const [one, other] = [openTab(), openTab()]
  const leave = one.stream.follow('events:bob', createFollower().follower)
  other.stream.follow('events:bob', createFollower().follower)
  leave()
  assert.deepEqual([...(streams[0]?.followers.keys() ?? [])], ['events:bob'])
  other.stream[Symbol.dispose]()
  assert.deepEqual([...(streams[0]?.followers.keys() ?? [])], [])
})

test('a tab that comes later hears how the connection is, and of a topic that is open already', () => {
  const { streams, openTab } = createBrowser()
  openTab().stream.follow('state', createFollower().follower)
  streams[0]?.tell({ is: 'live' })
  streams[0]?.open()
  const late = openTab()
  const { follower, loads } = createFollower()
  late.stream.follow('state', follower)
  assert.deepEqual(late.connections, ['live'])
  assert.equal(loads.length, 1)
})

test('a new token opens a new stream with the same topics', () => {
  const { streams, openTab } = createBrowser()
  openTab('old').stream.follow('state', createFollower().follower)
  openTab('new')
  assert.equal(streams[0]?.isDisposed, true)
  assert.deepEqual([...(streams[1]?.followers.keys() ?? [])], ['state'])
})

test('a tab with a topic too many follows it by itself', () => {
  const { streams, openTab } = createBrowser()
  const tab = openTab()
  for (let n = 0; n < 16; n += 1) tab.stream.follow(`events:a${n}`, createFollower().follower)
  const leave = tab.stream.follow('events:late', createFollower().follower)
  assert.equal(streams[0]?.followers.size, 16)
  assert.deepEqual([...tab.own.followers.keys()], ['events:late'])
  leave()
  assert.equal(tab.own.followers.size, 0)
})

test('without the worker a tab has a stream of its own', () => {
  const { openTab } = createBrowser()
  const tab = openTab()
  tab.stream.follow('state', createFollower().follower)
  tab.stream.fallBack()
  tab.stream.follow('messages', createFollower().follower)
  assert.deepEqual([...tab.own.followers.keys()], ['state', 'messages'])
})
