import type { Parked } from '../../wire/things.ts'
import type { TurnEnd } from '../../wire/turn.ts'

/** How often a message may fail before it is dead. */
export const MAX_FAILURES = 3
const BACKOFF_MS = { first: 5_000, longest: 300_000 }
/** How long to wait for a quota whose reset time is not known. */
const UNKNOWN_QUOTA_MS = 300_000
/** What the engine says of a quota is believed between these: a reset time that has passed must not make a loop. */
const QUOTA_MS = { shortest: 5_000, longest: 31 * 24 * 3_600_000 }

/** What the store knows when a turn ends. */
export interface Counters {
  /** Of the message that woke the turn, before this end. */
  readonly failures: number
  /** Ends in a row for this agent with the API not to be had. */
  readonly streak: number
  /** Ends in a row for this agent with a login that was refused. */
  readonly authFailures: number
}

/** What becomes of the message that woke a turn; the others that the turn leased go back to the queue unless it is `done`. */
export type Outcome =
  | { readonly message: 'done'; readonly error?: string }
  | { readonly message: 'dead'; readonly error: string }
  | {
      readonly message: 'retry'
      readonly charge: boolean
      readonly error: string
      /** Nothing of this inbox is delivered before. */
      readonly notBefore?: number
      readonly park?: Pick<Parked, 'reason' | 'detail' | 'until'>
    }

/** When it is, twice. */
export interface Moment {
  /** Steady clock, ms: intervals run on it. */
  readonly now: number
  /** Unix ms: deadlines that the world sets run on it. */
  readonly wallNow: number
  /** In [0, 1): spreads retries. */
  readonly random: number
}

/** Decides what follows from the end of a turn. `accepted`: the harness acked it; otherwise it released it. */
export function decideOutcome(
  end: TurnEnd,
  accepted: boolean,
  { failures, streak, authFailures }: Counters,
  { now, wallNow, random }: Moment,
): Outcome {
  if (accepted) return end.reason === 'ok' ? { message: 'done' } : { message: 'done', error: 'cancelled' }
  const error = `${end.reason}: ${end.detail}`
  const retry = { message: 'retry', charge: false, error } as const
  switch (end.reason) {
    case 'ok':
    case 'interrupted':
      return retry
    case 'auth':
      return authFailures === 0 ? retry : { ...retry, park: { reason: 'login', detail: end.detail } }
    case 'quota':
      return {
        ...retry,
        park: { reason: 'quota', detail: end.detail, until: wallNow + quotaMs(end.resetsAt, wallNow) },
      }
    case 'billing':
      return { ...retry, park: { reason: 'billing', detail: end.detail } }
    case 'overloaded':
    case 'network':
      return { ...retry, notBefore: now + backoffMs(streak, random) }
    case 'prompt_too_long':
    case 'refused':
      return { message: 'dead', error }
    case 'crash':
    case 'hang':
    case 'error':
      return failures + 1 >= MAX_FAILURES ? { message: 'dead', error } : { ...retry, charge: true }
  }
}

/** How long a quota is used up for. */
const quotaMs = (resetsAt: number | undefined, wallNow: number): number =>
  resetsAt === undefined
    ? UNKNOWN_QUOTA_MS
    : Math.min(QUOTA_MS.longest, Math.max(QUOTA_MS.shortest, resetsAt - wallNow))

/** 5 s, doubling to 5 min, of which the upper half is jitter. */
export function backoffMs(streak: number, random: number): number {
  const ceiling = Math.min(BACKOFF_MS.longest, BACKOFF_MS.first * 2 ** Math.min(streak, 16))
  return ceiling * (0.5 + random / 2)
}
