import type { Delivery, Message, MessageState, Parked } from '../../wire/things.ts'
import type { TurnEnd, TurnReason, TurnUsage } from '../../wire/turn.ts'
import type { Undecodable } from '../../wire/undecodable.ts'

/**
 * Where messages and leases live. Everything that a promise of this interface confirms survives `kill -9` and a power cut.
 * Calls made in one event-loop turn take effect in their order and may share one commit.
 * SQLite is the embedded implementation; `conformance.ts` holds the suite that any implementation passes.
 */
export interface Store extends AsyncDisposable {
  // What each send and each lease has to know at once: the store keeps it in memory.

  epoch(agent: string): number
  /** Whether a turn is in progress: the agent holds leases. */
  holds(agent: string): boolean
  /** Ids of what it holds, in the order of delivery. */
  heldIds(agent: string): number[]
  /** Messages of an inbox that wait to be delivered. */
  queued(agent: string): number
  /** Messages of an inbox that are not done. */
  pending(agent: string): number
  parked(agent: string): Parked | null

  /**
   * Stores one message per recipient. The same (from, key) gives the ids of the first time.
   * Says `refused` when the chain it belongs to has gone too far; throws `inbox_full` when a recipient has too much to read.
   */
  send(message: NewMessage): Promise<Sent>
  /** Ids of what was stored under a key; none when nothing was. */
  sentBefore(from: string, key: string): Promise<readonly number[]>

  /** Begins a new life of an agent's harness: its epoch grows by one and what the older one held returns to the queue. */
  beginEpoch(agent: string, returned: Returned): Promise<{ epoch: number; notified: readonly string[] }>
  /** Takes back what an agent holds, since its container is gone. */
  reclaim(agent: string, returned: Returned): Promise<{ notified: readonly string[] }>

  /**
   * Leases the next messages of an inbox, raising their attempts, or says when to look again. They end with the turn in progress
   * (`joins`), or the first of them wakes one. A message that failed before is always alone in its turn.
   */
  lease(agent: string, request: LeaseRequest): Promise<Leased>
  /** What an epoch holds, in the order of delivery. */
  held(agent: string, epoch: number): Promise<Delivery[]>
  /**
   * Ends a turn: `ids` are what the harness knows of, the one that woke it among them. What it holds besides goes back to the queue.
   * Throws `stale_lease` unless this epoch holds them all.
   */
  endTurn(agent: string, turn: TurnToEnd): Promise<Ended>

  /** Delivers nothing more from an inbox that has an epoch, unless it is parked already; gives what it is parked for. */
  park(agent: string, parking: Parking): Promise<{ parked: Parked; notified: readonly string[] }>
  /** Lets an inbox go on. */
  unpark(agent: string): Promise<void>

  /** Throws `internal` when the row cannot be read. */
  get(id: number): Promise<Message | undefined>
  /** The newest messages, oldest of them first; a page ends early when its bodies are long. */
  list(filter: MessageFilter): Promise<Page>
  /** What waits in an inbox, in the order of delivery, bodies cut. */
  waiting(agent: string, limit: number): Promise<Message[]>
  /** What changed after `cursor`, oldest change first. */
  changes(cursor: number, filter: MessageFilter): Promise<Page>
  count(): Promise<Record<MessageState, number>>

  /** Rows that could not be read when they were needed, and still cannot: passed over, shown to the operator. */
  undecodable(): Promise<Undecodable[]>

  /** Dead messages that nobody dealt with, oldest first. Of their bodies only the beginning. */
  deadLetters(): Promise<Page>
  countDeadLetters(): Promise<number>
  requeue(id: number): Promise<Message>
  drop(id: number): Promise<Message>

  /** Chains that wait for the operator. */
  pausedChains(): Promise<PausedChain[]>
  /** `agents` are those whose messages made it necessary. */
  pauseChain(root: number, reason: string, agents: readonly string[]): Promise<{ notified: readonly string[] }>
  /** Lets a chain go `hops` further. */
  allowChain(root: number, hops: number): Promise<void>
  stopChain(root: number): Promise<void>

  /** Forgets the inbox of an agent that will never come back: what is queued is dead, its senders hear of it once each. */
  bury(agent: string, reason: string): Promise<{ notified: readonly string[] }>
  /** Deletes at most `limit` messages done, or dead and dropped, before `before` (unix ms); gives how many. */
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
  /** How many at most; 1 unless said. */
  readonly max?: number
  /** Steady clock, ms. */
  readonly now: number
}

export interface Leased {
  /** In the order of delivery. */
  readonly deliveries: readonly Delivery[]
  /** When the head of the queue may be delivered, if it is held back. */
  readonly waitUntil?: number
}

export interface TurnToEnd {
  readonly epoch: number
  readonly ids: readonly number[]
  readonly end: TurnEnd
  readonly accepted: boolean
  /** Steady clock, ms. */
  readonly now: number
  readonly random: number
}

/** Why an inbox is to be parked, and until when. */
export interface Parking extends Omit<Parked, 'since'> {
  /** When a quota frees up, as the engine says; unix ms. The inbox goes on somewhat later. */
  readonly resetsAt?: number
}

/** A turn that is over. */
export interface EndedTurn {
  readonly agent: string
  readonly epoch: number
  /** The message that woke it. */
  readonly message: number
  readonly attempt: number
  /** Unix ms. */
  readonly at: number
  readonly reason: TurnReason
  /** What its inbox is parked for because of it. */
  readonly parkedFor?: Parked['reason']
  /** What its harness told at its end; undefined when it told nothing, or went without a word. */
  readonly usage?: TurnUsage
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
  readonly state?: MessageState
  readonly limit: number
  /** Bodies are cut. */
  readonly preview?: boolean
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
