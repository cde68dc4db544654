import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { openHiveDatabase } from '../database.ts'
import { Broker } from './broker.ts'
import { SqliteStore } from './sqlite-store.ts'

const NO_LIMIT = { perSecond: 1e9, burst: 1e9 }
const FOREVER = new AbortController().signal

function openBroker() {
  const db = openHiveDatabase(':memory:')
  const broker = new Broker({
    store: new SqliteStore({ db, inboxCap: 1000, maxHops: 16 }),
    slots: 4,
    sendRate: NO_LIMIT,
    chainRate: NO_LIMIT,
    recipients: { names: () => ['a', 'b'], has: () => true, wasDestroyed: () => false },
    now: Date.now,
  })
  return { broker, [Symbol.dispose]: () => broker[Symbol.dispose]() }
}

const look = async (broker: Broker, epoch: number, waitMs = 0) =>
  (await broker.recv('b', { epoch, waitMs, signal: FOREVER }))[0]

test('answers every one of the looks made at once, in the order of the messages', async () => {
  using opened = openBroker()
  const { broker } = opened
  const epoch = await broker.beginEpoch('b', { charge: true, reason: '' })
  const ids = await Promise.all(['1', '2', '3', '4'].map((body) => broker.send('a', { to: 'b', body })))
  const first = await look(broker, epoch)
  const others = await Promise.all(Array.from({ length: 6 }, () => look(broker, epoch)))
  assert.deepEqual(
    [first, ...others].map((message) => message?.id),
    [...ids.flat(), undefined, undefined, undefined],
  )
})

test('answers a look while another recv of the turn waits', async () => {
  using opened = openBroker()
  const { broker } = opened
  const epoch = await broker.beginEpoch('b', { charge: true, reason: '' })
  await broker.send('a', { to: 'b', body: 'wake' })
  await look(broker, epoch)
  const waiting = look(broker, epoch, 60_000)
  assert.equal(await look(broker, epoch), undefined)
  const [id] = await broker.send('a', { to: 'b', body: 'next' })
  assert.equal((await waiting)?.id, id)
})

test('tells a recv that is given up of the message leased to it meanwhile', async () => {
  using opened = openBroker()
  const { broker } = opened
  const epoch = await broker.beginEpoch('b', { charge: true, reason: '' })
  const gone = new AbortController()
  const receiving = broker.recv('b', { epoch, waitMs: 60_000, signal: gone.signal })
  await nextTurn()
  const sending = broker.send('a', { to: 'b', body: 'late' })
  gone.abort()
  const [id] = await sending
  assert.equal((await receiving)[0]?.id, id)
})
