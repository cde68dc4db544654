import type { Notifier } from '../../kit/notifier.ts'
import type { Broker } from '../broker/broker.ts'
import type { EventStore } from '../events/event-store.ts'
import type { HiveFeed } from './hive-feed.ts'

/** A part of what a topic tells, and how far that goes. */
export interface Part {
  readonly data: unknown
  readonly position: number
}

/** What one topic of a stream is made of. */
export interface Source {
  /** Told when there may be more. */
  readonly changes: Pick<Notifier, 'subscribe'>
  newest(): Promise<number>
  /** Whether what came after a position can be told, and is not more than a client would rather fetch. */
  canGoOn(after: number): Promise<boolean>
  /** What comes next after a position, bounded; undefined: nothing yet, `lost`: that cannot be told any more. */
  next(after: number): Promise<Part | undefined | 'lost'>
  /** Has it look for changes while somebody follows. */
  watch(): Disposable
}

const PAGE = 200
/** Who has missed more fetches what it shows instead. */
const MOST_MISSED_MESSAGES = 5_000
const MOST_MISSED_EVENTS = 2_000

const nothing: Disposable = { [Symbol.dispose]: () => {} }

/** The state of the hive as deltas. */
export const stateSource = (feed: HiveFeed): Source => ({
  changes: feed.changes,
  newest: async () => feed.seq,
  canGoOn: async (after) => feed.after(after) !== 'lost',
  async next(after) {
    const delta = feed.after(after)
    return delta === undefined || delta === 'lost' ? delta : { data: delta, position: delta.seq }
  },
  watch: () => feed.watch(),
})

/** Messages as they change. */
export const messageSource = ({ store, changes }: Pick<Broker, 'store' | 'changes'>): Source => ({
  changes,
  newest: async () => (await store.list({ limit: 1 })).cursor,
  async canGoOn(after) {
    const { cursor } = await store.list({ limit: 1 })
    return after <= cursor && cursor - after <= MOST_MISSED_MESSAGES
  },
  async next(after) {
    const { messages, errors, cursor } = await store.changes(after, { limit: PAGE })
    return cursor === after ? undefined : { data: { messages, errors }, position: cursor }
  },
  watch: () => nothing,
})

/** The live events of an agent as they are stored. */
export const eventSource = (events: EventStore, agent: string): Source => ({
  changes: events.changes,
  newest: async () => events.newest(agent),
  canGoOn: async (after) => after <= events.newest(agent) && !events.hasMoreThan(agent, after, MOST_MISSED_EVENTS),
  async next(after) {
    const page = events.list(agent, { after, limit: PAGE })
    const last = page.at(-1)
    return last && { data: { events: page }, position: last.seq }
  },
  watch: () => nothing,
})
