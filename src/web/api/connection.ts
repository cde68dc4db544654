import { HEARTBEAT_MS } from '../../wire/frames.ts'
import { errorText, HiveError } from '../../wire/hive-error.ts'

/** How the page hears of the hive. */
export type Connection =
  | { readonly is: 'connecting'; readonly failures: number }
  | { readonly is: 'live' }
  /** Tries again at `until`, in unix milliseconds. */
  | { readonly is: 'waiting'; readonly failures: number; readonly until: number; readonly problem: string }
  /** The token opens nothing any more. */
  | { readonly is: 'refused' }

/** A stream that is silent for so long is dead, whatever the socket says. */
export const SILENCE_MS = 2.5 * HEARTBEAT_MS
const FIRST_RETRY_MS = 250
const LONGEST_RETRY_MS = 8_000

/** How long to wait before the next attempt, after so many that failed: doubles, a little random so that tabs do not come at once. */
export function retryDelayMs(failures: number, random: () => number = Math.random): number {
  const delay = Math.min(FIRST_RETRY_MS * 2 ** Math.max(0, failures - 1), LONGEST_RETRY_MS)
  return Math.round(delay * (0.75 + random() / 2))
}

/** How it stands after an attempt that failed: the `failures`-th since it last worked. */
export function afterFailure(failures: number, error: unknown, now: number, random?: () => number): Connection {
  if (error instanceof HiveError && error.code === 'forbidden') return { is: 'refused' }
  return { is: 'waiting', failures, until: now + retryDelayMs(failures, random), problem: errorText(error) }
}
