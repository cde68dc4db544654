import type { Clock } from '../../kit/clock.ts'
import type { Database } from '../../kit/sqlite.ts'
import { HiveError } from '../../wire/errors.ts'
import { SYSTEM } from '../../wire/names.ts'
import type { AgentRegistry } from '../agents/registry.ts'
import type { Broker } from '../broker/broker.ts'
import { Reminders, type TellOnce } from './reminders.ts'
import { type Entry, Schedules } from './schedules.ts'

export interface OpenSchedulesOptions {
  readonly db: Database
  readonly registry: Pick<AgentRegistry, 'names'>
  /** `schedules` of what is deployed for an agent; undefined when nothing is. */
  readonly entriesOf: (agent: string) => readonly Entry[] | undefined
  readonly broker: Pick<Broker, 'tell' | 'store'>
  /** Messages that an inbox holds before it waits for room. */
  readonly inboxCap: number
  /** Something else may be due next. */
  readonly onChange: () => void
  readonly passes: (point: string) => void
  /** Unix milliseconds. */
  readonly now?: () => number
  /** Of the rate of reminders. */
  readonly clock?: Clock
  readonly timeZone?: string
}

/** Puts together what wakes agents by the clock: sources of an alarm. */
export function openSchedules(options: OpenSchedulesOptions) {
  const { db, registry, entriesOf, broker, inboxCap, onChange, passes, now, clock, timeZone } = options
  const { store } = broker
  const tell: TellOnce = async (agent, event, key) => {
    // The daemon's own messages have room always; here they are as many as an agent wants.
    if (store.queued(agent) >= inboxCap) throw new HiveError('inbox_full', `${agent} has ${inboxCap} unread messages`)
    await broker.tell(agent, event, key)
  }
  const isUndone = async (key: string): Promise<boolean> => {
    const [id] = await store.sentBefore(SYSTEM, key)
    const message = id === undefined ? undefined : await store.get(id)
    return message?.state === 'queued' || message?.state === 'leased'
  }
  const schedules = new Schedules({
    db,
    agents: () => registry.names(),
    entriesOf,
    tell,
    isUndone,
    timeZone,
    passes,
  })
  const reminders = new Reminders({ db, tell, onChange, passes, now, clock })
  return { schedules, reminders }
}
