import { z } from 'zod'
import { AgentName } from './names.ts'
import type { Ops } from './op.ts'

/** What the daemon asks of the egress gateway, a process of its own that outlives it. */
export const gatewayOps = {
  ping: {
    about: 'Say that the gateway serves.',
    input: z.strictObject({}),
    output: z.object({ pid: z.number(), revision: z.string() }),
  },
  configure: {
    about:
      'Replace what each agent may reach. What is open and not allowed any more ends; agents not named lose their socket too.',
    input: z.strictObject({
      agents: z.array(
        z.strictObject({
          name: AgentName,
          /** The unix socket to listen on; its directory exists, is the gateway's, and has the agent's group (2750) where it has one. */
          socket: z.string(),
          /** `host` or `*.suffix`, either with `:port`; absent: any public address. */
          allow: z.array(z.string()).optional(),
        }),
      ),
      /** `host:port` that every agent may reach although it is not public. */
      endpoints: z.array(z.string()),
      /** `host:port` of the model: what goes there is counted apart. */
      model: z.array(z.string()).default([]),
    }),
    /** Agents for which it cannot listen, with the reason; the others are served. */
    output: z.object({ unserved: z.record(z.string(), z.string()) }),
  },
  counts: {
    about: 'How many requests each agent made, since the gateway started.',
    input: z.strictObject({}),
    output: z.object({
      agents: z.record(
        z.string(),
        z.object({
          allowed: z.number().int(),
          refused: z.number().int(),
          /** Of those that were allowed: to the model. A tunnel counts once, however many requests go through it. */
          model: z.number().int(),
        }),
      ),
    }),
  },
} satisfies Ops
