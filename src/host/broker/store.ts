import type { Delivery, Message, MessageState, Parked, Undecodable } from '../../wire/things.ts'
import type { TurnEnd } from '../../wire/turn.ts'

/**
 * Where messages and leases live. Everything that a promise of this interface confirms survives `kill -9` and a power cut.
 * Calls made in one event-loop turn take effect in their order and may share one commit.
 * SQLite is the embedded implementation; `conformance.ts` holds the suite that any implementation passes.
 */
export interface Store extends AsyncDisposable {
  /**
   * Stores one message per recipient. The same (from, key) gives the ids of the first time.
   * Says `refused` when the chain it belongs to has gone too far; throws `inbox_full` when a recipient has too much to read.
   */
  send(message: NewMessage): Promise<Sent>

  /** Begins a new life of an agent's harness: its epoch grows by one and what the older one held returns to the queue. */
  beginEpoch(agent: string, returned: Returned): Promise<{ epoch: number; notified: readonly string[] }>
  /** Takes back what an agent holds, since its container is gone. */
  reclaim(agent: string, returned: Returned): Promise<{ notified: readonly string[] }>
  epoch(agent: string): number

  /**
   * Leases the next message of an inbox, raising its attempt, or says when to look again.
   * With `joins` the message joins the turn in progress; otherwise it wakes one.
   */
  lease(agent: string, request: LeaseRequest): Promise<Leased>
  /** What an epoch holds, in the order of delivery. */
  held(agent: string, epoch: number): Delivery[]
  /** Whether a turn is in progress: the agent holds leases. */
  holds(agent: string): boolean
  /**
   * Ends a turn: `ids` are what the harness knows of, the one that woke it among them. What it holds besides goes back to the queue.
   * Throws `stale_lease` unless this epoch holds them all.
   */
  endTurn(agent: string, turn: TurnToEnd): Promise<Ended>

  parked(agent: string): Parked | null
  /** Lets an inbox go on. */
  unpark(agent: string): Promise<void>

  get(id: number): Message | undefined
  list(filter: MessageFilter): Page
  /** What changed after `cursor`, oldest change first. */
  changes(cursor: number, filter: MessageFilter): Page
  /** Messages of an inbox that wait to be delivered. */
  queued(agent: string): number
  /** Messages of an inbox that are not done. */
  pending(agent: string): number
  count(): Record<MessageState, number>

  /** Queued rows that could not be read when their turn came: passed over, shown to the operator. */
  undecodable(): Undecodable[]

  /** Dead messages that nobody dealt with, oldest first. */
  deadLetters(): Page
  requeue(id: number): Promise<Message>
  drop(id: number): Promise<Message>

  /** Chains that wait for the operator. */
  pausedChains(): PausedChain[]
  pauseChain(root: number, reason: string): Promise<{ notified: readonly string[] }>
  /** Lets a chain go `hops` further. */
  allowChain(root: number, hops: number): Promise<void>
  stopChain(root: number): Promise<void>

  /** Makes every queued message of an agent dead and forgets its inbox: it will never come back. */
  bury(agent: string, reason: string): Promise<void>
  /** Deletes at most `limit` messages done before `before` (unix ms); gives how many. */
  vacuum(before: number, limit: number): Promise<number>
}

export interface NewMessage {
  readonly from: string
  readonly to: readonly string[]
  readonly body: string
  readonly replyTo?: number
  readonly key?: string
}

export interface Sent {
  /** Empty when it was refused. */
  readonly ids: readonly number[]
  /** The chain it belongs to, when it was stored now. */
  readonly rootId?: number
  readonly refused?: { readonly rootId: number; readonly reason: string; readonly notified: readonly string[] }
}

/** Why leases come back: `charge` counts it as a failure of the message that woke the turn. */
export interface Returned {
  readonly charge: boolean
  readonly reason: string
}

export interface LeaseRequest {
  readonly epoch: number
  readonly joins: boolean
  /** Steady clock, ms. */
  readonly now: number
}

export interface Leased {
  readonly delivery?: Delivery
  /** When the head of the queue may be delivered, if it is held back. */
  readonly waitUntil?: number
}

export interface TurnToEnd {
  readonly epoch: number
  readonly ids: readonly number[]
  readonly end: TurnEnd
  readonly accepted: boolean
  readonly now: number
  readonly random: number
}

export interface Ended {
  readonly action: 'done' | 'retry' | 'parked' | 'dead'
  readonly parked?: Parked
  /** Who got a message about it from `system`. */
  readonly notified: readonly string[]
}

export interface MessageFilter {
  /** Sender or recipient. */
  readonly agent?: string
  readonly recipient?: string
  readonly state?: MessageState
  readonly limit: number
}

export interface Page {
  readonly messages: Message[]
  readonly errors: Undecodable[]
  readonly cursor: number
}

export interface PausedChain {
  readonly rootId: number
  readonly hops: number
  readonly reason: string
  readonly since: number
  readonly agents: string[]
}
