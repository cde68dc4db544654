import { z } from 'zod'
import { Approval } from './approvals.ts'
import { Account } from './money.ts'
import { Role, Standing } from './names.ts'
import { Permission } from './permissions.ts'
import { Question } from './questions.ts'
import { Operation, Paused } from './supervision.ts'
import { TurnUsage } from './turn.ts'
import { Undecodable } from './undecodable.ts'

const Id = z.number().int().positive()
/** Unix milliseconds. */
const Time = z.number()

export const MessageState = z.enum(['queued', 'leased', 'done', 'dead'])
export type MessageState = z.infer<typeof MessageState>

/** A message as the operator sees it. `error` says why it is dead, or how a done one ended (`cancelled`). */
export const Message = z.object({
  id: Id,
  from: z.string(),
  to: z.string(),
  body: z.string(),
  state: MessageState,
  attempt: z.number().int(),
  failures: z.number().int(),
  sentAt: Time,
  doneAt: Time.nullable(),
  rootId: Id,
  hops: z.number().int(),
  replyTo: Id.nullable(),
  error: z.string().nullable(),
})
export type Message = z.infer<typeof Message>

/** A message as its recipient gets it: leased to it until the turn ends. */
export const Delivery = z.object({
  id: Id,
  from: z.string(),
  standing: Standing,
  body: z.string(),
  /** 1 for the first delivery. */
  attempt: z.number().int(),
  sentAt: Time,
  replyTo: Id.nullable(),
  /** How many more messages wait in the inbox. */
  pending: z.number().int(),
})
export type Delivery = z.infer<typeof Delivery>

export const Desired = z.enum(['running', 'stopped'])
export type Desired = z.infer<typeof Desired>

/**
 * What an agent is doing, derived, never stored.
 * offline: no harness connected · starting: connected, engine not ready · needs_login · parked: waits for a quota, for tomorrow's budget
 * or for the operator · paused: by the operator, or because it filled the disk · asking: its turn waits for a permission ·
 * waiting: has mail, waits for a free slot or a retry · thinking: holds leases · idle: waits for mail · stopped: by the operator ·
 * failed: crash loop.
 */
export const AgentState = z.enum([
  'stopped',
  'offline',
  'starting',
  'needs_login',
  'parked',
  'paused',
  'asking',
  'waiting',
  'thinking',
  'compacting',
  'idle',
  'failed',
])
export type AgentState = z.infer<typeof AgentState>

export const Parked = z.object({
  reason: z.enum(['login', 'quota', 'billing', 'budget']),
  detail: z.string(),
  since: Time,
  /** When it goes on by itself; absent: when the operator acts. */
  until: Time.optional(),
})
export type Parked = z.infer<typeof Parked>

export const Agent = z.object({
  name: z.string(),
  role: Role,
  container: z.string(),
  state: AgentState,
  /** Since when it is in that state. */
  stateSince: Time,
  desired: Desired,
  /** What the turn in progress is about, while there is one. */
  turn: z.object({ messages: z.array(Id), since: Time }).nullable(),
  model: z.string(),
  /** The commit of its configuration that runs: `applied/main`; null before its first. */
  sha: z.string().nullable(),
  /** Messages in its inbox that are not done. */
  unread: z.number().int(),
  port: z.number().int(),
  /** Another agent that has the same port by hash: this one is reached through the dashboard only. */
  portTakenBy: z.string().nullable(),
  /** Its programs, or its deployed configuration, are not the current ones: `rebuild` puts it on them. */
  needsUpdate: z.boolean(),
  parked: Parked.nullable(),
  paused: Paused.nullable(),
  /** What is being done to it at the moment. */
  operation: Operation.nullable(),
  /** What it has spent today. */
  account: Account,
  /** Why it is `failed`, `offline` or `needs_login`, when known. */
  detail: z.string().nullable(),
  lastTurn: z.object({ reason: z.string(), detail: z.string(), at: Time, usage: TurnUsage.nullable() }).nullable(),
})
export type Agent = z.infer<typeof Agent>

/** What every entry of the list has, whatever its kind. */
const Waiting = {
  /** The same for as long as the same thing waits: what was notified, muted or opened is known by it. */
  key: z.string(),
  since: Time,
  /** Path of the page that deals with it. */
  link: z.string(),
  /** Commands that deal with it. */
  actions: z.array(z.string()),
}
const OfAgent = { ...Waiting, agent: z.string(), detail: z.string() }

/** One thing that waits for the operator. More kinds are added as more of the system can ask. */
export const Need = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('dead_letter'), ...Waiting, message: Message }),
  z.object({
    kind: z.literal('paused_chain'),
    ...Waiting,
    rootId: Id,
    hops: z.number().int(),
    reason: z.string(),
    agents: z.array(z.string()),
  }),
  z.object({ kind: z.literal('approval'), ...Waiting, approval: Approval }),
  z.object({ kind: z.literal('question'), ...Waiting, question: Question }),
  z.object({ kind: z.literal('permission'), ...Waiting, permission: Permission }),
  z.object({ kind: z.literal('login'), ...OfAgent }),
  /** Billing, or a budget that is used up. */
  z.object({ kind: z.literal('parked'), ...OfAgent }),
  /** A crash loop, or a container that cannot be made. */
  z.object({ kind: z.literal('failed'), ...OfAgent }),
  /** It could not be put on the current programs, and runs with the older ones. */
  z.object({ kind: z.literal('update_failed'), ...OfAgent }),
  /** Four fifths of a budget are used. */
  z.object({ kind: z.literal('budget'), ...OfAgent }),
  /** Paused by the daemon, not by the operator. */
  z.object({ kind: z.literal('paused'), ...OfAgent }),
  /** The emergency stop is on. */
  z.object({ kind: z.literal('stopped'), ...Waiting, reason: z.string() }),
  z.object({ kind: z.literal('low_disk'), ...Waiting, detail: z.string() }),
  z.object({ kind: z.literal('undecodable'), ...Waiting, row: Undecodable }),
])
export type Need = z.infer<typeof Need>
