import type { TurnEnd } from '../../wire/turn.ts'
import type { Intervals } from '../intervals.ts'
import type { Parking } from './store.ts'

/** How often a message may fail before it is dead. */
export const MAX_FAILURES = 3
/** No quota is used up for longer, whatever the engine says of it. */
const QUOTA_LONGEST_MS = 31 * 24 * 3_600_000

/** How long an inbox waits for what. */
export type RetryIntervals = Pick<
  Intervals,
  'retryFirstMs' | 'retryLongestMs' | 'quotaUnknownMs' | 'quotaShortestMs' | 'quotaSpreadMs'
>

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
      readonly park?: Parking
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
  intervals: RetryIntervals,
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
        park: {
          reason: 'quota',
          detail: end.detail,
          resetsAt: end.resetsAt,
          // Spread: it frees up for all agents of an account at the same moment.
          until: Math.round(wallNow + quotaMs(end.resetsAt, wallNow, intervals) + random * intervals.quotaSpreadMs),
        },
      }
    case 'billing':
      return { ...retry, park: { reason: 'billing', detail: end.detail } }
    case 'overloaded':
    case 'network':
      return { ...retry, notBefore: now + backoffMs(streak, random, intervals) }
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
const quotaMs = (
  resetsAt: number | undefined,
  wallNow: number,
  { quotaUnknownMs, quotaShortestMs }: RetryIntervals,
): number =>
  resetsAt === undefined ? quotaUnknownMs : Math.min(QUOTA_LONGEST_MS, Math.max(quotaShortestMs, resetsAt - wallNow))

/** Doubling with each of the `streak` tries before, up to the longest, of which the upper half is jitter. */
export function backoffMs(streak: number, random: number, { retryFirstMs, retryLongestMs }: RetryIntervals): number {
  const ceiling = Math.min(retryLongestMs, retryFirstMs * 2 ** Math.min(streak, 16))
  return ceiling * (0.5 + random / 2)
}
