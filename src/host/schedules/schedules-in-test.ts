import { HiveError } from '../../wire/errors.ts'
import { AgentRegistry } from '../agents/registry.ts'
import { Broker } from '../broker/broker.ts'
import { SqliteStore } from '../broker/sqlite-store.ts'
import { openHiveDatabase } from '../database.ts'
import { openSchedules } from './open-schedules.ts'

const NO_LIMIT = { perSecond: 1e9, burst: 1e9 }
export const INBOX_CAP = 20

type Entry = { cron: string; message: string }

/** Schedules and reminders of alice and bob, real but for the clock; UTC. `at` begins it. */
export async function openSchedulesInTest({
  at = '2026-06-01T10:00:00Z',
  agents = ['alice', 'bob'],
  timeZone = 'UTC',
} = {}) {
  const wall = { now: Date.parse(at) }
  const now = () => wall.now
  const db = openHiveDatabase(':memory:')
  const registry = new AgentRegistry(db)
  for (const agent of agents) await registry.create(agent, 0)
  const store = new SqliteStore({ db, inboxCap: INBOX_CAP, maxHops: 16, now })
  const broker = new Broker({
    store,
    slots: 4,
    sendRate: NO_LIMIT,
    chainRate: NO_LIMIT,
    recipients: registry,
    now: () => performance.now(),
    wallNow: now,
  })
  const deployed = new Map<string, readonly Entry[]>()
  /** Where the daemon is as good as killed. */
  const dies = { at: '' }
  const open = () => {
    const { schedules, reminders } = openSchedules({
      db,
      registry,
      entriesOf: (agent) => deployed.get(agent),
      broker,
      inboxCap: INBOX_CAP,
      onChange: () => {},
      passes(point) {
        if (point === dies.at) throw new HiveError('cancelled', `killed at ${point}`)
      },
      now,
      clock: now,
      timeZone,
    })
    return { schedules, reminders }
  }
  const hive = {
    wall,
    db,
    registry,
    store,
    broker,
    dies,
    ...open(),
    /** As a restart of the daemon does. */
    restart() {
      Object.assign(hive, open())
    },
    set(time: string) {
      wall.now = Date.parse(time)
    },
    /** Deploys `schedules` for an agent. */
    async deploy(agent: string, ...entries: Entry[]) {
      deployed.set(agent, entries)
      hive.schedules.reread(agent)
      return hive.schedules.tellDue(wall.now)
    },
    /** Bodies of what agents were told, oldest first. */
    async told(agent?: string): Promise<Record<string, unknown>[]> {
      const { messages } = await store.list({ agent, limit: 100_000 })
      return messages.map(({ body }) => JSON.parse(body))
    },
    /** The due times of that. */
    async times(agent?: string): Promise<string[]> {
      return (await hive.told(agent)).map(({ dueAt }) => new Date(Number(dueAt)).toISOString().slice(0, 16))
    },
    /** Has an agent work on all that waits for it. */
    async work(agent: string) {
      const epoch = await broker.beginEpoch(agent, { charge: false, reason: '' })
      const signal = new AbortController().signal
      for (;;) {
        const messages = await broker.recv(agent, { epoch, waitMs: 0, max: 20, signal })
        if (messages.length === 0) return
        const ids = messages.map(({ id }) => id)
        await broker.endTurn(agent, epoch, ids, { reason: 'ok', detail: '' }, true)
      }
    },
    async [Symbol.asyncDispose]() {
      broker[Symbol.dispose]()
      db.close()
    },
  }
  return hive
}
