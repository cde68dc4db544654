import { z } from 'zod'
import { ApprovalKind } from './approvals.ts'
import { TurnEnd } from './turn.ts'

/** Longest stored event, in bytes of JSON; longer strings in it are cut and say so. */
export const MAX_EVENT_BYTES = 256 * 1024

/** What happens in an agent, as its harness reports it: the agent's claim. */
export const LiveEvent = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('turn_start'),
    messages: z.array(z.object({ id: z.number(), from: z.string(), body: z.string() })),
    pending: z.number().int(),
  }),
  z.object({ kind: z.literal('turn_end'), end: TurnEnd }),
  /** One line of the engine's stream, as it came. */
  z.object({ kind: z.literal('stream'), value: z.record(z.string(), z.unknown()) }),
  z.object({ kind: z.literal('note'), level: z.enum(['info', 'warn', 'error']), text: z.string() }),
  /** Events that were lost while the daemon was away. */
  z.object({ kind: z.literal('gap'), lost: z.number().int() }),
])
export type LiveEvent = z.infer<typeof LiveEvent>

/** A stored event. `n` counts within one epoch of one agent; `seq` over everything. */
export const StoredEvent = z.object({
  seq: z.number().int(),
  agent: z.string(),
  epoch: z.number().int(),
  n: z.number().int(),
  at: z.number(),
  event: LiveEvent,
})
export type StoredEvent = z.infer<typeof StoredEvent>

/** Facts that the daemon sends as messages from `system`: JSON bodies told apart by `event`. */
export const HelperEvent = z.discriminatedUnion('event', [
  z.object({
    event: z.literal('message_dead'),
    id: z.number(),
    from: z.string(),
    to: z.string(),
    /** As its turn was ended by the recipient: the recipient's claim. */
    reason: z.string(),
    body: z.string(),
    /** So many others of the same sender died with it. */
    more: z.number().int().default(0),
  }),
  /** Once per episode: a container that keeps ending is told of once until it has run well again. */
  z.object({ event: z.literal('container_crash'), agent: z.string(), note: z.string() }),
  /** It runs with older programs than the hive has. */
  z.object({ event: z.literal('needs_update'), agent: z.string(), note: z.string().optional() }),
  /** To whoever asked. */
  z.object({ event: z.literal('operator_answered'), id: z.number(), question: z.string(), answer: z.string() }),
  /** To the agent itself, after somebody started it, or it runs with something else. */
  z.object({ event: z.literal('started'), reason: z.string(), note: z.string() }),
  /** To the agent itself: an entry of its `schedules`. */
  z.object({
    event: z.literal('scheduled'),
    cron: z.string(),
    message: z.string(),
    /** Unix milliseconds: when it was due. */
    dueAt: z.number(),
  }),
  /** To the agent itself. */
  z.object({ event: z.literal('reminder'), id: z.number(), message: z.string(), dueAt: z.number() }),
  z.object({ event: z.literal('killed'), agent: z.string() }),
  z.object({ event: z.literal('destroyed'), agent: z.string() }),
  z.object({
    event: z.literal('approval_resolved'),
    id: z.number(),
    agent: z.string(),
    kind: ApprovalKind,
    status: z.enum(['approved', 'denied', 'failed']),
    note: z.string().optional(),
    sha: z.string().optional(),
    /** In the applied repository: `git show applied/<tag>`. */
    tag: z.string().optional(),
  }),
  z.object({
    event: z.literal('spawned'),
    agent: z.string(),
    ok: z.boolean(),
    note: z.string().optional(),
    sha: z.string().optional(),
    tag: z.string().optional(),
  }),
  z.object({
    event: z.literal('rebuilt'),
    agent: z.string(),
    ok: z.boolean(),
    note: z.string().optional(),
    sha: z.string().optional(),
    tag: z.string().optional(),
  }),
  z.object({ event: z.literal('needs_login'), agent: z.string() }),
  z.object({ event: z.literal('logged_in'), agent: z.string() }),
  z.object({ event: z.literal('agent_parked'), agent: z.string(), reason: z.string(), until: z.number().optional() }),
  z.object({ event: z.literal('chain_paused'), rootId: z.number(), reason: z.string() }),
])
export type HelperEvent = z.infer<typeof HelperEvent>
