import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { openHiveDatabase } from '../database.ts'
import { Broker } from './broker.ts'
import { SqliteStore } from './sqlite-store.ts'

const NO_LIMIT = { perSecond: 1e9, burst: 1e9 }
const FOREVER = new AbortController().signal
const OK = { reason: 'ok', detail: '' } as const

/** A broker with so many slots, over a store that may have a past; `epochs` of its agents have begun. */
async function openBroker(slots: number, agents: readonly string[], db = openHiveDatabase(':memory:')) {
  const broker = new Broker({
    store: new SqliteStore({ db, inboxCap: 1000, maxHops: 16 }),
    slots,
    sendRate: NO_LIMIT,
    chainRate: NO_LIMIT,
    recipients: { names: () => [...agents], has: (name) => agents.includes(name), wasDestroyed: () => false },
    now: () => performance.now(),
  })
  broker.takeUp(agents)
  const recv = async (agent: string, waitMs = 60_000) =>
    (await broker.recv(agent, { epoch: broker.store.epoch(agent), waitMs, signal: FOREVER }))[0] ?? null
  const send = async (to: string) => (await broker.send('operator', { to, body: 'x' }))[0] as number
  const end = (agent: string, id: number) => broker.endTurn(agent, broker.store.epoch(agent), [id], OK, true)
  return { broker, recv, send, end, db, [Symbol.dispose]: () => broker[Symbol.dispose]() }
}

const begin = (broker: Broker, agent: string) => broker.beginEpoch(agent, { charge: false, reason: '' })

test('those that wait without mail take no slot and stand in no line', async () => {
  using opened = await openBroker(1, ['a', 'b', 'c'])
  const { broker, recv, send, end } = opened
  for (const agent of ['a', 'b', 'c']) await begin(broker, agent)
  const [a, b] = [recv('a'), recv('b')]
  void recv('c')
  const first = await send('a')
  assert.equal((await a)?.id, first)
  const second = await send('b')
  await nextTurn()
  assert.deepEqual(broker.slotUse(), { used: 1, total: 1 })
  await end('a', first)
  assert.equal((await b)?.id, second)
})

test('an agent keeps its place in the line between two of its polls', async () => {
  using opened = await openBroker(1, ['a', 'b', 'c'])
  const { broker, recv, send, end } = opened
  for (const agent of ['a', 'b', 'c']) await begin(broker, agent)
  const working = await send('a')
  await recv('a')
  await Promise.all([send('b'), send('c')])
  assert.equal(await recv('b', 1), null)
  const c = recv('c')
  assert.equal(await recv('b', 1), null)
  const b = recv('b')
  await end('a', working)
  const next = await Promise.race([b.then(() => 'b'), c.then(() => 'c')])
  assert.equal(next, 'b')
})

test('a look within a turn keeps the slot, a wait gives it back until there is something', async () => {
  using opened = await openBroker(1, ['a', 'b'])
  const { broker, recv, send } = opened
  for (const agent of ['a', 'b']) await begin(broker, agent)
  await send('a')
  await recv('a')
  await send('b')
  const b = recv('b')
  assert.equal(await recv('a', 0), null)
  await nextTurn()
  assert.equal(broker.store.holds('b'), false, 'a look let somebody else in')
  const waiting = recv('a')
  await b
  assert.equal(broker.store.holds('b'), true)
  broker[Symbol.dispose]()
  assert.equal(await waiting, null)
})

test('turns that were in progress when the daemon started hold slots', async () => {
  using opened = await openBroker(1, ['a', 'b'])
  const { broker, recv, send, db } = opened
  for (const agent of ['a', 'b']) await begin(broker, agent)
  const held = await send('a')
  await recv('a')
  await send('b')
  using after = await openBroker(1, ['a', 'b'], db)
  assert.deepEqual(after.broker.slotUse(), { used: 1, total: 1 })
  const b = after.recv('b')
  await nextTurn()
  assert.equal(after.broker.store.holds('b'), false)
  await after.end('a', held)
  assert.ok(await b)
})

test('a thousand looks and waits at once cost no more than their number', async () => {
  using opened = await openBroker(2, ['a'])
  const { broker, recv, send, end } = opened
  await begin(broker, 'a')
  const woke = await send('a')
  await recv('a')
  const waiting = Array.from({ length: 1_000 }, () => recv('a'))
  await nextTurn()
  assert.equal(await recv('a', 0), null)
  await end('a', woke)
  assert.deepEqual(new Set(await Promise.all(waiting)), new Set([null]))
})

test('a repeated send is answered with its ids even when its sender is too fast', async () => {
  const broker = new Broker({
    store: new SqliteStore({ db: openHiveDatabase(':memory:'), inboxCap: 1000, maxHops: 16 }),
    slots: 1,
    sendRate: { perSecond: 1e-9, burst: 1 },
    chainRate: NO_LIMIT,
    recipients: { names: () => ['a'], has: () => true, wasDestroyed: () => false },
    now: () => performance.now(),
  })
  const sent = await broker.send('b', { to: 'a', body: 'x', key: 'k' })
  assert.deepEqual(await broker.send('b', { to: 'a', body: 'x', key: 'k' }), sent)
  await assert.rejects(broker.send('b', { to: 'a', body: 'x', key: 'other' }), { code: 'rate_limited' })
})
