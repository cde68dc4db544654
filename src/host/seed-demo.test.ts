import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createLog } from '../kit/log.ts'
import { AgentRegistry } from './agents/registry.ts'
import { Broker } from './broker/broker.ts'
import { SqliteStore } from './broker/sqlite-store.ts'
import { openHiveDatabase } from './database.ts'
import { seedDemo } from './seed-demo.ts'

const RATE = { perSecond: 1e9, burst: 1e9 }

async function openSeeding() {
  const db = openHiveDatabase(':memory:')
  const registry = new AgentRegistry(db)
  await registry.create('manager', 0)
  const broker = new Broker({
    store: new SqliteStore({ db, inboxCap: 10, maxHops: 16 }),
    slots: 4,
    sendRate: RATE,
    chainRate: RATE,
    recipients: registry,
    now: Date.now,
  })
  return {
    registry,
    tasks: () => broker.store.queued('manager'),
    /** `fails`: whose spawn does. */
    seed: (fails?: string) =>
      seedDemo({
        db,
        registry,
        broker,
        log: createLog('silent'),
        lifecycle: {
          async spawn(name) {
            if (name === fails) throw new Error('no')
            await registry.create(name, 0)
            return []
          },
        },
      }),
    [Symbol.dispose]() {
      broker[Symbol.dispose]()
      db.close()
    },
  }
}

describe('seeding a demo', () => {
  test('goes on where an earlier start ended, and happens once', async () => {
    using demo = await openSeeding()
    await demo.seed('bob')
    assert.deepEqual([demo.registry.names(), demo.tasks()], [['manager', 'alice'], 0])
    await demo.seed()
    assert.deepEqual([demo.registry.names(), demo.tasks()], [['manager', 'alice', 'bob'], 1])
    await demo.registry.destroy('bob')
    await demo.registry.purge('bob')
    await demo.seed()
    assert.deepEqual([demo.registry.names(), demo.tasks()], [['manager', 'alice'], 1])
  })

  test('adds nothing to a hive that has agents of its own', async () => {
    using demo = await openSeeding()
    await demo.registry.create('carol', 0)
    await demo.seed()
    assert.deepEqual([demo.registry.names(), demo.tasks()], [['manager', 'carol'], 0])
  })
})
