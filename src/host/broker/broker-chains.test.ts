import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openHiveDatabase } from '../database.ts'
import { Broker } from './broker.ts'
import { SqliteStore } from './sqlite-store.ts'

const NO_LIMIT = { perSecond: 1e9, burst: 1e9 }
const AGENTS = ['a', 'b', 'c', 'manager']
const FOREVER = new AbortController().signal
const OK = { reason: 'ok', detail: '' } as const

function openBroker({ chainRate = NO_LIMIT, maxHops = 16 }) {
  const broker = new Broker({
    store: new SqliteStore({ db: openHiveDatabase(':memory:'), inboxCap: 1000, maxHops }),
    slots: 10,
    sendRate: NO_LIMIT,
    chainRate,
    recipients: { names: () => AGENTS, has: (name) => AGENTS.includes(name), wasDestroyed: () => false },
    now: () => 0,
  })
  /** Takes one turn that does `work`. */
  const turn = async (agent: string, work: () => Promise<unknown>) => {
    const { store } = broker
    const epoch = store.epoch(agent) || (await broker.beginEpoch(agent, { charge: false, reason: '' }))
    const [message] = await broker.recv(agent, { epoch, waitMs: 0, signal: FOREVER })
    assert.ok(message, `${agent} has mail`)
    try {
      return await work()
    } finally {
      await broker.endTurn(agent, epoch, [message.id], OK, true)
    }
  }
  const send = (from: string, to: string) => broker.send(from, { to, body: 'x' })
  return { broker, turn, send, [Symbol.dispose]: () => broker[Symbol.dispose]() }
}

test('a ring of agents is stopped after so many hops, and the one who is refused can tell the operator', async () => {
  using opened = openBroker({ maxHops: 7 })
  const { broker, turn, send } = opened
  await send('operator', 'a')
  const ring = ['a', 'b', 'c']
  for (let hop = 0; hop < 7; hop += 1) {
    await turn(ring[hop % 3] as string, () => send(ring[hop % 3] as string, ring[(hop + 1) % 3] as string))
  }
  await turn('b', async () => {
    await assert.rejects(send('b', 'c'), { code: 'chain_paused' })
    await send('b', 'operator')
  })
  const [chain] = await broker.store.pausedChains()
  assert.deepEqual([chain?.hops, chain?.agents], [7, ['b', 'c']])
  // What the manager sends because of the news goes on with the chain.
  await turn('manager', () => assert.rejects(send('manager', 'a'), { code: 'chain_paused' }))
})

test('a chain of too many messages a minute is paused', async () => {
  using opened = openBroker({ chainRate: { perSecond: 0, burst: 5 } })
  const { broker, turn, send } = opened
  await send('operator', 'a')
  await turn('a', async () => {
    for (let n = 0; n < 6; n += 1) await send('a', 'b')
    await assert.rejects(send('a', 'b'), { code: 'chain_paused' })
  })
  const [chain] = await broker.store.pausedChains()
  assert.match(chain?.reason ?? '', /messages a minute/)
  assert.deepEqual(chain?.agents, ['a', 'b'])
  await broker.store.allowChain(chain?.rootId as number, 16)
  assert.deepEqual(await broker.store.pausedChains(), [])
})
