import { z } from 'zod'
import { StoredEvent } from './events.ts'
import { MAX_TOPICS } from './frames.ts'
import { StateDelta } from './hive-state.ts'
import { AgentName } from './names.ts'
import { Message } from './things.ts'
import { Undecodable } from './undecodable.ts'

/** What a stream can tell of: `state`, `messages`, or `events:<agent>`. */
export const Topic = z.union([
  z.enum(['state', 'messages']),
  z
    .string()
    .startsWith('events:')
    .transform((text, context) => {
      const agent = AgentName.safeParse(text.slice('events:'.length))
      if (agent.success) return `events:${agent.data}`
      context.addIssue({ code: 'custom', message: `names no agent: ${z.prettifyError(agent.error)}` })
      return z.NEVER
    }),
])

/** `?topics=state,messages,events:alice`; one that is named twice counts once. */
export const Topics = z
  .string()
  .transform((text) => [...new Set(text.split(','))])
  .pipe(z.array(Topic).min(1).max(MAX_TOPICS))

/** What the events of a stream carry, by the name of the event up to its colon. */
export const FRAMES = {
  /** The first of each stream: nothing but its id. */
  open: z.object({}),
  state: StateDelta,
  /** Messages that changed, as they are now. */
  messages: z.object({ messages: z.array(Message), errors: z.array(Undecodable) }),
  events: z.object({ events: z.array(StoredEvent) }),
  /** What came of a topic since the client's position cannot be told: it has to fetch all of it. The stream goes on from now. */
  resync: z.object({ topic: z.string() }),
}
