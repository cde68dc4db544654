import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openHiveDatabase } from '../database.ts'
import { Broker } from './broker.ts'
import { SqliteStore } from './sqlite-store.ts'

const NO_LIMIT = { perSecond: 1e9, burst: 1e9 }
const AGENTS = ['alice', 'bob', 'carol', 'manager']

function openBroker(allowed: Record<string, string[]>) {
  const broker = new Broker({
    store: new SqliteStore({ db: openHiveDatabase(':memory:'), inboxCap: 1000, maxHops: 16 }),
    slots: 10,
    sendRate: NO_LIMIT,
    chainRate: NO_LIMIT,
    recipients: { names: () => AGENTS, has: (name) => AGENTS.includes(name), wasDestroyed: () => false },
    allowedRecipients: (agent) => allowed[agent],
    now: () => 0,
  })
  const send = async (from: string, to: string) => (await broker.send(from, { to, body: 'x' })).length
  const stored = async () => (await broker.store.list({ limit: 100 })).messages.length
  return { broker, send, stored, [Symbol.dispose]: () => broker[Symbol.dispose]() }
}

test('an agent with a list sends to those on it and to the manager, and to nobody else', async () => {
  using opened = openBroker({ alice: ['bob'] })
  const { send, stored } = opened
  assert.deepEqual([await send('alice', 'bob'), await send('alice', 'manager')], [1, 1])
  for (const to of ['carol', 'operator', '*', 'nobody']) {
    await assert.rejects(send('alice', to), {
      code: 'forbidden',
      message: /allowed: manager, bob$/,
      hint: /ask the manager/,
    })
  }
  assert.equal(await stored(), 2)
})

test('an empty list leaves the manager', async () => {
  using opened = openBroker({ alice: [] })
  assert.equal(await opened.send('alice', 'manager'), 1)
  await assert.rejects(opened.send('alice', 'bob'), { code: 'forbidden', message: /allowed: manager$/ })
})

test('everyone on a list is everyone, one by one and all at once', async () => {
  using opened = openBroker({ alice: ['*'] })
  const { send } = opened
  assert.deepEqual([await send('alice', 'carol'), await send('alice', 'operator'), await send('alice', '*')], [1, 1, 3])
  await assert.rejects(send('alice', 'nobody'), { code: 'not_found' })
})

test('the manager may have a list too, and is told what it can do', async () => {
  using opened = openBroker({ manager: ['bob'] })
  assert.equal(await opened.send('manager', 'bob'), 1)
  await assert.rejects(opened.send('manager', 'carol'), {
    code: 'forbidden',
    message: /allowed: bob$/,
    hint: /your own agent\.json/,
  })
})

test('operator, daemon and agents without a list send to everyone', async () => {
  using opened = openBroker({ alice: [], operator: [], system: [] })
  const { broker, send, stored } = opened
  assert.deepEqual([await send('operator', 'alice'), await send('operator', '*'), await send('bob', '*')], [1, 4, 3])
  await broker.tell('alice', { event: 'killed', agent: 'bob' })
  assert.equal(await stored(), 9)
})
