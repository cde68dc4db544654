import type { Log } from '../kit/log.ts'
import type { Database } from '../kit/sqlite.ts'
import { errorText } from '../wire/errors.ts'
import { MANAGER, OPERATOR } from '../wire/names.ts'
import type { Lifecycle } from './actions/lifecycle.ts'
import type { AgentRegistry } from './agents/registry.ts'
import type { Broker } from './broker/broker.ts'
import { recall, remember } from './remembered.ts'

const AGENTS = ['alice', 'bob']

export interface SeedDemoOptions {
  readonly db: Database
  readonly registry: AgentRegistry
  readonly lifecycle: Pick<Lifecycle, 'spawn'>
  readonly broker: Broker
  readonly log: Log
}

/**
 * Gives a new demo two agents and a first task, so that there is something to see; goes on with it where an earlier start was
 * ended in the middle. A hive that has agents of its own gets none. Never rejects.
 */
export async function seedDemo({ db, registry, lifecycle, broker, log }: SeedDemoOptions): Promise<void> {
  const isOwn = (name: string) => name === MANAGER || AGENTS.includes(name)
  if (recall(db, 'seeded') !== undefined || !registry.names().every(isOwn)) return
  try {
    const missing = AGENTS.filter((name) => !registry.find(name) && !registry.wasDestroyed(name))
    const spawned = await Promise.allSettled(missing.map((name) => lifecycle.spawn(name)))
    for (const one of spawned) if (one.status === 'rejected') throw one.reason
    await broker.send(OPERATOR, { to: MANAGER, body: 'Show me the team at work.', key: 'demo' })
    await remember(db, 'seeded', 'yes')
  } catch (error) {
    // The hive itself works: the operator sees what is missing from it.
    log.error({ error: errorText(error) }, 'the demo could not be set up')
  }
}
