import { z } from 'zod'
import { StoredEvent } from './events.ts'
import { AgentName } from './names.ts'
import type { Ops } from './op.ts'

/** The way into the dashboard, and what a page of it reads beside the rest. */
export const webOps = {
  web_link: {
    about: 'The link that lets a browser in. With `new_token` every one given before is worthless at once.',
    input: z.strictObject({
      /** The page of an agent instead of the dashboard. */
      agent: AgentName.optional(),
      new_token: z.boolean().default(false),
    }),
    output: z.object({ url: z.string() }),
  },
  event: {
    about: 'Show one live event of an agent.',
    input: z.strictObject({ agent: AgentName, seq: z.number().int().positive() }),
    output: z.object({ event: StoredEvent }),
  },
  search_events: {
    about:
      'Find live events of an agent that contain a text, newest first. So much of the past is looked at in one call; `next` goes on from there.',
    input: z.strictObject({
      agent: AgentName,
      text: z.string().min(1).max(200),
      /** Events before this one. */
      before: z.number().int().positive().optional(),
      limit: z.number().int().min(1).max(100).default(50),
    }),
    output: z.object({
      events: z.array(StoredEvent),
      /** null: the beginning was reached. */ next: z.number().nullable(),
    }),
  },
} satisfies Ops
