import { Broker } from '../../src/host/broker/broker.ts'
import { SqliteStore } from '../../src/host/broker/sqlite-store.ts'
import { openHiveDatabase } from '../../src/host/database.ts'
import { Ledger } from '../../src/host/money/ledger.ts'
import { createSteadyClock } from '../../src/kit/clock.ts'
import { serveOps } from '../../src/kit/op-server.ts'
import { brokerOps } from './broker-ops.ts'

/** `node broker-program.ts DATABASE SOCKET`: a broker to be killed. */
const [, , database = '', socket = ''] = process.argv
const AGENTS = ['a1', 'a2', 'a3', 'a4']
const NO_LIMIT = { perSecond: 1e9, burst: 1e9 }

const db = openHiveDatabase(database)
const ledger = new Ledger(db)
const store = new SqliteStore({ db, inboxCap: 1e6, maxHops: 1e6, onTurnEnd: (turn) => ledger.record(turn) })
const broker = new Broker({
  store,
  slots: 100,
  sendRate: NO_LIMIT,
  chainRate: NO_LIMIT,
  recipients: { names: () => AGENTS, has: () => true, wasDestroyed: () => false },
  now: createSteadyClock(),
})
await serveOps(
  brokerOps,
  {
    send: async ({ from, to, body, key }) => ({ ids: [...(await broker.send(from, { to, body, key }))] }),
    async hello({ agent, epoch: known }) {
      const goesOn = known !== undefined && known === store.epoch(agent)
      const epoch = goesOn ? known : await broker.beginEpoch(agent, { charge: true, reason: 'killed' })
      return { epoch, leases: await store.held(agent, epoch) }
    },
    recv: async ({ agent, epoch, waitMs, max }, { signal }) => ({
      messages: [...(await broker.recv(agent, { epoch, waitMs, max, signal }))],
    }),
    async ack({ agent, epoch, ids }) {
      await broker.endTurn(agent, epoch, ids, { reason: 'ok', detail: '' }, true)
      return {}
    },
    async release({ agent, epoch, ids }) {
      await broker.endTurn(agent, epoch, ids, { reason: 'overloaded', detail: '529' }, false)
      return {}
    },
    async rows() {
      const keys = new Map(db.all('SELECT id, key FROM messages').map(({ id, key }) => [id, key as string | null]))
      const { messages } = await store.list({ limit: 1_000_000 })
      return { messages: messages.map((message) => ({ ...message, key: keys.get(message.id) ?? null })) }
    },
  },
  { path: socket },
)
process.stdout.write('ready\n')
