import type { Log } from '../../kit/log.ts'
import type { Database } from '../../kit/sqlite.ts'
import { HiveError } from '../../wire/errors.ts'
import { SYSTEM } from '../../wire/names.ts'
import type { AgentRegistry } from '../agents/registry.ts'
import type { Broker } from '../broker/broker.ts'
import { Alarm } from './alarm.ts'
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
  /** How often deadlines are looked at, at least. */
  readonly deadlineMs: number
  readonly passes: (point: string) => void
  readonly log: Log
  /** Unix milliseconds. */
  readonly now?: () => number
  readonly timeZone?: string
}

/** Puts together what wakes agents by the clock. Dispose of the alarm; nothing goes off before its first `look`. */
export function openSchedules(options: OpenSchedulesOptions) {
  const { db, registry, entriesOf, broker, inboxCap, deadlineMs, passes, log, now, timeZone } = options
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
  const reminders = new Reminders({ db, tell, onChange: () => alarm.set(), passes, now })
  const alarm = new Alarm({ sources: [schedules, reminders], deadlineMs, log, now })
  return { schedules, reminders, alarm }
}
