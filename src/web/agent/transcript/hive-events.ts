import { FRAMES } from '../../../wire/stream.ts'
import { decode } from '../../api/call.ts'
import type { Hive } from '../../api/live.ts'
import type { EventSource } from './transcript-store.ts'

/** The events of one agent, from its hive. */
export const createEventSource = ({ call, stream }: Pick<Hive, 'call' | 'stream'>, agent: string): EventSource => ({
  page: async (where) => (await call('events', { agent, ...where })).events,
  event: async (seq) => (await call('event', { agent, seq })).event,
  search: (text, before) => call('search_events', { agent, text, before }),
  follow: ({ began, events }) =>
    stream.follow(`events:${agent}`, {
      async load() {
        const { cursor } = await call('events', { agent, limit: 1 })
        began(cursor)
        return cursor
      },
      take: ({ data }) => events(decode(FRAMES.events, JSON.parse(data)).events),
    }),
})
